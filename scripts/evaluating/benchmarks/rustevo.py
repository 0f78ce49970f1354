"""RustEvo2: functions that need an API of some version of Rust. Columns task_idx, query, function_signature, code,
test_program. Two thirds are about the standard library; tasks about other crates are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evaluating.benchmarks.tasks import BenchmarkTask, TaskList, asks, crates_in, in_module

__all__ = ["rustevo"]


def rustevo(rows: Iterable[Mapping[str, Any]]) -> TaskList:
    """The tasks of rows."""
    found = TaskList()
    for row in rows:
        name, tests = f"rustevo-{row['task_idx']}", row["test_program"]
        crates = crates_in(row["code"]) | crates_in(tests)
        if crates:
            found.skipped[name] = f"it needs the crate {min(crates)}"
        elif "#[test]" not in tests:
            found.skipped[name] = "its tests are no test functions"
        else:
            is_module = tests.lstrip().startswith(("#[cfg(test)]", "mod "))
            module = tests if is_module else in_module(tests)  # its imports may be the program's too
            prompt = asks(row["query"], row["function_signature"])
            found.tasks.append(BenchmarkTask(name, prompt, module, row["code"]))
    return found
