"""Writes the edits that turn one text into another, for right answers: both texts are data, no model wrote them."""

from __future__ import annotations

import difflib

from rewards.edits.edited import lines_of
from rewards.edits.search_replace import DIVIDER, REPLACE, SEARCH, apply_search_replace
from rewards.edits.unified_diff import NO_NEWLINE

__all__ = ["diff_of", "search_replace_of"]

CONTEXT = 3  # lines around a change, as git has them


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
    for context in range(len(old) + 1):
        groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
        blocks = []
        for group in groups:
            search, replace = "".join(old[group[0][1] : group[-1][2]]), "".join(new[group[0][3] : group[-1][4]])
            blocks.append(f"{SEARCH}\n{_ended(search)}{DIVIDER}\n{_ended(replace)}{REPLACE}\n")
        text = "".join(blocks)
        if apply_search_replace(text, before).text == after:
            return text
    raise ValueError(
        "no search/replace blocks can say the change: the texts are equal, or hold a line that is a marker"
    )


def _ended(text: str) -> str:
    return f"{text}\n" if text and not text.endswith("\n") else text
