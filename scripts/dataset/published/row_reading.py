"""The published rows as they are read: which of them hold what a task is made of, and a name for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grpo.errors import BadInput
from sandbox.terminal import plain

__all__ = ["ReadRows", "read_published"]

NEEDED = ("rust_prompt", "rust_code", "rust_test_list")
LONGEST_NAME = 200  # characters


@dataclass
class ReadRows:
    """The rows that tasks can be made of, each with a task_id of its own, and why the others are none, by name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    malformed: dict[str, str] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        """How many were read."""
        return len(self.rows) + len(self.malformed)


def read_published(rows: Iterable[Mapping[str, Any]], sources: str) -> ReadRows:
    """Tell rows that can become tasks from others.

    A row without a task_id is named by its number. One whose fields cannot be used is left out, for a reason that can
    be counted: it says nothing about the others.

    Args:
        rows: With all of their columns.
        sources: What an error calls the files.
    Raises: BadInput, where no row has one of the needed columns, or two rows have one name.
    """
    given = [dict(row) for row in rows]
    there = {column: None for row in given for column in row}  # a dictionary keeps their order
    if given and (missing := [name for name in NEEDED if name not in there]):
        columns = ", ".join(there) or "none"
        raise BadInput(f"{sources}: no row has {missing[0]}; the columns are {columns}. Give {', '.join(NEEDED)}")
    found = ReadRows()
    taken = {_name(row) for row in given}
    for number, row in enumerate(given):
        name = _name(row) or (str(number) if str(number) not in taken else f"row-{number}")
        if problem := _problem(row):
            found.malformed[f"row-{number}"] = problem
        else:
            found.rows.append({**row, "task_id": name})
    twice = [name for name, count in Counter(row["task_id"] for row in found.rows).items() if count > 1]
    if twice:
        raise BadInput(f"{sources}: several rows have the task_id {twice[0]!r}; make them unique")
    return found


def _name(row: Mapping[str, Any]) -> str:
    """What a row calls itself; "" where it does not."""
    name = row.get("task_id")
    return "" if name is None else str(name)


def _problem(row: Mapping[str, Any]) -> str:
    """Why no task can be made of a row; "" where one can."""
    name = row.get("task_id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, str | int | float)):
        return "a task_id that is neither text nor a number"
    text = _name(row)
    if plain(text) != text or {"\n", "\t"} & set(text) or len(text) > LONGEST_NAME:
        return f"a task_id with line breaks, hidden characters, or more than {LONGEST_NAME} characters"
    for column in ("rust_prompt", "rust_code"):
        if not isinstance(row.get(column), str) or not row[column].strip():
            return f"{column} is no text, or empty"
    return "" if row.get("rust_test_list") else "no rust_test_list"
