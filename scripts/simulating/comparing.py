"""Simulated runs beside the real ones: how far off the simulation is, in all and by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from grpo.schema import ConfigError
from grpo_rust.scaling.division import Division
from simulating.measured import TimedRun, measured_costs
from simulating.outcome import simulate
from simulating.shapes import shape_of

__all__ = ["Compared", "compare", "comparison_table"]

LOGGED = {"sampling": "wait_engine", "grading": "wait_rewards", "training": "train", "new weights": "sync"}


class Compared(NamedTuple):
    """A finished run: steps per hour as measured and as simulated, and the seconds of a step by part of both."""

    run: str
    measured: float
    simulated: float
    measured_parts: dict[str, float]
    simulated_parts: dict[str, float]

    @property
    def error(self) -> float:
        """How much more steps are simulated than were made, as a share.

        >>> Compared("", 100.0, 90.0, {}, {}).error
        -0.1
        """
        return round(self.simulated / self.measured - 1, 6)


def compare(
    rates: Sequence[TimedRun], runs: Sequence[TimedRun], *, cores: int, steps: int, seed: int
) -> list[Compared]:
    """Simulate the recipes of finished runs.

    Args:
        rates: Runs that the costs are from.
        runs: Other runs.
        cores: Of the machine that both ran on.
        steps: To simulate.
        seed: Of what is drawn.

    Raises:
        ConfigError: For a run among both: that would prove nothing.
    """
    if both := {run.path.resolve() for run in rates} & {run.path.resolve() for run in runs}:
        raise ConfigError(
            f"{', '.join(map(str, both))} gives the rates and is to be compared: that would prove nothing"
        )
    found = []
    for run in runs:
        shape = shape_of(run.recipe, Division(1), cores=cores, on_gpus=run.on_gpu)
        outcome = simulate(shape, measured_costs(rates, run.recipe), steps=steps, seed=seed)
        logged = {part: _mean(run, f"time/{name}") for part, name in LOGGED.items()}
        found.append(Compared(run.path.name, run.steps_per_hour, outcome.steps_per_hour, logged, outcome.spent))
    return found


def _mean(run: TimedRun, metric: str) -> float:
    return float(np.mean([step.get(metric) or 0.0 for step in run.metrics.values()]))


def comparison_table(compared: Sequence[Compared]) -> str:
    """The comparison as a table for a terminal: steps per hour, and seconds of a step as measured / as simulated."""
    rows = [("run", "measured", "simulated", "off by", *LOGGED)]
    for one in compared:
        parts = [f"{one.measured_parts[part]:.2f} / {one.simulated_parts[part]:.2f}" for part in LOGGED]
        rows.append((one.run, f"{one.measured:.1f}", f"{one.simulated:.1f}", f"{one.error:+.1%}", *parts))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
