"""The functions in the definition or the arguments of a macro, found by their tokens: a macro is no syntax yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.tokens import leaves, node_text

__all__ = ["MacroFunction", "macro_functions"]

OPEN, CLOSE = ("(", "[", "{"), (")", "]", "}")


class MacroFunction(NamedTuple):
    """A function that a macro makes."""

    name: str  # or the metavariable that stands for it
    result: str  # what it returns, as in the macro; empty for nothing
    body: int  # the byte after the brace that opens its body


def macro_functions(macro: Node) -> Iterator[MacroFunction]:
    """The functions with a body in a macro, but for constant ones.

    Args:
        macro: The definition or the invocation of a macro.
    """
    tokens = list(leaves(macro))
    texts = [node_text(token) for token in tokens]
    for place, text in enumerate(texts):
        if text == "fn" and "const" not in texts[max(0, place - 2) : place]:
            end = _body(texts, place)
            if end is not None:
                yield MacroFunction(_name(texts, place), _result(texts[place:end]), tokens[end].end_byte)


def _name(texts: Sequence[str], place: int) -> str:
    following = texts[place + 1 : place + 3]
    return "".join(following) if following[:1] == ["$"] else "".join(following[:1])


def _body(texts: Sequence[str], place: int) -> int | None:
    """The place of the brace that opens the body of the function that starts at a token."""
    depth = 0
    for at in range(place, len(texts)):
        if depth == 0 and texts[at] == "{" and ")" in texts[place:at]:
            return at
        depth += (texts[at] in OPEN) - (texts[at] in CLOSE)
        if depth < 0 or (depth == 0 and texts[at] == ";"):
            return None
    return None


def _result(texts: Sequence[str]) -> str:
    """What stands between the arrow after the parameters and the body, or the bounds before it."""
    depth = 0
    for at, text in enumerate(texts):
        depth += (text in OPEN) - (text in CLOSE)
        if depth == 0 and text == "->":
            rest = texts[at + 1 :]
            return _joined(rest[: rest.index("where")] if "where" in rest else rest)
    return ""


def _joined(texts: Sequence[str]) -> str:
    """Tokens as text; a metavariable's sign stays at its name."""
    return " ".join(texts).replace("$ ", "$").replace("' ", "'").strip()
