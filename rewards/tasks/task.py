"""What a task says of itself: its columns, its prompt, how an answer becomes a program, and what of it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["Block", "Extracted", "Judged", "Row", "Task"]

Block = Literal["first", "last"]  # which of an answer's code blocks is its program
Row = Mapping[str, Any]  # of the data, by column
Judged = Literal["program", "block", "tests"]  # of an answer: its program, its one code block, its own tests


class Extracted(NamedTuple):
    """The program in an answer."""

    code: str | None  # None: there is none
    reason: str = ""  # why there is none, for a person


def _no_facts(text: str, row: Row, code: str | None) -> Mapping[str, float | None]:
    return {}


@dataclass(frozen=True)
class Task:
    """A kind of question, and how answers to it are read.

    `extract` and `facts` get the model's text, which is hostile: they take any text in linear time and raise nothing.
    """

    name: str  # in the column `task` of the data
    gives: frozenset[Judged]  # what of an answer can be judged; a reward that judges something else scores None
    extract: Callable[[str, Row, Block], Extracted]  # from an answer, its row, and which code block counts
    columns: Mapping[str, str]  # columns that a row must have as text, and what each of them holds
    prompt: Callable[[Row], str] | None = None  # the user's message; None: the row's own prompt
    system_prompt: str = ""  # the message before it, where the recipe asks for one; "": as every row has
    again: str = "Correct it, and answer in the same form."  # what a user asks after a failure, where there are turns
    problem: Callable[[Row], str] = lambda row: ""  # what else is wrong with a row, in words; "" for nothing
    facts: Callable[[str, Row, str | None], Mapping[str, float | None]] = _no_facts
    """Facts to average over answers, from the text, its row and the program: names as of a grade's `checks`.

    Each is a share, 0 to 1, or a number of tokens and its name ends in `_tokens`.
    """
    kind: Callable[[Row], str] = lambda row: ""
    """Which kind of this task a row is, as one word: gold tests and facts are averaged by it too; "" for none."""
    answer: Callable[[Row], str] | None = None  # the right answer, to imitate; None: the row's own `completion`
    infill: Callable[[Row], tuple[str, str]] | None = None
    """What stands before and after the answer, for models with tokens of their own for that; None: no such task."""

    def row_problem(self, row: Row) -> str:
        """What is wrong with a row of this task, to stand behind its number; "" for nothing.

        >>> def nothing(text, row, block): return Extracted(None)
        >>> Task("repair", frozenset(), nothing, {"broken": "the program to repair"}).row_problem({"broken": " "})
        "has no text in column 'broken', the program to repair, which the task repair needs"
        """
        for name, meaning in self.columns.items():
            value = row.get(name)
            if not isinstance(value, str) or not value.strip():
                return f"has no text in column {name!r}, {meaning}, which the task {self.name} needs"
        return self.problem(row)
