"""The type that one side of an assert says, for a generic call on the other side, which would not compile without."""

from __future__ import annotations

import re

from tree_sitter import Node

from rewards.gold.computing.nodes import operands
from rewards.rust.tokens import node_text

__all__ = ["type_of"]

NUMBERS = r"[iu](?:8|16|32|64|128|size)|f32|f64"
SUFFIX = re.compile(rf"(?:0[xob][0-9a-fA-F_]+(?=[iu])|[0-9][0-9_.]*?)({NUMBERS})")
STANDARD = re.compile(rf"(?:{NUMBERS}|bool|char|String|Option|Result|Vec|Box|&'static str|[<>(), ])+")


def type_of(node: Node) -> str:
    """The type of an expression that names it; "" where it does not, or where the type may be the program's own.

    >>> from rewards.gold.computing.nodes import parse_expression
    >>> [type_of(parse_expression(text)) for text in ("None::<i32>", "Some(5u8)", "Ok::<u8, String>(1)", "Some(5)")]
    ['Option<i32>', 'Option<u8>', 'Result<u8, String>', '']
    """
    if node.type in ("integer_literal", "float_literal"):
        found = SUFFIX.fullmatch(node_text(node))
        return found[1] if found else ""
    generic = node.child_by_field_name("function") if node.type == "call_expression" else node
    if generic is not None and generic.type == "generic_function":
        return _of_generic(generic)
    if node.type == "call_expression" and generic is not None and node_text(generic) == "Some":
        given = node.child_by_field_name("arguments")
        inner = type_of(operands(given)[0]) if given is not None and operands(given) else ""
        return f"Option<{inner}>" if inner else ""
    return ""


def _of_generic(node: Node) -> str:
    """The type of `None::<i32>`, `Vec::<i32>::new` and the like."""
    function, kinds = node.child_by_field_name("function"), node.child_by_field_name("type_arguments")
    if function is None or kinds is None:
        return ""
    name = {"None": "Option", "Some": "Option", "Ok": "Result", "Err": "Result"}.get(node_text(function), "")
    text = f"{name}{node_text(kinds)}"
    return text if name and STANDARD.fullmatch(text) else ""
