"""What a run has cost and will cost, and when it ends, as far as its settings say."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from dashboard_app.live_run import LiveRun
from grpo.run.stopping import RunLimits
from grpo_rust.report.reading import number

__all__ = ["Spent", "duration", "spent"]

_RECENT = 20  # steps whose median time is expected of those to come


class Spent(NamedTuple):
    """Time and money of one run; None for what is not known."""

    seconds: float
    usd: float | None
    seconds_left: float | None  # of the steps to come; evaluations to come are not counted
    usd_in_all: float | None


def spent(run: LiveRun) -> Spent:
    """The time and money of a run, at `train.usd_per_hour`; what is to come needs `train.max_steps`."""
    limits = RunLimits(usd_per_hour=number(run.setting("train", "usd_per_hour")) or 0.0)
    files, seconds = run.files(), run.seconds()
    wanted = number(run.setting("train", "max_steps")) or 0.0
    times = [value for line in files.steps[-_RECENT:] if (value := number(line.get("time/step"))) is not None]
    left = None
    if files.summary is not None:
        left = 0.0
    elif wanted and times:
        left = max(0.0, wanted - files.steps[-1]["step"]) * statistics.median(times)
    return Spent(seconds, limits.cost(seconds), left, None if left is None else limits.cost(seconds + left))


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(59.4), duration(3_661)
    ('59 s', '1 h 1 min')
    """
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
