"""What a simulation says: steps per hour, what idled, and what everything waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grpo.schema import ConfigError
from simulating.costs import PipelineCosts
from simulating.pipeline import PARTS, Shape, SimulatedRun

__all__ = ["SimulatedOutcome", "as_table", "simulate"]

WARM_UP = 2  # steps that are not counted, and as many more as are sampled ahead


@dataclass(frozen=True)
class SimulatedOutcome:
    """A simulated run, its first and last steps left out."""

    gpus: int
    ranks: int
    engines: int
    cores: int
    jobs: int
    completions: int  # of a step
    steps_per_hour: float
    idle: dict[str, float]  # shares of the time
    spent: dict[str, float]  # seconds of a step by PARTS
    source: str

    @property
    def bottleneck(self) -> str:
        """What a step spends most of its time on."""
        return max(self.spent, key=lambda part: self.spent[part])

    @property
    def completions_per_hour(self) -> float:
        """Completions that are trained on."""
        return self.steps_per_hour * self.completions


def simulate(shape: Shape, costs: PipelineCosts, *, steps: int, seed: int) -> SimulatedOutcome:
    """Run a simulation.

    Args:
        shape: Who waits for whom, and where.
        costs: How long everything takes.
        steps: That are counted.
        seed: Of what is drawn; the same seed gives the same outcome.

    Raises:
        ConfigError: For costs by which a step takes no time.
    """
    first = WARM_UP + shape.overlap
    last = first + steps
    run = SimulatedRun(shape, costs, steps=last + shape.overlap, seed=seed)  # nothing is sampled ahead of the last ones
    run.run()
    seconds = run.ends[last - 1] - run.ends[first - 1]
    if not seconds:
        raise ConfigError(f"{costs.source}: by these rates a step takes no time; give at least one that is above 0")
    whole = {"trainer": 1, "engines": shape.division.engines, "workers": shape.jobs}
    used = {name: run.used[last - 1][name] - run.used[first - 1][name] for name in whole}
    return SimulatedOutcome(
        gpus=shape.division.gpus if shape.on_gpus else 0,
        ranks=shape.division.ranks,
        engines=shape.division.engines,
        cores=shape.cores,
        jobs=shape.jobs,
        completions=shape.prompts * shape.group_size,
        steps_per_hour=3600 * steps / seconds,
        idle={name: max(0.0, 1 - used[name] / seconds / whole[name]) for name in whole},
        spent={part: float(np.mean([spent[part] for spent in run.spent[first:last]])) for part in PARTS},
        source=costs.source,
    )


def as_table(outcomes: Sequence[SimulatedOutcome]) -> str:
    """Outcomes as a table for a terminal, a line each."""
    head = ("GPUs", "train", "engines", "cores", "completions", "steps/h", "completions/h", "idle: trainer", "engines")
    rows: list[tuple[str, ...]] = [(*head, "workers", "most time in")]
    for one in outcomes:
        idle = (f"{one.idle[name]:.0%}" for name in ("trainer", "engines", "workers"))
        sizes = (f"{size:,}" for size in (one.gpus, one.ranks, one.engines, one.cores, one.completions))
        speed = (f"{one.steps_per_hour:,.1f}", f"{one.completions_per_hour:,.0f}")
        share = one.spent[one.bottleneck] * one.steps_per_hour / 3600
        rows.append((*sizes, *speed, *idle, f"{one.bottleneck} ({share:.0%})"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(lines)
