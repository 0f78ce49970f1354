"""What a simulation has to know of a pipeline: how long its parts take, each with its distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grpo_rust.scaling.costs import DecodingCost

__all__ = ["PipelineCosts"]


@dataclass(frozen=True)
class PipelineCosts:
    """Seconds at full speed. Groups of lengths, and programs, are drawn from what is given, with replacement."""

    # In tokens, of completions to one prompt each; all in one where that is not known
    lengths: tuple[tuple[int, ...], ...]
    decoding: DecodingCost  # of one engine
    training_s: Callable[[int], float]  # an update of all ranks, by the completion tokens that it has
    weights_s: float  # new weights for the engines, with their proof
    programs: tuple[tuple[float, float], ...]  # CPU seconds: in its batch, and what a strict pass costs beyond
    batch_s: float  # CPU seconds of a batch of programs, however many they are
    host_s: float  # of the trainer's process for each completion: reading, scoring, logging
    worker_load: float = 1.0  # share of its time in which a worker that grades has a core; else it waits for files
    crossing_s: Callable[[int], float] = lambda size: 0.0  # of a worker, to run a group's codes on tests that it shares
    rewards: tuple[tuple[float, ...], ...] = ()  # of groups: how often is one without spread?
    on_gpu: bool = False  # whether engines and trainer have GPUs; else they are threads
    source: str = ""

    def draw_lengths(
        self, groups: int, group_size: int, random: np.random.Generator
    ) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """Lengths [groups, group_size]: of completions to one prompt each, all of them where there are as many.

        >>> costs = PipelineCosts(((1, 2), (30, 40)), DecodingCost(1, 1), float, 0, ((0, 0),), 0, 0)
        >>> sorted({tuple(sorted(row)) for row in costs.draw_lengths(50, 2, np.random.default_rng(0)).tolist()})
        [(1, 2), (30, 40)]
        """
        if len(self.lengths) == 1:
            return random.choice(np.array(self.lengths[0]), size=(groups, group_size))
        seen = [np.array(self.lengths[place]) for place in random.integers(len(self.lengths), size=groups)]
        return np.array([of if len(of) == group_size else random.choice(of, size=group_size) for of in seen])

    def zero_std_share(self, group_size: int, random: np.random.Generator, draws: int = 2000) -> float:
        """The share of groups of this size without spread: completions drawn from groups that were seen.

        >>> alike = ((1.0, 1.0), (0.0, 0.0))
        >>> costs = PipelineCosts(((1,),), DecodingCost(1, 1), float, 0, ((0, 0),), 0, 0, rewards=alike)
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
