"""What a simulation has to know of a pipeline: how long its parts take, each with its distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grpo_rust.scaling.costs import DecodingCost

__all__ = ["PipelineCosts"]


@dataclass(frozen=True)
class PipelineCosts:
    """Seconds at full speed. Lengths and programs are drawn from what is given, with replacement."""

    lengths: tuple[int, ...]  # of completions, tokens
    decoding: DecodingCost  # of one engine
    training_s: Callable[[int], float]  # an update of all ranks, by the completion tokens that it has
    weights_s: float  # new weights for the engines, with their proof
    programs: tuple[
        tuple[float, float], ...
    ]  # CPU seconds: a program in its batch, and what a strict pass costs beyond
    batch_s: float  # CPU seconds of a batch of programs, however many they are
    host_s: float  # of the trainer's process for each completion: reading, scoring, logging
    worker_load: float = 1.0  # share of its time in which a worker that grades has a core; else it waits for files
    rewards: tuple[tuple[float, ...], ...] = ()  # of groups: how often is one without spread?
    source: str = ""

    def zero_std_share(self, group_size: int, random: np.random.Generator, draws: int = 2000) -> float:
        """The share of groups of this size without spread: completions drawn from groups that were seen.

        >>> costs = PipelineCosts((1,), DecodingCost(1, 1), float, 0, ((0, 0),), 0, 0, rewards=((1.0, 1.0), (0.0, 0.0)))
        >>> costs.zero_std_share(4, np.random.default_rng(0))
        1.0
        """
        if not self.rewards:
            return 0.0
        alike = 0
        for place in random.integers(len(self.rewards), size=draws):
            seen = np.array(self.rewards[place])
            drawn = random.choice(seen, size=group_size, replace=len(seen) < group_size)
            alike += bool((drawn == drawn[0]).all())
        return alike / draws
