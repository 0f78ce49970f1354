"""Expressions as nodes of a syntax tree."""

from __future__ import annotations

from tree_sitter import Node

from rewards.gold.terms import NotEvaluable
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS

__all__ = ["arguments_of", "operands", "parse_expression"]


def parse_expression(text: str) -> Node:
    """The node of an expression. Raises: NotEvaluable when it is none."""
    return arguments_of(text, count=1)[0]


def arguments_of(text: str, *, count: int = 0) -> list[Node]:
    """The nodes of expressions with commas between them. Raises: NotEvaluable for another text or number of them."""
    root = syntax(f"fn f() {{ f({text}); }}")
    body = root.children[0].child_by_field_name("body") if root.children else None
    if root.has_error or len(root.children) != 1 or body is None or len(body.named_children) != 1:
        raise NotEvaluable(text)
    call = body.named_children[0].named_children[0]
    found = call.child_by_field_name("arguments")
    nodes = operands(found) if found is not None else []
    if count and len(nodes) != count:
        raise NotEvaluable(text)
    return nodes


def operands(node: Node) -> list[Node]:
    """The named children of a node without comments and attributes."""
    return [child for child in node.named_children if child.type not in (*COMMENTS, "attribute_item")]
