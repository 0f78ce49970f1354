"""The rows of repair tasks, and why a program is no row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataset.repairing.mistakes import SYNTAX
from dataset.repairing.planting import Planted
from dataset.repairing.proving import Tried
from rewards.repairing.messages import Style, error_text
from rewards.repairing.wording import right_answer

__all__ = ["Shown", "planted_problem", "planted_row", "repair_row"]


@dataclass(frozen=True)
class Shown:
    """How much of what is wrong a row shows, and how."""

    style: Style = "terminal"
    limit: int = 4000  # characters of diagnostics, and of failures
    request: bool = False  # whether planted rows have the request of their program


def repair_row(
    name: str, program: str, broken: str, found: Tried, gold: Mapping[str, Any], shown: Shown, **more: str
) -> dict[str, Any]:
    """A row.

    Args:
        name: Its task_id.
        program: What it was made of.
        broken: The program to repair.
        found: What the sandbox says of it.
        gold: The gold tests of a repair, by column.
        shown: What of that the row shows.
        more: Further columns.
    """
    said = error_text(found.errors, shown.style, source=broken, limit=shown.limit) if not found.builds else ""
    row = {"task_id": name, "task": "repair", "broken": broken, "diagnostics": said, "errors": found.codes}
    if found.failures:
        row["failures"] = cut_at_lines(found.failures, shown.limit)
    return {**row, **more, "program": program, **gold}


def planted_row(one: Planted, number: int, found: Tried, shown: Shown) -> dict[str, Any]:
    """The row of a planted mistake; `number` counts from 1 within its program and code."""
    name = f"{one.source.name}-{one.code}" + (f"-{number}" if number > 1 else "")
    more = {"code": one.code, "completion": right_answer(one.pair.right)}
    if shown.request and one.source.request:
        more["request"] = one.source.request
    return repair_row(name, one.source.key, one.pair.broken, found, one.source.gold, shown, **more)


def planted_problem(one: Planted, right: Tried, found: Tried) -> str:
    """Why a planted mistake is no row, in words that can be counted; "" where the compiler gives the code aimed at.

    Args:
        one: The mistake.
        right: What the sandbox says of the right answer.
        found: What it says of the broken program.
    """
    if right.problem or not right.builds or right.gold is False:
        return "its right answer fails"
    if found.problem:
        return found.problem
    if found.builds:
        return "it builds with the mistake in it"
    wanted = "" if one.code == SYNTAX else one.code
    return "" if wanted in found.codes else "the compiler gives another error"


def cut_at_lines(text: str, limit: int) -> str:
    """The end of a text, from the beginning of a line.

    >>> cut_at_lines("first\\nsecond\\nthird", 9)
    '...\\nthird'
    """
    return text if len(text) <= limit else "...\n" + text[-limit:].partition("\n")[2]
