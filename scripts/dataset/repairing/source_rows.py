"""Right programs with gold tests, from the rows of a data set.

`reference` or `rust_code` holds the program; tests in it are taken out, as the row's gold tests judge repairs. Rows
without such a program, and programs that are there twice, are left out by reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rewards.gold.rows import GOLD_COLUMNS, gold_problem, has_gold_tests
from rewards.rust.parse import parse, without_tests

__all__ = ["SourceProgram", "SourcePrograms", "gold_of", "read_programs"]

PROGRAMS = ("reference", "rust_code")
NAME_DIGITS = 12  # of the hash that names a program


@dataclass(frozen=True)
class SourceProgram:
    """A program that is said to be right."""

    name: str  # the task_id of its row
    text: str
    gold: Mapping[str, Any]  # its row's gold tests by column; empty where it has none
    request: str = ""  # what it is for

    @property
    def key(self) -> str:
        """The same for programs of the same text: rows that are made of it stay together in one split."""
        return hashlib.sha256(self.text.encode(errors="replace")).hexdigest()[:NAME_DIGITS]


@dataclass
class SourcePrograms:
    """The programs of some rows, and why others have none, by reason."""

    programs: list[SourceProgram] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def num_rows(self) -> int:
        """How many rows were read."""
        return len(self.programs) + self.skipped.total()


def read_programs(rows: Iterable[Mapping[str, Any]], *, longest: int) -> SourcePrograms:
    """The programs of rows, each text once.

    Args:
        rows: Of a data set.
        longest: Characters of a program at most.
    """
    found, seen = SourcePrograms(), set()
    for number, row in enumerate(rows):
        program = _program(row, number)
        reason = program if isinstance(program, str) else "a program of an earlier row" * (program.key in seen)
        if isinstance(program, SourceProgram) and len(program.text) > longest:
            reason = f"a program of more than {longest} characters"
        if reason or isinstance(program, str):
            found.skipped[reason] += 1
        else:
            seen.add(program.key)
            found.programs.append(program)
    return found


def gold_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The gold tests of a row by column; empty where it has none. Raises: ValueError, as `gold_row`."""
    return {column: row[column] for column in GOLD_COLUMNS if row.get(column)} if has_gold_tests(row) else {}


def _program(row: Mapping[str, Any], number: int) -> SourceProgram | str:
    """The program of a row, or why it has none."""
    text = next((row[column] for column in PROGRAMS if isinstance(row.get(column), str) and row[column].strip()), None)
    if text is None:
        return f"no program in {' or '.join(PROGRAMS)}"
    if gold_problem(row):
        return "gold tests that cannot be read"
    gold = gold_of(row)
    text = without_tests(text, parse(text)).strip() + "\n" if gold else text.strip() + "\n"
    request = row.get("text") or row.get("prompt") or row.get("rust_prompt")
    name = row.get("task_id")
    return SourceProgram(str(number if name is None else name), text, gold, request if isinstance(request, str) else "")
