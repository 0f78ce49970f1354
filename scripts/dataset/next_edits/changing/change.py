"""A change of a program as edits in their order, and the file as it is between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rewards.line_edits.edit import LineEdit, lines_of, with_edits

__all__ = ["Change", "in_order"]


@dataclass(frozen=True)
class Change:
    """Edits that turn a program into another one, in the order in which they are made.

    >>> change = Change("rename", "a\\nb\\nc\\n", (LineEdit(1, 1, "A\\nA\\n"), LineEdit(3, 3, "C\\n")), {})
    >>> change.file(1), change.remaining(1)
    ('A\\nA\\nb\\nc\\n', [LineEdit(first=4, last=4, text='C\\n')])
    """

    kind: str
    program: str
    edits: tuple[LineEdit, ...]  # all count the lines of `program`, and no two of them touch
    gold: Mapping[str, Any]  # the gold tests of the finished program, by column

    def file(self, num_made: int) -> str:
        """The program after the first edits."""
        return with_edits(self.program, self.edits[:num_made])

    def remaining(self, num_made: int) -> list[LineEdit]:
        """The edits after the first ones; they count the lines of `file(num_made)`."""
        made, shifted = self.edits[:num_made], []
        for edit in self.edits[num_made:]:
            shift = _shift(made, edit)
            shifted.append(replace(edit, first=edit.first + shift, last=edit.last + shift))
        return shifted

    def recent(self, num_made: int, most: int) -> list[dict[str, Any]]:
        """The last of the first edits, the oldest first: where in `file(num_made)` each begins, old and new text."""
        made, lines = self.edits[:num_made], lines_of(self.program)
        return [
            {
                "line": edit.first + _shift(made, edit),
                "old": "".join(lines[edit.first - 1 : edit.last]),
                "new": edit.text,
            }
            for edit in made[-most:]
        ]


def in_order(edits: Iterable[LineEdit], start: int) -> tuple[LineEdit, ...]:
    """Edits from a line downwards, and after these those above it.

    >>> [edit.first for edit in in_order([LineEdit(n, n, "") for n in (2, 5, 9)], 5)]
    [5, 9, 2]
    """
    return tuple(sorted(edits, key=lambda edit: (edit.first < start, edit.first)))


def _shift(made: Sequence[LineEdit], edit: LineEdit) -> int:
    """By how many lines edits above it have moved one."""
    return sum(other.growth for other in made if other.first < edit.first)
