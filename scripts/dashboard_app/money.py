"""What a run has cost and will cost, and when it ends: as `progress.json` has it, which the trainer writes."""

from __future__ import annotations

from typing import NamedTuple

from dashboard_app.live_run import LiveRun
from grpo.run.stopping import RunLimits
from grpo_rust.report.money import clock
from grpo_rust.report.reading import number

__all__ = ["Spent", "spent"]


class Spent(NamedTuple):
    """Time and money of one run; None for what is not known."""

    seconds: float
    usd: float | None
    seconds_left: float | None  # with the evaluations and checkpoints to come; 0: it has ended
    usd_in_all: float | None
    end: str  # when it ended or will, in UTC; empty where nothing trains


def spent(run: LiveRun) -> Spent:
    """The time and money of a run, at `train.usd_per_hour`."""
    limits = RunLimits(usd_per_hour=number(run.setting("train", "usd_per_hour")) or 0.0)
    files, seconds = run.files(), run.seconds()
    if files.summary is not None:
        usd = limits.cost(seconds)
        return Spent(seconds, usd, 0.0, usd, clock(files.summary.get("ended")))
    left = number(files.progress.get("seconds_left"))
    end = clock(files.progress.get("ends")) if run.state() == "training" else ""
    return Spent(seconds, limits.cost(seconds), left, None if left is None else limits.cost(seconds + left), end)
