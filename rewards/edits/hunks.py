"""Applies hunks to a text as `git apply` does: where their lines stand, or as near to it as they are found.

The lines that a hunk needs must be there exactly. The search goes from the line that the header names outwards, below
before above. A hunk at line 1 must be at the start, one without context behind its change at the end. What one hunk has
written, its context included, no later one may need. A search ends after `SEARCHED` lines, which hostile diffs alone
reach: that keeps the time linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rewards.edits.edited import Edited, lines_of

__all__ = ["Hunk", "apply_hunks"]

SEARCHED = 500_000  # lines that are compared beside the places that headers name, by all hunks of a diff
SHOWN = 60  # characters of a line in a reason


@dataclass(frozen=True)
class Hunk:
    """Lines, with their ends, to be replaced by others."""

    number: int  # in its diff, from 1
    old_start: int  # as its header says
    new_start: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    is_followed: bool  # whether it ends with context

    @property
    def at_start(self) -> bool:
        """Whether it must stand at the start of the text."""
        return self.old_start <= 1

    @property
    def at_end(self) -> bool:
        """Whether it must stand at the end."""
        return not self.is_followed


def apply_hunks(hunks: Sequence[Hunk], text: str) -> Edited:
    """A text with all hunks applied, in their order. Those behind one that fails are tried too, to be counted.

    Not counted, though applied, are hunks whose lines are the same before and after.
    """
    text_lines = lines_of(text)
    image = _Image(text_lines)
    failed = [hunk for hunk in hunks if not image.apply(hunk)]
    total, lost = (sum(hunk.before != hunk.after for hunk in some) for some in (hunks, failed))
    if failed:
        reason = _why_not(failed[0], text_lines)
        return Edited(None, reason, applied=total - lost, total=total, so_far="".join(image.lines))
    return Edited("".join(image.lines), applied=total, total=total)


class _Image:
    """The lines of a text that hunks change."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        self._free: list[str | None] = list(lines)  # None for what a hunk has written
        self._left = SEARCHED

    def apply(self, hunk: Hunk) -> bool:
        """Apply a hunk where it fits; whether it does."""
        place = next((place for place in self._places(hunk) if self._fits(hunk, place)), None)
        if place is None:
            return False
        end = place + len(hunk.before)
        self.lines[place:end] = hunk.after
        self._free[place:end] = [None] * len(hunk.after)
        return True

    def _fits(self, hunk: Hunk, place: int) -> bool:
        """Whether the lines that a hunk needs stand at a place, untouched."""
        if hunk.before and self._free[place] != hunk.before[0]:
            return False
        self._left -= len(hunk.before)
        return tuple(self._free[place : place + len(hunk.before)]) == hunk.before

    def _places(self, hunk: Hunk) -> Iterator[int]:
        """Where a hunk may stand, the likeliest first."""
        last = len(self.lines) - len(hunk.before)
        if hunk.at_start or hunk.at_end:
            place = 0 if hunk.at_start else last
            if 0 <= place <= last and (place == last or not hunk.at_end):
                yield place
            return
        start = min(max(hunk.new_start - 1, 0), len(self.lines))
        for distance in range(max(start, last - start) + 1):
            for place in dict.fromkeys((start + distance, start - distance)):
                if 0 <= place <= last:
                    yield place
                    self._left -= 1
            if self._left < 0:
                return


def _why_not(hunk: Hunk, text: Sequence[str]) -> str:
    """Why a hunk does not apply, for a person: the first line that is not as it needs it, if there is one."""
    start = max(hunk.old_start - 1, 0)
    for number, line in enumerate(hunk.before, start):
        if number >= len(text):
            return f"hunk {hunk.number} reaches to line {number + 1}, and the file has {len(text)} lines"
        if text[number] != line:
            found, wanted = ascii(text[number][:SHOWN]), ascii(line[:SHOWN])
            return f"context of hunk {hunk.number} does not match at line {number + 1}: {wanted} is {found} in the file"
    if hunk.at_end and start + len(hunk.before) != len(text):
        return f"hunk {hunk.number} has no context behind its change, and does not end where the file ends"
    return f"hunk {hunk.number} needs lines that a hunk before it has changed"
