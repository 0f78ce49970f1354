"""One edit of whole lines, and applying several that do not touch each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["LineEdit", "lines_of", "with_edits"]


@dataclass(frozen=True)
class LineEdit:
    """The lines from `first` to `last` of a file become `text`."""

    first: int  # counted from 1
    last: int  # itself included
    text: str  # whole lines, each with its end; "" takes the lines away

    def touches(self, other: LineEdit) -> bool:
        """Whether both replace a line that is the same."""
        return self.first <= other.last and other.first <= self.last

    @property
    def growth(self) -> int:
        """How many lines the file has more with it."""
        return len(lines_of(self.text)) - (self.last - self.first + 1)


def lines_of(text: str) -> list[str]:
    r"""The lines of a text, each with its end. Only "\n" ends a line, as the compiler counts them.

    >>> lines_of("a\n\nb\x0bc")
    ['a\n', '\n', 'b\x0bc']
    """
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def with_edits(file: str, edits: Iterable[LineEdit]) -> str:
    r"""A file after edits, all of which count its lines as they are before.

    Args:
        file: Its text.
        edits: In any order; no two of them touch.

    >>> with_edits("a\nb\nc\n", [LineEdit(3, 3, "x\ny\n"), LineEdit(1, 2, "")])
    'x\ny\n'
    """
    lines, parts, place = lines_of(file), [], 0
    for edit in sorted(edits, key=lambda one: one.first):
        parts += [*lines[place : edit.first - 1], edit.text]
        place = edit.last
    return "".join([*parts, *lines[place:]])
