"""Rename: a parameter and all its uses get another name."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from tree_sitter import Node

from dataset.next_edits.changing.change import Change, in_order
from dataset.next_edits.changing.rust import Replacement, every, line_edits, name_of, words_of
from rewards.rust.grammar import syntax
from rewards.rust.tokens import node_text

__all__ = ["rename"]

NAMES = (
    *("first", "limit", "input", "given", "source", "start", "wanted", "base", "current", "amount", "chosen", "extra"),
    *("level", "total", "place", "entry", "member", "known", "bound", "part", "width", "score", "number", "subject"),
)


def rename(program: str, gold: Mapping[str, Any], rng: random.Random) -> Change | None:
    """Rename a parameter that is used on other lines than its own; None where there is none.

    The name stands in no other function, so the old one is in no finished program: an answer that keeps it alive is
    refused by that.

    >>> change = rename("fn f(a: u8) -> u8 {\\n    a + a\\n}\\n", {}, random.Random(0))
    >>> [edit.first for edit in change.edits], "a + a" in change.file(2)
    ([1, 2], False)
    """
    words, root = words_of(program), syntax(program)
    parameters = {name_of(node, "pattern"): node for node in every(root, "parameter")}
    names = [name for name, node in parameters.items() if name.isidentifier() and _spread(words.get(name, []), node)]
    new = [name for name in NAMES if name not in program]
    if not names or not new:
        return None
    old, name = rng.choice(names), rng.choice(new)
    edits = line_edits(program, [_renamed(node, name) for node in words[old]])
    return Change("rename", program, in_order(edits, parameters[old].start_point.row + 1), gold)


def _spread(nodes: list[Node], parameter: Node) -> bool:
    """Whether the uses of a name are on several lines, and all of them are variables of the parameter's function."""
    function = parameter.parent and parameter.parent.parent
    return (
        function is not None
        and len({node.start_point.row for node in nodes}) > 1
        and all(node.type == "identifier" for node in nodes)
        and all(function.start_byte <= node.start_byte < function.end_byte for node in nodes)
    )


def _renamed(node: Node, name: str) -> Replacement:
    """One use with the new name; a field that is given by its name alone keeps that."""
    is_short = node.parent is not None and node.parent.type == "shorthand_field_initializer"
    return Replacement(node.start_byte, node.end_byte, f"{node_text(node)}: {name}" if is_short else name)
