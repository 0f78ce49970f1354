"""When a run stops before its end: because somebody asked, or because a limit of time or money would be passed.

A stop never tears a step: what is being done is finished and saved, and the run goes on from there when it is resumed.
An evaluation is not finished but given up, and repeated after the resume. How long that takes is estimated from what
the last steps and saves took.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from grpo.run.stuck import note_progress

__all__ = ["EvaluationGivenUp", "Pace", "RunLimits"]

KEPT = 8  # durations of each kind: enough for a mean, few enough to follow completions that grow longer


class EvaluationGivenUp(Exception):
    """Somebody asked to stop while an evaluation was made. Nothing of it was recorded."""


class Pace:
    """What a run is doing, and how long it took the last times, by kind: "step", "evaluation", "checkpoint", "write".

    >>> pace = Pace({"step": [2.0, 4.0]})
    >>> pace.mean("step"), pace.mean("checkpoint")
    (3.0, None)
    """

    def __init__(self, known: Mapping[str, Sequence[float]] | None = None) -> None:
        """
        Args:
            known: Seconds by kind, of an earlier session of the run: what `to_json` gave.
        """
        self._seconds = {kind: deque(times, KEPT) for kind, times in (known or {}).items()}
        self.doing, self._since = "", 0.0

    @contextmanager
    def during(self, kind: str) -> Iterator[None]:
        """Note that this is done inside, and how long it takes if it is not broken off."""
        self.doing, self._since = kind, time.monotonic()
        try:
            yield
            self.add(kind, time.monotonic() - self._since)
        finally:
            self.doing = ""
            note_progress()

    def add(self, kind: str, seconds: float) -> None:
        """Note that something took so long; "write" is the part of a checkpoint that goes on beside the training."""
        self._seconds.setdefault(kind, deque(maxlen=KEPT)).append(seconds)

    def saving(self) -> float | None:
        """Seconds until a checkpoint that begins now is on the disk; None where there was none yet."""
        copying = self.mean("checkpoint")
        return None if copying is None else copying + (self.mean("write") or 0.0)

    def mean(self, kind: str) -> float | None:
        """The mean of the last times, seconds; None if there was none."""
        times = self._seconds.get(kind)
        return sum(times) / len(times) if times else None

    def left(self) -> float | None:
        """Seconds until what is being done has ended and is saved; None where nothing is known of it."""
        usual = self.mean(self.doing)
        if self.doing == "evaluation":
            return self.saving()
        if not self.doing or usual is None:
            return None
        left = max(0.0, usual - (time.monotonic() - self._since))
        return left + ((self.mean("write") if self.doing == "checkpoint" else self.saving()) or 0.0)

    def announcement(self) -> str:
        """What happens now that somebody has asked to stop, and about how long it takes.

        >>> Pace().announcement()
        'saving'
        """
        what = {
            "evaluation": "giving up the evaluation, which is repeated after the resume, and saving",
            "checkpoint": "finishing the checkpoint",
            "step": "finishing this step and saving",
        }.get(self.doing, "saving")
        if self.doing == "step" and self.mean("step") is None:
            what = "finishing the first step, of which nobody knows how long it takes, and saving"
        seconds = self.left()
        return what if seconds is None else f"{what}, about {seconds:.0f} s"

    def to_json(self) -> dict[str, list[float]]:
        """The times by kind, as plain JSON values."""
        return {kind: [round(seconds, 3) for seconds in times] for kind, times in self._seconds.items()}


@dataclass(frozen=True)
class RunLimits:
    """How long a run may take and what it may cost, over all its sessions; 0: no limit."""

    max_hours: float = 0.0
    max_cost: float = 0.0  # dollars
    usd_per_hour: float = 0.0  # of the machine; 0: not known

    def cost(self, seconds: float) -> float | None:
        """What a run of so many seconds has cost, in dollars; None where the price is not known.

        >>> RunLimits(usd_per_hour=3.0).cost(1800)
        1.5
        """
        return seconds / 3600 * self.usd_per_hour if self.usd_per_hour else None

    def longest(self) -> tuple[float, str]:
        """How many seconds a run may take in all, and the setting that says so; infinity and "" without a limit.

        >>> RunLimits(max_hours=2, max_cost=3, usd_per_hour=6).longest()
        (1800.0, 'train.max_cost')
        """
        found = [(math.inf, "")]
        if self.max_hours:
            found.append((self.max_hours * 3600, "train.max_hours"))
        if self.max_cost and self.usd_per_hour:
            found.append((self.max_cost / self.usd_per_hour * 3600, "train.max_cost"))
        return min(found)

    def passed(self, seconds: float, following: float) -> str:
        """Which limit is passed, or would be.

        Args:
            seconds: That the run has taken so far.
            following: That the next step or evaluation takes, with what saves it.
        Returns: A sentence that names the limit and says what to do; nothing while both are kept.

        >>> RunLimits(max_hours=1).passed(3000, 500)
        ''
        >>> RunLimits(max_hours=1).passed(3000, 700).partition(":")[0]
        'train.max_hours = 1'
        """
        hours, more = seconds / 3600, following / 3600
        if self.max_hours and hours + more > self.max_hours:
            took = f"{hours:.3g} hours in all its sessions, and what comes next takes about {more:.2g} more"
            return _sentence(f"train.max_hours = {self.max_hours:g}", took, "train.max_hours")
        if self.max_cost and (hours + more) * self.usd_per_hour > self.max_cost:
            paid, due = hours * self.usd_per_hour, more * self.usd_per_hour
            took = f"{paid:.2f} dollars in all its sessions, and what comes next takes about {due:.2f} more"
            name = f"train.max_cost = {self.max_cost:g} with train.usd_per_hour = {self.usd_per_hour:g}"
            return _sentence(name, took, "train.max_cost")
        return ""


def _sentence(limit: str, took: str, setting: str) -> str:
    return f"{limit}: the run has taken {took}. It stops before the limit; resume it with a higher {setting} to go on"
