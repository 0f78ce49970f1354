"""Writes a loop over literal cases, or a call of a test's own function, as the statements that bind its variables.

    for (a, b) in [(1, 2), (3, 4)] { .. }      let a = 1; let b = 2; ..  let a = 3; let b = 4; ..

Left out, as NotEvaluable: loops over anything but the elements of an array or `vec!` that stands in the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from rewards.gold.computing.nodes import operands, parse_expression
from rewards.gold.terms import NotEvaluable
from rewards.rust.grammar import syntax
from rewards.rust.tokens import node_text

__all__ = ["parameters", "rounds"]

MOST = 200  # rounds of a loop
HANDS_ON = ("iter", "into_iter")
Find = Callable[[str], "Node | None"]


def rounds(loop: Node, find: Find) -> list[list[Node]]:
    """The `let` statements that begin each round of a `for` loop.

    Args:
        loop: The loop.
        find: The expression that a variable was bound to; None where there is none, or where it may have changed.
    Raises: NotEvaluable.
    """
    pattern, value = loop.child_by_field_name("pattern"), loop.child_by_field_name("value")
    if pattern is None or value is None:
        raise NotEvaluable(node_text(loop))
    elements, borrowed = _elements(value, find)
    if len(elements) > MOST:
        raise NotEvaluable(node_text(loop))
    return [[_let(text) for text in _bindings(pattern, element, borrowed)] for element in elements]


def parameters(function: Node, arguments: list[Node]) -> list[Node]:
    """The `let` statements that stand for the parameters of a call. Raises: NotEvaluable."""
    found = function.child_by_field_name("parameters")
    given = operands(found) if found is not None else []
    if len(given) != len(arguments) or any(one.type != "parameter" for one in given):
        raise NotEvaluable(node_text(function))
    lets = []
    for one, argument in zip(given, arguments, strict=True):
        pattern, kind = one.child_by_field_name("pattern"), one.child_by_field_name("type")
        if pattern is None or kind is None or pattern.type != "identifier" or "impl" in node_text(kind):
            raise NotEvaluable(node_text(function))
        mutable = "mut " if any(child.type == "mutable_specifier" for child in one.children) else ""
        lets.append(_let(f"let {mutable}{node_text(pattern)}: {node_text(kind)} = {node_text(argument)};"))
    return lets


def _elements(value: Node, find: Find) -> tuple[list[Node], bool]:
    """The elements of what a loop goes over, and whether it gets references to them."""
    if value.type == "parenthesized_expression":
        return _elements(operands(value)[-1], find)
    if value.type == "reference_expression" and not any(child.type == "mutable_specifier" for child in value.children):
        return _elements(operands(value)[-1], find)[0], True
    if value.type == "array_expression" and value.child_by_field_name("length") is None:
        return operands(value), False
    if value.type == "macro_invocation" and node_text(value.children[0]) == "vec":
        return _elements(parse_expression(f"[{node_text(value.children[-1])[1:-1]}]"), find)
    if value.type == "identifier" and (known := find(node_text(value))) is not None:
        return _elements(known, find)
    function = value.child_by_field_name("function") if value.type == "call_expression" else None
    if function is not None and function.type == "field_expression" and not _arguments(value):
        receiver, field = function.child_by_field_name("value"), function.child_by_field_name("field")
        if receiver is not None and field is not None and node_text(field) in HANDS_ON:
            found, borrowed = _elements(receiver, find)
            return found, borrowed or node_text(field) == "iter"
    raise NotEvaluable(node_text(value))


def _arguments(call: Node) -> list[Node]:
    found = call.child_by_field_name("arguments")
    return operands(found) if found is not None else []


def _bindings(pattern: Node, element: Node, borrowed: bool) -> Iterator[str]:
    """The text of a `let` for each name of a pattern."""
    if pattern.type == "reference_pattern" and borrowed:
        yield from _bindings(operands(pattern)[-1], element, False)
    elif pattern.type in ("identifier", "mut_pattern"):
        yield f"let {node_text(pattern)} = {'&' if borrowed else ''}{node_text(element)};"
    elif node_text(pattern) == "_":
        return
    elif pattern.type == "tuple_pattern" and element.type == "tuple_expression":
        names = [child for child in pattern.children if child.type not in ("(", ")", ",")]
        parts = operands(element)
        if len(names) != len(parts):
            raise NotEvaluable(node_text(pattern))
        for name, part in zip(names, parts, strict=True):
            yield from _bindings(name, part, borrowed)
    else:
        raise NotEvaluable(node_text(pattern))


def _let(text: str) -> Node:
    """The node of a `let` statement."""
    root = syntax(f"fn f() {{ {text} }}")
    body = root.children[0].child_by_field_name("body") if len(root.children) == 1 else None
    if root.has_error or body is None or len(body.named_children) != 1:
        raise NotEvaluable(text)
    return body.named_children[0]
