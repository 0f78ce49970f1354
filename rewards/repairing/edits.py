"""How many tokens of a program were changed: an edit distance up to a bound.

Promises time linear in the length of the texts: a program of more than `MAX_TOKENS` tokens is not compared, and the
search ends after twice `MOST` edits. Comments and white space are no tokens. Left out: which tokens they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rewards.edits.distance import edit_distance
from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import leaves, node_text

__all__ = ["TokenChange", "change"]

MAX_TOKENS = 10_000  # of a program that is compared: far beyond any prompt, and 0.3 s with the bound below
LEAST, MOST = 8, 100  # edits that are allowed; between them, half as many as the input has tokens
REMEMBERED = 256  # pairs of programs: a reward and a fact ask for the same


class TokenChange(NamedTuple):
    """How far one program is from another."""

    edits: int | None  # tokens that were replaced, added or removed; None: so many that the two are not compared
    needed: int  # of these, those that the right answer makes; 0 where no right answer is known
    allowed: int  # how many more make the one no repair of the other but a program of its own

    @property
    def closeness(self) -> float:
        """1 for no more edits than needed, falling evenly to 0 where the allowed ones are used up."""
        return 0.0 if self.edits is None else min(1.0, 1.0 - (self.edits - self.needed) / self.allowed)


@lru_cache(maxsize=REMEMBERED)
def change(before: str, after: str, right: str = "") -> TokenChange:
    """How far a program is from the one that it was made of.

    Args:
        before: The program that was to be repaired. Half as many edits as it has tokens are allowed beyond those that
            are needed, but 8 at least and 100 at most.
        after: The repaired one.
        right: The right answer; "" where none is known. One that is itself more than `MOST` edits away takes the place
            of `before`: how far the repaired program is from it counts.

    >>> change("fn f(a: u8) -> u8 { a }", "fn f(a: u8) -> u8 { b } // b")
    TokenChange(edits=1, needed=0, allowed=8)
    """
    if not (is_readable(before) and is_readable(after)):
        return TokenChange(None, 0, MOST)
    old, new = _tokens(before), _tokens(after)
    allowed = min(MOST, max(LEAST, len(old) // 2))
    needed = edit_distance(old, goal := _tokens(right), MOST) if right else 0
    if needed is None:
        old, needed = goal, 0
    if max(len(old), len(new)) > MAX_TOKENS:
        return TokenChange(None, needed, allowed)
    return TokenChange(edit_distance(old, new, needed + allowed - 1), needed, allowed)


def _tokens(code: str) -> list[str]:
    return [node_text(leaf) for leaf in leaves(syntax(code))]
