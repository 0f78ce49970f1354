"""What stands around a span of a program: the tokens on both sides, the function that it is in, and all other items.

Two programs that differ in the span alone have one outline exactly where the span takes over nothing outside: it leaves
no comment and no text open, closes no function, and opens none that the rest closes. Places before the span are counted
from the program's start and those after it from its end, in bytes, so that the span's length does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import leaves

__all__ = ["Outline", "outline"]

FUNCTION = "function_item"
Place = tuple[int, int]


class Outline(NamedTuple):
    """The places of everything around a span; equal where nothing around it is read otherwise."""

    before: tuple[Place, ...]  # of the tokens that begin before the span, cut off where it begins
    after: tuple[Place, ...]  # of the tokens that end after it, cut off where it ends
    items: tuple[tuple[str, int, int], ...]  # what encloses the innermost function, and everything beside that


def outline(prefix: str, middle: str, suffix: str) -> Outline | None:
    """The outline of a program around its middle; None where that does not stand in the body of a function.

    Args:
        prefix: The program up to the span.
        middle: The span.
        suffix: The rest.

    >>> outline("fn f() -> u8 { ", "1 + 2", " }").after  # the closing brace, of the last byte
    ((1, 0),)
    >>> outline("fn f() -> u8 ", "{ 1 }", "") is None
    True
    """
    root = syntax(prefix + middle + suffix)
    start, end, size = _size(prefix), _size(prefix) + _size(middle), _size(prefix + middle + suffix)
    before, after = [], []
    for leaf in leaves(root):
        if leaf.start_byte == leaf.end_byte:
            continue  # what the parser misses
        if leaf.start_byte < start:
            before.append((leaf.start_byte, min(leaf.end_byte, start)))
        if leaf.end_byte > end:
            after.append((size - max(leaf.start_byte, end), size - leaf.end_byte))
    path = list(_enclosing(root, start, end))
    innermost = max((place for place, node in enumerate(path) if node.type == FUNCTION), default=-1)
    body = path[innermost].child_by_field_name("body") if innermost >= 0 else None
    if body is None or body not in path[innermost:]:
        return None
    items = [
        (child.type, *_place(child, start, size))
        for node in path[: innermost + 1]
        for child in node.children
        if child.type not in ("line_comment", "block_comment")
    ]
    return Outline(tuple(before), tuple(after), tuple(items))


def _enclosing(root: Node, start: int, end: int) -> Iterator[Node]:
    """The nodes around a span that begin before it and end after it, the outermost first."""
    found: Node | None = root
    while found is not None:
        yield found
        inner = (child for child in found.children if child.start_byte < start and child.end_byte > end)
        found = next(inner, None)


def _place(node: Node, start: int, size: int) -> Place:
    """Where a node that does not stand in the span begins and ends, each counted from the nearer side of the span."""
    ends = (node.start_byte, node.end_byte)
    first, last = (place if place <= start else place - size for place in ends)  # from the end: 0 or less
    return first, last


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
