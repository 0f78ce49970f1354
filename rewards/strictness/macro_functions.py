"""The functions that a macro makes, found by their tokens: a macro's definition is no syntax yet."""

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
    size: int  # its tokens
    body: int  # the byte after the brace that opens its body; 0 where nothing may be put in


def macro_functions(definition: Node) -> Iterator[MacroFunction]:
    """The functions with a body in what a macro expands to.

    Nothing may be put into the arguments of a macro, which macros can read, nor into constant functions.

    Args:
        definition: The definition of a macro, or its invocation.
    """
    if definition.type == "macro_invocation":
        texts = [node_text(token) for token in leaves(definition)]
        yield from (MacroFunction(_name(texts, place), "", 0, 0) for place, text in enumerate(texts) if text == "fn")
    for rule in definition.named_children:
        if rule.type != "macro_rule" or (right := rule.child_by_field_name("right")) is None:
            continue
        tokens = list(leaves(right))
        texts = [node_text(token) for token in tokens]
        hidden = list(_arguments(texts))
        for place, text in enumerate(texts):
            if text != "fn" or (end := _body(texts, place)) is None:
                continue
            unseen = hidden[place] or "const" in texts[max(0, place - 2) : place]
            start = 0 if unseen else tokens[end].end_byte
            yield MacroFunction(_name(texts, place), _result(texts[place:end]), _end(texts, end) - end, start)


def _arguments(texts: Sequence[str]) -> Iterator[bool]:
    """Whether each token stands in the arguments of a macro, or in a macro that is defined within."""
    depth, until = 0, []  # the depths at which such arguments end
    for place, text in enumerate(texts):
        if text in OPEN:
            before = texts[max(0, place - 3) : place]
            if before[-1:] == ["!"] or before[-2:-1] == ["!"]:
                until.append(depth)
            depth += 1
        elif text in CLOSE:
            depth -= 1
            if until and until[-1] == depth:
                until.pop()
        yield bool(until)


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


def _end(texts: Sequence[str], place: int) -> int:
    """The place after the brace that closes the one at a token."""
    depth = 0
    for at in range(place, len(texts)):
        depth += (texts[at] in OPEN) - (texts[at] in CLOSE)
        if depth == 0:
            return at + 1
    return len(texts)


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
