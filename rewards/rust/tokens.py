"""The tokens of a syntax tree in one table; the tokens or names below a node are a slice of it.

Comments are left out, and a text or character literal is one token. Slices of nested nodes overlap, and code can nest
ten thousand levels deep, so slices have a budget of tokens in total: once it is spent, every further slice is empty.
That keeps the time linear.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from tree_sitter import Node

__all__ = ["COMMENTS", "LITERALS", "Tokens", "last_name", "leaves", "node_text", "plain_name", "without_generics"]

COMMENTS = ("line_comment", "block_comment")
NAMES = ("identifier", "field_identifier", "type_identifier", "shorthand_field_identifier")
LITERALS = ("string_literal", "raw_string_literal", "char_literal")
BUDGET = 4_000_000  # tokens in all slices; 50 times what 100 kB of ordinary code needs


class Tokens:
    """All tokens below a root node."""

    def __init__(self, root: Node) -> None:
        self._starts: list[int] = []
        self._texts: list[str] = []
        self._name_starts: list[int] = []
        self._names: list[str] = []
        self._left = BUDGET
        for leaf in leaves(root):
            self._starts.append(leaf.start_byte)
            self._texts.append(node_text(leaf))
            if leaf.type in NAMES:
                self._name_starts.append(leaf.start_byte)
                self._names.append(self._texts[-1])

    def texts(self, node: Node | None) -> list[str]:
        """The tokens below a node, in order."""
        return self._slice(self._starts, self._texts, node)

    def names(self, node: Node | None) -> frozenset[str]:
        """The identifiers below a node."""
        return frozenset(self._slice(self._name_starts, self._names, node))

    def _slice(self, starts: list[int], texts: list[str], node: Node | None) -> list[str]:
        """The part of a table that belongs to a node; empty once the budget is spent."""
        if node is None:
            return []
        first, end = bisect_left(starts, node.start_byte), bisect_left(starts, node.end_byte)
        self._left -= end - first
        return texts[first:end] if self._left >= 0 else []


def node_text(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def last_name(node: Node | None) -> str:
    """The last segment of a path, as tokens without comments."""
    return "".join(map(node_text, leaves(node))).rpartition("::")[2] if node is not None else ""


def plain_name(node: Node | None) -> str:
    """The last segment of a path, without the r# of a raw one: what rustc compares."""
    return last_name(node).removeprefix("r#")


def without_generics(node: Node | None) -> Node | None:
    """The node `Wrapper` of a type `Wrapper<T>`; any other node unchanged."""
    return node.child_by_field_name("type") if node is not None and node.type == "generic_type" else node


def leaves(root: Node) -> Iterator[Node]:
    """The tokens below a node, in order, without comments."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in COMMENTS:
            continue
        if node.child_count == 0 or node.type in LITERALS:
            yield node
        else:
            stack.extend(reversed(node.children))
