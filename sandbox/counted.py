"""A number with its noun, in words for people."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """So many of something; the noun gets an s, which is all that the messages need.

    >>> counted(1, "test module"), counted(0, "test"), counted(1200, "closed ```rust block")
    ('1 test module', '0 tests', '1,200 closed ```rust blocks')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
