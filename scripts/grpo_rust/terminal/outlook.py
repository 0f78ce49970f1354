"""When a run ends, and what it costs: so far, and in all as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grpo.run.stopping import Pace, RunLimits

__all__ = ["Outlook", "num_due", "outlook"]


@dataclass(frozen=True)
class Outlook:
    """Where a run stands in time and money."""

    now: float  # unix seconds
    seconds: float  # that the run has taken, over all its sessions
    left_s: float | None = None  # until its end; None: not known yet
    usd_per_hour: float = 0.0  # 0: not known
    ended_by: str = ""  # the setting that ends it before its last step; "": none does, as far as is known

    @property
    def total_s(self) -> float | None:
        """How long the run takes in all."""
        return None if self.left_s is None else self.seconds + self.left_s

    @property
    def usd(self) -> float | None:
        """What it has cost so far; None where the price is not known."""
        return RunLimits(usd_per_hour=self.usd_per_hour).cost(self.seconds)

    @property
    def usd_expected(self) -> float | None:
        """What it costs in all."""
        return None if self.total_s is None else RunLimits(usd_per_hour=self.usd_per_hour).cost(self.total_s)

    def end_text(self) -> str:
        """When it ends, by the clock of this machine; with the day where that is another one. "" where unknown."""
        if self.left_s is None:
            return ""
        now, end = datetime.fromtimestamp(self.now), datetime.fromtimestamp(self.now + self.left_s)
        return end.strftime("%H:%M" if end.date() == now.date() else "%a %d %b %H:%M")

    def cost_text(self) -> str:
        """Dollars so far and in all: "0.12 of 3.40 dollars"; "" where the price is not known.

        >>> Outlook(now=0, seconds=1800, left_s=5400, usd_per_hour=2).cost_text()
        '1.00 of 4.00 dollars'
        """
        if self.usd is None:
            return ""
        whole = "" if self.usd_expected is None else f" of {self.usd_expected:,.2f}"
        return f"{self.usd:,.2f}{whole} dollars"

    def record(self) -> dict[str, Any]:
        """As plain JSON values; the end in UTC."""
        ends = None if self.left_s is None else datetime.fromtimestamp(self.now + self.left_s, UTC)
        return {
            "seconds": round(self.seconds, 1),
            "seconds_left": None if self.left_s is None else round(self.left_s, 1),
            "ends": None if ends is None else ends.isoformat(timespec="seconds"),
            "ended_by": self.ended_by or None,
            "usd": None if self.usd is None else round(self.usd, 4),
            "usd_expected": None if self.usd_expected is None else round(self.usd_expected, 4),
        }


def outlook(
    step: int,
    num_steps: int,
    pace: Pace,
    *,
    now: float,
    seconds: float,
    eval_every: int,
    evaluates: bool,
    checkpoint_every: int,
    limits: RunLimits,
) -> Outlook:
    """Where a run stands after a step, by what its last steps, evaluations and checkpoints took.

    It ends after its last step, or before it would pass a limit, whichever is earlier.

    Args:
        step: The step that has ended; its checkpoint is made, its evaluation is not.
        num_steps: Of the run.
        pace: How long things took.
        now: Unix seconds.
        seconds: That the run has taken, over all its sessions.
        eval_every: Steps between evaluations; 0: only before and after.
        evaluates: Whether there are evaluations at all.
        checkpoint_every: Steps between checkpoints; 0: only at the end.
        limits: How long it may take, what it may cost, and the machine's price.
    """
    usual = pace.mean("step")
    left = None
    if usual is not None:
        left = max(0, num_steps - step) * usual
        left += num_due(step, num_steps, eval_every) * (pace.mean("evaluation") or 0.0) * evaluates
        left += num_due(step + 1, num_steps, checkpoint_every) * (pace.mean("checkpoint") or 0.0)
    longest, setting = limits.longest()
    if left is None or seconds + left <= longest:
        return Outlook(now, seconds, left, limits.usd_per_hour)
    return Outlook(now, seconds, max(0.0, longest - seconds), limits.usd_per_hour, ended_by=setting)


def num_due(first: int, last: int, every: int) -> int:
    """How often something happens from one step to the last: every so many steps (0: never), and after the last.

    >>> num_due(8, 30, 10), num_due(10, 30, 10), num_due(11, 35, 10), num_due(5, 30, 0), num_due(31, 30, 0)
    (3, 3, 3, 1, 0)
    """
    if first > last:
        return 0
    between = last // every - (first - 1) // every if every else 0
    return between + (not every or last % every != 0)
