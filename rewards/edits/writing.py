"""Writes the edits that turn one text into another, for right answers: both texts are data, no model wrote them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from rewards.edits.edited import lines_of
from rewards.edits.search_replace import DIVIDER, REPLACE, SEARCH, apply_search_replace
from rewards.edits.unified_diff import NO_NEWLINE

__all__ = ["diff_of", "search_replace_of"]

CONTEXT = 3  # lines around a change, as git has them


class ChangedLines(NamedTuple):
    """Lines of one text that stand where other lines of another text do."""

    first: int
    last: int  # one beyond
    new_first: int
    new_last: int


def diff_of(before: str, after: str, file: str) -> str:
    """The unified diff from one text to another; empty where they are equal.

    >>> print(diff_of("one\\ntwo\\n", "one\\n2", "f"), end="")
    --- a/f
    +++ b/f
    @@ -1,2 +1,2 @@
     one
    -two
    +2
    \\ No newline at end of file
    """
    lines = difflib.unified_diff(lines_of(before), lines_of(after), f"a/{file}", f"b/{file}", n=CONTEXT)
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n" for line in lines)


def search_replace_of(before: str, after: str) -> str:
    """The search/replace blocks from one text to another, with as little context as makes each search text unique.

    Raises: ValueError, where no blocks can say it: for equal texts, or where a line of them is a marker.
    """
    old, new = lines_of(before), lines_of(after)
    found = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changes = [ChangedLines(*places) for tag, *places in found if tag != "equal"]
    for context in range(len(old) + 1):
        blocks = []
        for first, last, new_first, new_last in _joined(changes, 2 * context):
            lead, tail = min(context, first), min(context, len(old) - last)
            search = "".join(old[first - lead : last + tail])
            replace = "".join(new[new_first - lead : new_last + tail])
            blocks.append(f"{SEARCH}\n{_ended(search)}{DIVIDER}\n{_ended(replace)}{REPLACE}\n")
        text = "".join(blocks)
        if apply_search_replace(text, before).text == after:
            return text
    raise ValueError(
        "no search/replace blocks can say the change: the texts are equal, or hold a line that is a marker"
    )


def _joined(changes: Sequence[ChangedLines], most: int) -> list[ChangedLines]:
    """Changes with at most so many equal lines between them as one."""
    joined: list[ChangedLines] = []
    for change in changes:
        if joined and change.first - joined[-1].last <= most:
            start = joined.pop()
            change = ChangedLines(start.first, change.last, start.new_first, change.new_last)
        joined.append(change)
    return joined


def _ended(text: str) -> str:
    return f"{text}\n" if text and not text.endswith("\n") else text
