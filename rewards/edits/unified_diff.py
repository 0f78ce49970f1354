"""Reads a unified diff of one file, as strictly as `git apply` does and stricter where git passes things over.

The counts in a hunk's header must be right, and every hunk must change something. Before the hunks stand `--- a/FILE`
and `+++ b/FILE`, perhaps with git's `diff --git` and `index` lines before them; after them nothing but empty lines.
Refused are other lines, other files, files that are made, deleted or renamed, and binary patches. An empty line in a
hunk is an empty line of context, as for git.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rewards.edits.edited import Edited
from rewards.edits.hunks import Hunk, apply_hunks

__all__ = ["Diff", "NotADiff", "apply_diff", "read_diff"]

NUMBER = "[0-9]{1,9}"  # git's own numbers run over
HEADER = re.compile(rf"@@ -({NUMBER})(?:,({NUMBER}))? \+({NUMBER})(?:,({NUMBER}))? @@")
INDEX = re.compile(r"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: 100644)?")
NO_NEWLINE = "\\ No newline at end of file"
SIDES = {" ": "-+", "-": "-", "+": "+"}  # that a line stands on, by its sign
SHOWN = 60  # characters of a line in a reason


class NotADiff(ValueError):
    """A text is no diff that can be applied; the message says why, and in which line."""


class Diff(NamedTuple):
    """A diff as it was read."""

    names: tuple[tuple[int, str], ...]  # the lines that name its file, each behind its number
    hunks: tuple[Hunk, ...]

    def misnamed(self, file: str) -> str:
        """Why it is no diff of a file; "" where it is."""
        wanted = {"diff": f"diff --git a/{file} b/{file}", "---": f"--- a/{file}", "+++": f"+++ b/{file}"}
        for number, line in self.names:
            right = wanted[line.partition(" ")[0]]
            if line != right:
                return f"line {number} is {_shown(line)} where {right!r} is wanted, the only file that there is"
        return ""


def apply_diff(diff: str, text: str, file: str) -> Edited:
    """A text with a unified diff applied.

    Args:
        diff: The diff, any text.
        text: What it changes.
        file: The name of the file that the text is.

    >>> apply_diff("--- a/f\\n+++ b/f\\n@@ -1,2 +1,2 @@\\n one\\n-two\\n+2\\n", "one\\ntwo\\n", "f").text
    'one\\n2\\n'
    """
    try:
        found = read_diff(diff)
    except NotADiff as error:
        return Edited(None, str(error), "unread")
    if problem := found.misnamed(file):
        return Edited(None, problem, "read", total=len(found.hunks))
    return apply_hunks(found.hunks, text)


def read_diff(text: str) -> Diff:
    """Read a unified diff. Raises: NotADiff."""
    *lines, rest = text.split("\n")
    if rest:
        raise NotADiff("the diff ends in the middle of a line")
    names, at = _names(lines)
    hunks: list[Hunk] = []
    while at < len(lines) and lines[at].startswith("@@ -"):
        reading = _Reading(lines, at, len(hunks) + 1)
        hunks.append(reading.hunk())
        at = reading.at
    if not hunks:
        raise NotADiff(f"line {at + 1} should be the first hunk's '@@ -1,3 +1,4 @@', and is {_line(lines, at)}")
    for number in range(at, len(lines)):
        if lines[number]:
            raise NotADiff(f"line {number + 1} stands in no hunk: {_shown(lines[number])}")
    return Diff(names, tuple(hunks))


def _names(lines: Sequence[str]) -> tuple[tuple[tuple[int, str], ...], int]:
    """The lines that name the file, and where the first hunk should stand."""
    names, at = [], 0
    if lines and lines[0].startswith("diff --git "):
        names.append((1, lines[0]))
        at = 2 if len(lines) > 1 and INDEX.fullmatch(lines[1]) else 1
    for sign in ("--- ", "+++ "):
        if at >= len(lines) or not lines[at].startswith(sign):
            raise NotADiff(f"line {at + 1} should name the file after {sign.strip()!r}, and is {_line(lines, at)}")
        names.append((at + 1, lines[at]))
        at += 1
    return tuple(names), at


class _Reading:
    """Reads one hunk."""

    def __init__(self, lines: Sequence[str], at: int, number: int) -> None:
        """Read the header.

        Args:
            lines: Of the diff, without their ends.
            at: The index of the header among them.
            number: Of the hunk, from 1.
        """
        match = HEADER.match(lines[at])
        if match is None:
            raise NotADiff(f"line {at + 1} is no header of a hunk: {_shown(lines[at])}")
        self._lines, self._header, self._number, self.at = lines, at + 1, number, at + 1
        self._starts = (int(match[1]), int(match[3]))
        self._left = {"-": int(match[2] or 1), "+": int(match[4] or 1)}
        self._sides: dict[str, list[str]] = {"-": [], "+": []}
        self._sign, self._changes = "", False

    def hunk(self) -> Hunk:
        """Read the lines that the header counts."""
        while any(self._left.values()):
            self._take()
        if not self._changes:
            raise NotADiff(f"hunk {self._number} in line {self._header} changes nothing")
        before, after = map(tuple, self._sides.values())
        return Hunk(self._number, *self._starts, before, after, is_followed=self._sign == " ")

    def _take(self) -> None:
        """Take a line, and the mark behind it where there is one."""
        line = self._lines[self.at] if self.at < len(self._lines) else "\\"
        self._sign = line[:1] or " "
        if self._sign not in SIDES:
            raise NotADiff(
                f"hunk {self._number} should have {max(self._left.values())} more lines by its header in line "
                f"{self._header}, and line {self.at + 1} is {_line(self._lines, self.at)}"
            )
        self._changes |= self._sign != " "
        self.at += 1
        for side in SIDES[self._sign]:
            if not self._left[side]:
                raise NotADiff(f"line {self.at} is more than the header of hunk {self._number} counts")
            self._left[side] -= 1
            if self._sides[side] and not self._sides[side][-1].endswith("\n"):
                raise NotADiff(f"line {self.at} follows one without a newline, which only the last line of a file is")
            self._sides[side].append(f"{line[1:]}\n")
        if self.at < len(self._lines) and self._lines[self.at].startswith("\\"):
            self._unfinish(self._lines[self.at], is_empty=not line[1:])

    def _unfinish(self, mark: str, *, is_empty: bool) -> None:
        """Take the mark that the line before it has no newline."""
        self.at += 1
        if mark != NO_NEWLINE or is_empty:
            raise NotADiff(f"line {self.at} is {_shown(mark)}, which says nothing of the line before it")
        for side in SIDES[self._sign]:
            self._sides[side][-1] = self._sides[side][-1].removesuffix("\n")


def _line(lines: Sequence[str], at: int) -> str:
    """A line for a person, or that there is none."""
    return _shown(lines[at]) if at < len(lines) else "missing"


def _shown(line: str) -> str:
    return ascii(line[:SHOWN])
