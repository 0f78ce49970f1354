"""Finds the asserts in a list of tokens. Whether they run, and what they mean, is for others to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from rewards.rust.program import Assert
from rewards.rust.tokens import node_text

__all__ = ["ASSERTS", "asserts_in"]

ASSERTS = ("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne")
OPEN, CLOSE = ("(", "[", "{"), (")", "]", "}")


def asserts_in(leaves: Sequence[Node]) -> Iterator[Assert]:
    """The asserts among tokens.

    Args:
        leaves: The tokens of a part of a syntax tree, in order.
    """
    texts = [node_text(leaf) for leaf in leaves]
    for place, text in enumerate(texts[:-2]):
        if text in ASSERTS and texts[place + 1] == "!" and texts[place + 2] in OPEN:
            arguments = list(_inside(texts[place + 2 :]))
            yield Assert(text, _fact(text, arguments), leaves[place].start_byte, "".join(arguments))


def _inside(tokens: Sequence[str]) -> Iterator[str]:
    """The tokens between the bracket that comes first and the one that closes it."""
    depth = 0
    for token in tokens:
        depth -= token in CLOSE
        if depth == 0 and token in CLOSE:
            return
        if depth:
            yield token
        depth += token in OPEN


def _fact(macro: str, tokens: Sequence[str]) -> str:
    """What an assert says, without its message; the sides of an equality in alphabetical order."""
    depth = 0
    sides: list[list[str]] = [[]]
    for token in tokens:
        depth += (token in OPEN) - (token in CLOSE)
        if token == "," and depth == 0:
            sides.append([])
        else:
            sides[-1].append(token)
    texts = [" ".join(side) for side in sides]
    compared = sorted(texts[:2]) if macro.endswith(("_eq", "_ne")) else texts[:1]
    return f"{macro}({', '.join(compared)})"
