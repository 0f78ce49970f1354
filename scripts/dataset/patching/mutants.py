"""Small mistakes in a program: another operator, a number beside the right one, branches or arguments exchanged.

Left out: whether a mistake compiles, and whether tests notice it. `rewards.strictness.instrument` changes programs to
find what their tests depend on; these here look like what people write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text

__all__ = ["mutants"]

OPERATORS = {
    **{"<": "<= >", "<=": "< >=", ">": ">= <", ">=": "> <=", "==": "!=", "!=": "==", "&&": "||", "||": "&&"},
    **{"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "..": "..=", "..=": "..", "+=": "-=", "-=": "+=", "*=": "+="},
}
WITH_OPERATORS = ("binary_expression", "range_expression", "compound_assignment_expr")
METHODS = {
    **{
        "min": "max",
        "max": "min",
        "any": "all",
        "all": "any",
        "first": "last",
        "last": "first",
        "and": "or",
        "or": "and",
    },
    **{"is_some": "is_none", "is_none": "is_some", "skip": "take", "take": "skip", "position": "rposition"},
}
NUMBER = re.compile(r"(\d+)([a-z]\w*)?")
LISTS = ("arguments", "tuple_expression", "array_expression")
LEFT_ALONE = ("attribute_item", "inner_attribute_item", "use_declaration", "macro_definition", *COMMENTS)


def mutants(program: str) -> list[str]:
    """Every program that differs from this one by one small mistake, in the order of their places.

    >>> mutants("fn f(a: u8) -> bool { a < 2 }")[:2]
    ['fn f(a: u8) -> bool { a <= 2 }', 'fn f(a: u8) -> bool { a > 2 }']
    """
    source = program.encode()
    found: dict[str, None] = {}
    stack = [syntax(program)]
    while stack:
        node = stack.pop()
        if node.type in LEFT_ALONE:
            continue
        for start, end, text in _changes(node):
            found[(source[:start] + text.encode() + source[end:]).decode()] = None
        stack.extend(reversed(node.children))
    return [text for text in found if text != program]


def _changes(node: Node) -> Iterator[tuple[int, int, str]]:
    """Changes of a node itself: from which byte to which, and what stands there instead."""
    text = node_text(node) if node.child_count == 0 else ""
    parent = node.parent.type if node.parent is not None else ""
    if parent in WITH_OPERATORS and text in OPERATORS:
        for other in OPERATORS[text].split():
            yield node.start_byte, node.end_byte, other
    elif node.type == "field_identifier" and text in METHODS:
        yield node.start_byte, node.end_byte, METHODS[text]
    elif text in ("true", "false"):
        yield node.start_byte, node.end_byte, "false" if text == "true" else "true"
    elif node.type == "integer_literal" and (match := NUMBER.fullmatch(text)):
        for number in (int(match[1]) + 1, int(match[1]) - 1):
            if number >= 0:
                yield node.start_byte, node.end_byte, f"{number}{match[2] or ''}"
    elif node.type in LISTS:
        parts = [child for child in node.children if child.is_named and child.type not in COMMENTS]
        for place in range(1, len(parts)):
            yield _exchanged(parts[place - 1], parts[place])
    elif node.type == "if_expression":
        yield from _branches(node)


def _branches(node: Node) -> Iterator[tuple[int, int, str]]:
    """The branches of an `if` exchanged, where its `else` is a block."""
    one, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    blocks = [child for child in other.children if child.type == "block"] if other is not None else []
    if one is not None and blocks:
        yield _exchanged(one, blocks[0])


def _exchanged(one: Node, other: Node) -> tuple[int, int, str]:
    """Two nodes in each other's place."""
    assert one.parent is not None
    between = (one.parent.text or b"")[one.end_byte - one.parent.start_byte : other.start_byte - one.parent.start_byte]
    return one.start_byte, other.end_byte, f"{node_text(other)}{between.decode()}{node_text(one)}"
