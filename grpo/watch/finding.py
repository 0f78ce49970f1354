"""What a monitor found, and the error that ends a run because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grpo.errors import RunStopped

__all__ = ["Finding", "WatchStopped"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run, at one step.

    >>> print(Finding("sampler_gap", 7, "the gap is 2.1 nats", "Look at sync/gap", {"policy/sampler_gap": 2.1}))
    step 7: the gap is 2.1 nats. Look at sync/gap
    """

    name: str  # of the monitor
    step: int
    what: str  # with the numbers
    advice: str
    numbers: Mapping[str, float]  # the metrics that say so
    stops: bool = False  # else it only warns

    def __str__(self) -> str:
        return f"step {self.step}: {self.what}. {self.advice}"


class WatchStopped(RunStopped):
    """A run was stopped before a step that would have spoiled it, or taught nothing; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
