"""Equal time: how long a step of each arm takes, and what each arm has reached when the same time is up.

Promises: the value of an arm is a mean over the last training batches before its time is up. No run sees a prompt
twice, so these are prompts that the model has not been trained on, and no evaluation is needed in the middle of a run.
An arm that is stopped early has not had the end of its learning rate's schedule, which the first arm has had.
"""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grpo.errors import BadInput
from study.curves import read_curve
from study.running import TrainingRun

__all__ = ["Timed", "equal_time_table", "keep_costs", "kept_costs", "steps_within"]

LAST = 10  # training batches of which a value is the mean
READY = 1  # steps before an arm's cost is measured: what is compiled or loaded once falls into them
HEADS = {"build": "build", "strict": "strict", "gold": "gold", "wrong": "strict but wrong"}


@dataclass(frozen=True)
class Timed:
    """An arm with the time it takes.

    Attributes:
        name: Of the arm.
        seconds: Of each of its steps.
        curves: By the name of a rate its values by step, for each seed.
    """

    name: str
    seconds: Sequence[float]
    curves: Mapping[str, Sequence[Sequence[float]]]


def steps_within(seconds: Sequence[float], budget: float) -> int:
    """How many steps, one after the other, are done within a time.

    >>> steps_within([2.0, 2.0, 3.0], 6.5)
    2
    """
    return sum(total <= budget for total in itertools.accumulate(seconds))


def equal_time_table(arms: Sequence[Timed], budget: float) -> str:
    """One row an arm: its steps within the budget in seconds, and its rates in percent there, the mean of its seeds."""
    shown = [name for name in HEADS if all(name in arm.curves for arm in arms)]
    lines = [
        f"| arm | seconds a step | times `{arms[0].name}` | steps | {' | '.join(HEADS[name] for name in shown)} |",
        "|---" * (4 + len(shown)) + "|",
    ]
    first = statistics.fmean(arms[0].seconds)
    for arm in arms:
        mean, steps = statistics.fmean(arm.seconds), steps_within(arm.seconds, budget)
        values = " | ".join(_reached(arm.curves[name], steps) for name in shown)
        lines.append(f"| `{arm.name}` | {mean:.1f} | {mean / first:.2f} | {steps} | {values} |")
    return "\n".join(lines)


def _reached(seeds: Sequence[Sequence[float]], steps: int) -> str:
    """The mean over seeds of the last values up to a step, in percent; empty where there is none."""
    means = [statistics.fmean(some) for seed in seeds if (some := seed[max(0, steps - LAST) : steps])]
    return f"{100 * statistics.fmean(means):.1f}" if means else ""


def keep_costs(runs: Sequence[TrainingRun], path: Path) -> None:
    """Write the seconds of the steps of short runs, by arm, with the commits that they ran at.

    Raises: BadInput, for a run without a step after the first.
    """
    seconds: dict[str, list[float]] = {}
    for run in runs:
        times = read_curve(run.name, [run.metrics], "time/step").seeds[0][READY:]
        if not times:
            raise BadInput(f"{run.path} has {run.num_steps} steps: at least {READY + 1} are needed for a cost")
        seconds.setdefault(run.arm.name, []).extend(round(time, 3) for time in times)
    commits = sorted({run.commit for run in runs})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"commits": commits, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")


def kept_costs(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    """The commits, and the seconds of steps by arm. Raises: BadInput, where nothing was measured."""
    if not path.exists():
        raise BadInput(f"{path} is not there: give the command without --only-report")
    kept = json.loads(path.read_text(encoding="utf-8"))
    return kept["commits"], kept["seconds"]
