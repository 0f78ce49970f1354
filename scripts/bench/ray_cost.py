"""Measures what Ray costs a program: a Ray of its own on this machine beside a local pool, in turns.

    PYTHONPATH=.:scripts python -m bench.ray_cost [--programs N] [--refused N] [--repeats N] [--jobs N]

Three figures of each way, medians over the turns. One at a time: the round trip of a program that is refused for its
size without being compiled, which is the way there and back and nothing else. All at once: the same for many. Graded:
different programs, half of them with a planted mistake, all submitted at once and nothing cached. Which way begins
changes from turn to turn; starting and stopping counts for neither.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cross_cost import draw_groups
from sandbox.cluster.ray_pool import RayPool
from sandbox.limits import Limits
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool, TaskPool

__all__ = ["main"]

LIMITS = Limits(source_kb=4)
ROUND_TRIPS = 50


@dataclass(frozen=True)
class RayCost:
    """Of one turn of one way."""

    round_trip_ms: float
    refused_ms: float  # a program, of many at once
    graded_ms: float  # a program


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what Ray costs a program.")
    parser.add_argument("--programs", type=int, default=128, metavar="N", help="that are graded in a turn")
    parser.add_argument("--refused", type=int, default=1000, metavar="N", help="that are refused in a turn, at once")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="turns of each way")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="workers")
    arguments = parser.parse_args(argv)
    ways: dict[str, Callable[[], TaskPool]] = {
        "local pool": lambda: SandboxPool(arguments.jobs, LIMITS),
        "Ray": lambda: RayPool(jobs=arguments.jobs, limits=LIMITS),
    }
    turns: dict[str, list[RayCost]] = {name: [] for name in ways}
    for number in range(arguments.repeats):
        for name, way in list(ways.items())[:: 1 if number % 2 == 0 else -1]:
            with way() as pool:
                turns[name].append(measured(pool, arguments.refused, arguments.programs))
    print(f"{arguments.programs} programs, {arguments.repeats} turns, load {os.getloadavg()[0]:.1f}")
    for name, found in turns.items():
        trip, refused, graded = (
            median(values)
            for values in zip(*((one.round_trip_ms, one.refused_ms, one.graded_ms) for one in found), strict=True)
        )
        range_ms = f"{min(one.graded_ms for one in found):.1f} to {max(one.graded_ms for one in found):.1f}"
        print(
            f"{name:10} round trip {trip:6.2f} ms; all at once {refused:6.2f} ms a program; "
            f"graded {graded:6.1f} ms a program ({range_ms})"
        )
    return 0


def measured(pool: TaskPool, refused: int, programs: int) -> RayCost:
    """One turn."""
    too_large = [f"// {number}\n{' ' * (LIMITS.source_kb << 10)}" for number in range(ROUND_TRIPS + refused)]
    trips = [_seconds(pool, [source]) for source in too_large[:ROUND_TRIPS]]
    at_once = _seconds(pool, too_large[ROUND_TRIPS:]) / max(1, refused)
    return RayCost(1e3 * median(trips), 1e3 * at_once, 1e3 * _seconds(pool, draw_programs(programs)) / programs)


def draw_programs(count: int) -> list[str]:
    """Different programs."""
    drawn = [source for group in draw_groups(8, mistaken=0.5, seed=0) for source in group]
    return [f"const _: usize = {number};\n{drawn[number % len(drawn)]}" for number in range(count)]


def _seconds(pool: TaskPool, sources: Sequence[str]) -> float:
    """From sending programs to their last verdict. Raises: RuntimeError where the host failed."""
    started = time.perf_counter()
    for future in [pool.submit(source) for source in sources]:
        verdict = future.result()
        if verdict.outcome is Outcome.HOST_ERROR:
            raise RuntimeError(f"the host failed: {verdict.reason}")
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
