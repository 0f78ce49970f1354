"""Search/replace blocks: a text to be found exactly once, and what stands there afterwards.

A block is a line `<<<<<<< SEARCH`, the lines to find, a line `=======`, the lines in their place, and a line that holds
`>>>>>>> REPLACE`; nothing in their place deletes them. All blocks are searched in the text as it was given, as whole
lines, so their order does not matter; two that meet are refused. Refused are also a search text that occurs twice or
holds blank lines alone, and anything but empty lines between the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewards.edits.edited import Edited

__all__ = ["DIVIDER", "REPLACE", "SEARCH", "apply_search_replace"]

SEARCH, DIVIDER, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
MAX_BLOCKS = 200  # each is searched in the whole text
SHOWN = 60  # characters of a line in a reason


class _Block(NamedTuple):
    number: int  # from 1
    search: str  # whole lines
    replace: str


class _NoBlocks(ValueError):
    """A text is no search/replace blocks; the message says why."""


def apply_search_replace(blocks: str, text: str) -> Edited:
    """A text with search/replace blocks applied.

    Args:
        blocks: The blocks, any text.
        text: What they change.

    >>> apply_search_replace("<<<<<<< SEARCH\\ntwo\\n=======\\n2\\n>>>>>>> REPLACE\\n", "one\\ntwo").text
    'one\\n2'
    """
    try:
        found = _read(blocks.split("\n"))
    except _NoBlocks as error:
        return Edited(None, str(error), "unread")
    whole = text if text.endswith("\n") else f"{text}\n"
    total = sum(block.search != block.replace for block in found)
    places, reasons, lost = [], [], 0
    for block in found:
        place, reason = _place(block, whole)
        reasons += [reason] if reason else []
        lost += bool(reason) and block.search != block.replace
        places += [] if reason else [(place, block)]
    places.sort()
    apart: list[tuple[int, _Block]] = []  # without those that change what one before them does
    for start, block in places:
        before = apart[-1] if apart else None
        if before is not None and before[0] + len(before[1].search) > start:
            reasons.append(f"blocks {before[1].number} and {block.number} change the same lines")
            lost += 1
        else:
            apart.append((start, block))
    if reasons:
        so_far = _ended_as(text, _replaced(whole, apart))
        return Edited(None, reasons[0], applied=max(0, total - lost), total=total, so_far=so_far)
    return Edited(_ended_as(text, _replaced(whole, places)), applied=total, total=total)


def _read(lines: Sequence[str]) -> list[_Block]:
    """The blocks of a text. Raises: _NoBlocks."""
    blocks: list[_Block] = []
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        if lines[at] != SEARCH:
            raise _NoBlocks(f"line {at + 1} should be {SEARCH!r}, and is {ascii(lines[at][:SHOWN])}")
        if len(blocks) == MAX_BLOCKS:
            raise _NoBlocks(f"more than {MAX_BLOCKS} blocks")
        number = len(blocks) + 1
        search, at = _until(DIVIDER, lines, at + 1, number)
        replace, at = _until(REPLACE, lines, at, number)
        if not search.strip("\n"):
            raise _NoBlocks(f"block {number} searches for nothing: give the lines that it replaces")
        blocks.append(_Block(number, search, replace))
    if not blocks:
        raise _NoBlocks(f"no line is {SEARCH!r}")
    return blocks


def _until(end: str, lines: Sequence[str], at: int, number: int) -> tuple[str, int]:
    """The lines up to a marker as text, and the index behind it."""
    for place in range(at, len(lines)):
        if lines[place] == end:
            return "".join(f"{line}\n" for line in lines[at:place]), place + 1
        if lines[place] in (SEARCH, DIVIDER, REPLACE):
            raise _NoBlocks(f"line {place + 1} is {lines[place]!r} where block {number} wants {end!r}")
    raise _NoBlocks(f"block {number} has no line {end!r}")


def _place(block: _Block, text: str) -> tuple[int, str]:
    """Where a block's lines start in a text, and why they cannot be replaced; "" where they can."""
    hay, needle = f"\n{text}", f"\n{block.search}"
    place = hay.find(needle)
    first = ascii(block.search.partition("\n")[0][:SHOWN])
    if place < 0:
        return 0, f"the search text of block {block.number}, which starts with {first}, does not occur in the file"
    if hay.find(needle, place + 1) >= 0:
        return 0, f"the search text of block {block.number}, which starts with {first}, occurs more than once"
    return place, ""


def _replaced(text: str, places: Sequence[tuple[int, _Block]]) -> str:
    """A text with blocks in place of what they search."""
    parts, at = [], 0
    for start, block in places:
        parts += [text[at:start], block.replace]
        at = start + len(block.search)
    return "".join([*parts, text[at:]])


def _ended_as(text: str, edited: str) -> str:
    """An edited text with the newline at its end, or without it, as the text had it."""
    return edited if text.endswith("\n") else edited.removesuffix("\n")
