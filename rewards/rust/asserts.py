"""Finds the asserts in a list of tokens. Whether they run, and what they mean, is for others to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.tokens import node_text

__all__ = ["ASSERTS", "Assert", "asserts_in"]

ASSERTS = ("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne")
OPEN, CLOSE = ("(", "[", "{"), (")", "]", "}")


class Assert(NamedTuple):
    """One use of a macro that can end a test."""

    macro: str  # without `r#`
    text: str  # macro and what is compared, without a message: equal for asserts that say the same
    start: int  # byte at which the macro's path starts
    end: int  # byte after its name
    inside: int  # byte after the bracket that opens its arguments


def asserts_in(leaves: Sequence[Node], macros: Sequence[str] = ASSERTS) -> Iterator[Assert]:
    """The uses of some macros among tokens.

    Args:
        leaves: The tokens of a part of a syntax tree, in order.
        macros: The macros' names.
    """
    texts = [node_text(leaf).removeprefix("r#") for leaf in leaves]
    for place, text in enumerate(texts[:-2]):
        if text in macros and texts[place + 1] == "!" and texts[place + 2] in OPEN:
            first = place
            while first >= 2 and texts[first - 1] == "::":
                first -= 2
            if first and texts[first - 1] == "::":
                first -= 1
            yield Assert(
                text,
                _fact(text, texts[place + 2 :]),
                leaves[first].start_byte,
                leaves[place].end_byte,
                leaves[place + 2].end_byte,
            )


def _fact(macro: str, tokens: Sequence[str]) -> str:
    """What an assert says, without its message; the sides of an equality in alphabetical order."""
    depth = 0
    sides: list[list[str]] = [[]]
    for token in tokens:
        depth -= token in CLOSE
        if depth == 0 and token in CLOSE:
            break
        if token == "," and depth == 1:
            sides.append([])
        elif depth:
            sides[-1].append(token)
        depth += token in OPEN
    texts = [" ".join(side) for side in sides]
    compared = sorted(texts[:2]) if macro.endswith(("_eq", "_ne")) else texts[:1]
    return f"{macro}({', '.join(compared)})"
