"""What came of edits to a text, and the lines of a text."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Edited", "Stage", "lines_of"]

Stage = Literal["unread", "read", "named"]  # no edits; edits, but of something else; edits of the text


class Edited(NamedTuple):
    """A text with edits applied, or how far they came."""

    text: str | None  # None where not all of them apply
    reason: str = ""  # why not, for a person
    stage: Stage = "named"
    applied: int = 0  # hunks or blocks that apply, of those that change something
    total: int = 0
    so_far: str | None = None  # the text with those that apply, where not all do


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends. Only "\\n" ends a line, and the last may lack it.

    >>> lines_of("a\\r\\n\\u2028b\\nc")
    ['a\\r\\n', '\\u2028b\\n', 'c']
    """
    *whole, rest = text.split("\n")
    lines = [f"{line}\n" for line in whole]
    return [*lines, rest] if rest else lines
