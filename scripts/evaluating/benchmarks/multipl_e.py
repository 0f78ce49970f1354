"""MultiPL-E: HumanEval and MBPP translated to Rust. Columns name, prompt (an open function), tests (its closing brace,
then a `main` of asserts). Its licence allows evaluation, no training: `grpo_rust.compose.evaluation_only` sees to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evaluating.benchmarks.tasks import BenchmarkTask, TaskList, asks, in_module, tests_with_imports

__all__ = ["multipl_e"]

CLOSING = "}\n"
MAIN = "fn main() {"
NAMES = {"HashMap": "std::collections::HashMap"}


def multipl_e(rows: Iterable[Mapping[str, Any]]) -> TaskList:
    """The tasks of rows; they have no reference solutions."""
    found = TaskList()
    for row in rows:
        tests = row["tests"].lstrip().removeprefix(CLOSING.strip()).strip()
        if not tests.startswith(MAIN):
            found.skipped[row["name"]] = "its tests are no main function"
            continue
        module = in_module(f"#[test]\n{tests.replace(MAIN, 'fn passes() {', 1)}")
        prompt = asks("Complete this Rust program.", row["prompt"])
        found.tasks.append(BenchmarkTask(row["name"], prompt, tests_with_imports(module, NAMES)))
    return found
