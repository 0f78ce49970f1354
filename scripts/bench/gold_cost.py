"""Measures what gold tests cost: values compared outside the program, and the same tests run inside it by libtest.

    PYTHONPATH=.:scripts python -m bench.gold_cost [--rows N] [--repeats N]

Both ways judge the shipped evaluation tasks with their references and with a body that panics, in turn, by the backends
`batch` and `direct`. CPU seconds are those of this process and of everything below it.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rewards.gold.run import gold_result, gold_run, submit_gold
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

TASKS = Path(__file__).resolve().parents[2] / "assets" / "tasks" / "eval.jsonl"
Way = Callable[[SandboxPool, Sequence[str], Sequence[dict[str, Any]]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what gold tests cost.")
    parser.add_argument("--rows", type=int, default=100, metavar="N", help="tasks")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="turns of each way")
    arguments = parser.parse_args(argv)
    rows = [json.loads(line) for line in TASKS.read_text(encoding="utf-8").splitlines()[: arguments.rows]]
    right = [str(row["reference"]) for row in rows]
    wrong = [code[: code.index("{\n", code.index("fn ")) + 2] + "    panic!()\n}\n" for code in right]
    ways: dict[str, Way] = {"inside": _inside, "outside": _outside}
    for backend in ("batch", "direct"):
        for name, codes in (("references", right), ("wrong", wrong)):
            found = [[_measured(way, backend, codes, rows) for way in ways.values()] for _ in range(arguments.repeats)]
            seconds = [[run[place][0] for run in found] for place in range(len(ways))]
            counts = {run[place][1] for run in found for place in range(len(ways))}
            inside, outside = (1e3 * median(times) / len(rows) for times in seconds)
            ratio = outside / inside
            print(
                f"{backend:7} {name:11} {inside:6.1f} {outside:6.1f} ms a program, ratio {ratio:.2f}, passed {counts}"
            )
    return 0


def _measured(way: Way, backend: str, codes: Sequence[str], rows: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """CPU seconds, and how many programs passed."""
    before = sum(os.times()[:4])
    with SandboxPool(jobs=1, backend=backend) as pool:
        passed = way(pool, codes, rows)
    return sum(os.times()[:4]) - before, passed


def _inside(pool: SandboxPool, codes: Sequence[str], rows: Sequence[dict[str, Any]]) -> int:
    """A test module after the code, run by libtest."""
    futures = [
        pool.submit(f"{code}\n{row['gold_tests']}", phases=("test",)) for code, row in zip(codes, rows, strict=True)
    ]
    return sum(future.result().test is True for future in futures)


def _outside(pool: SandboxPool, codes: Sequence[str], rows: Sequence[dict[str, Any]]) -> int:
    """Calls, whose values are compared here."""
    runs = [run for code, row in zip(codes, rows, strict=True) if (run := gold_run(code, row)) is not None]
    futures = [submit_gold(run, pool) for run in runs]
    return sum(gold_result(run, future.result()).ok for run, future in zip(runs, futures, strict=True))


if __name__ == "__main__":
    raise SystemExit(main())
