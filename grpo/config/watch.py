"""What a run watches itself for."""

from __future__ import annotations

from dataclasses import dataclass

from grpo.schema import option

__all__ = ["WatchSection"]


@dataclass(frozen=True)
class WatchSection:
    """What a run watches itself for, beyond a loss that is not finite; `grpo.watch.thresholds` has all limits."""

    enabled: bool = option(
        True,
        "warn of what is wrong with the run, stop before a step that would spoil it, dump the batch of that step, and "
        "rehearse; false switches all of it off, except rewards.max_unscored",
    )
    max_ratio: float = option(1000.0, "largest importance ratio of a token, above which the run stops", low=1)
    min_entropy: float = option(
        0.001, "entropy of the policy, below which the run stops after 10 steps in a row", unit="nats a token", low=0
    )
    max_zero_std_steps: int = option(
        20, "steps in a row without any group to learn from, at which the run stops", unit="steps", low=1, high=1000
    )
    max_sampler_gap: float = option(
        1.0,
        "difference between the trainer's log-probs and the engine's, above which the run stops after 3 steps in a row",
        unit="nats a token",
        low=0,
    )
