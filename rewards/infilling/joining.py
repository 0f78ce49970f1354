"""A middle in its place: the joined program, or why the middle is refused.

A joined program is prefix + middle + suffix, to the byte; nothing is repaired. Refused is a middle that takes over what
stands around it (`rewards.infilling.outline`): one that leaves a comment or a text open, closes the function that it is
in, or opens another that the suffix closes. So gold tests call the functions of the original, of which one alone has
other contents. What the middle does within that function is its own affair: it may return early, or define items there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rewards.infilling.outline import Outline, outline
from rewards.rust.grammar import MAX_PARSED

__all__ = ["MAX_MIDDLE", "Gap", "joined", "refused"]

REMEMBERED = 128  # outlines of original programs: those of a batch
# Characters, beside as many as the original middle has: the parser takes quadratic time for unclosed texts as r#"r#".
MAX_MIDDLE = 1 << 13
TOO_LONG = "the middle is longer than any answer: {} characters"
LEAVES = "the middle leaves its function: it closes it, or leaves a bracket, a comment or a text open"
CHANGES_AFTER = "the middle changes how the text after it is read, as a comment or a text that it leaves open"
CHANGES_BEFORE = "the middle changes how the text before it is read"


class Gap(NamedTuple):
    """A program with a part cut out of the body of a function."""

    prefix: str
    middle: str  # as it was
    suffix: str

    def problem(self) -> str:
        """Why nobody can be asked for the middle; "" where that can be."""
        if len(self.prefix) + len(self.middle) + len(self.suffix) > MAX_PARSED:
            return f"has a program of more than {MAX_PARSED} characters"
        return "" if _original(self) is not None else "has a middle that does not stand inside the body of a function"


def joined(gap: Gap, middle: str) -> str:
    """The program with a middle in place of its own."""
    return f"{gap.prefix}{middle}{gap.suffix}"


def refused(gap: Gap, middle: str) -> str:
    """Why a middle is refused; "" where it is not. Takes any text, in linear time: a very long one is not read.

    >>> gap = Gap("fn f() -> u8 { ", "1", " }")
    >>> refused(gap, "if true { 1 } else { 2 }")
    ''
    >>> refused(gap, "1 } fn g() -> u8 { 2").partition(":")[0]
    'the middle leaves its function'
    """
    if len(middle) > MAX_MIDDLE + len(gap.middle):
        return TOO_LONG.format(len(middle))
    original, found = _original(gap), outline(gap.prefix, middle, gap.suffix)
    if original == found is not None:
        return ""
    if original is None or found is None or original.items != found.items:
        return LEAVES
    return CHANGES_AFTER if original.after != found.after else CHANGES_BEFORE


@lru_cache(maxsize=REMEMBERED)
def _original(gap: Gap) -> Outline | None:
    return outline(*gap)
