"""A program's syntax tree, and replacements in its text as edits of lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tree_sitter import Node

from rewards.line_edits.edit import LineEdit, lines_of
from rewards.rust.grammar import syntax
from rewards.rust.tokens import leaves, node_text

__all__ = ["Replacement", "after", "every", "impl_of", "line_edits", "name_of", "words_of"]


class Replacement(NamedTuple):
    """A range of a program's bytes, within one line, becomes a text, which may have several."""

    start: int
    end: int
    text: str


def line_edits(program: str, replacements: Iterable[Replacement]) -> list[LineEdit]:
    r"""Replacements as edits of lines: one for each line that they are in.

    >>> line_edits("fn f(a: u8)\n{ a }\n", [Replacement(5, 6, "b"), Replacement(14, 15, "b\n+ 1")])
    [LineEdit(first=1, last=1, text='fn f(b: u8)\n'), LineEdit(first=2, last=2, text='{ b\n+ 1 }\n')]
    """
    wanted, edits, start = sorted(set(replacements)), [], 0
    for number, line in enumerate(lines_of(program), start=1):
        raw = line.encode()
        inside = [one for one in wanted if start <= one.start < start + len(raw)]
        found = raw
        for one in reversed(inside):
            found = found[: one.start - start] + one.text.encode() + found[one.end - start :]
        if found != raw:
            edits.append(LineEdit(number, number, found.decode()))
        start += len(raw)
    return edits


def after(node: Node, text: str) -> Replacement:
    """A list's item behind another one: on a line of its own where that one begins its line, else on the same line."""
    line = (node.parent.text or b"")[: node.start_byte - node.parent.start_byte] if node.parent is not None else b""
    own_line = not line.rpartition(b"\n")[2].strip() and b"\n" in line
    return Replacement(
        node.end_byte, node.end_byte, f"\n{' ' * node.start_point.column}{text}" if own_line else f" {text}"
    )


def every(root: Node, *types: str) -> Iterator[Node]:
    """The nodes of some types, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in types:
            yield node
        stack.extend(reversed(node.children))


def name_of(node: Node, field: str = "name") -> str:
    """The text of a node's field; "" without it."""
    found = node.child_by_field_name(field)
    return "" if found is None else node_text(found)


def impl_of(node: Node) -> str:
    """The type of the impl block that a node is in; "" outside of one."""
    above = node.parent
    while above is not None and above.type != "impl_item":
        above = above.parent
    return "" if above is None else name_of(above, "type")


def words_of(program: str) -> dict[str, list[Node]]:
    """The tokens of a program by their text.

    Left out are words that stand in comments or texts as well: who changes one would have to change the other.
    """
    found: dict[str, list[Node]] = {}
    for leaf in leaves(syntax(program)):
        found.setdefault(node_text(leaf), []).append(leaf)
    return {
        word: nodes
        for word, nodes in found.items()
        if len(nodes) == len(re.findall(rf"\b{re.escape(word)}\b", program))
    }
