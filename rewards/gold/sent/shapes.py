"""Which expressions and statements may be sent to a program, by a list of what is allowed.

What rests on a value of the program is sent if it is a call of the program's functions whose arguments are literals or
such calls, or hands such a value on. It meets no operator, condition, closure, macro or method that could be the
program's own while an expected value stands beside it. What rests on the standard library alone is sent in any shape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from tree_sitter import Node

from rewards.gold.computing.nodes import operands, parse_expression
from rewards.gold.constructors import CONSTRUCTORS
from rewards.gold.operations import TRANSPARENT
from rewards.gold.sent.origins import (
    BY_THE_PROGRAM,
    COLLECTS,
    Origin,
    Origins,
    arguments,
    callee,
    collects,
    nodes_below,
)
from rewards.gold.terms import NotEvaluable
from rewards.rust.tokens import node_text
from sandbox.answers.calls import PLAIN

__all__ = ["Shapes", "with_plain_values"]

PASSAGES = frozenset(
    (*BY_THE_PROGRAM, *TRANSPARENT, "unwrap", "unwrap_err", "to_ascii_uppercase", "to_ascii_lowercase")
)
MESSAGES = ("expect", "expect_err")  # passages with a text
COMPARES = frozenset(  # methods of collections that change them by comparing elements with their argument
    ("remove", "take", "entry", "get_mut", "get_or_insert_with", "binary_search", "contains", "cmp", "eq", "ne")
)


class Shapes:
    """The shapes that may be sent, in a test with some variables."""

    def __init__(self, origins: Origins, collections: Collection[str]) -> None:
        """Keep what the names of the test mean.

        Args:
            origins: Where its variables come from.
            collections: Those that hold nothing but what the program made, put in one by one.
        """
        self._origins, self._collections = origins, collections

    def refuse_other_statement(self, node: Node) -> None:
        """Raise NotEvaluable for the expression of a statement that must not be sent: its value is dropped."""
        function = callee(node) if node.type == "call_expression" else None
        receiver = function.child_by_field_name("value") if function is not None else None
        if receiver is not None and receiver.type == "identifier" and self._origins.of(receiver) is not Origin.STANDARD:
            for argument in arguments(node):
                self.refuse_other(argument)
            field = function.child_by_field_name("field") if function is not None else None
            closures = any(found.type == "closure_expression" for found in nodes_below(node))
            if closures or field is None or node_text(field) in COMPARES:
                raise NotEvaluable(node_text(node))
            return
        self.refuse_other(node)

    def refuse_other(self, node: Node) -> None:
        """Raise NotEvaluable for an expression that must not be sent."""
        if self._origins.of(node) is Origin.STANDARD:
            return
        check = CHECKS.get(node.type)
        if check is None:
            raise NotEvaluable(node_text(node))
        check(self, node)

    def _parts(self, node: Node) -> None:
        for part in operands(node):
            self.refuse_other(part)

    def _dereferenced(self, node: Node) -> None:
        if node_text(node.children[0]) != "*":
            raise NotEvaluable(node_text(node))
        self._parts(node)

    def _first(self, node: Node) -> None:
        """A cast, a field or an element of something, at a place that is a literal."""
        first, *others = operands(node)
        self.refuse_other(first)
        if node.type == "index_expression" and any(self._origins.of(other) for other in others):
            raise NotEvaluable(node_text(node))

    def _fields(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        for item in operands(body) if body is not None else ():
            value = item.child_by_field_name("value")
            if item.type == "base_field_initializer" or (item.type == "field_initializer" and value is None):
                raise NotEvaluable(node_text(node))
            if value is not None:
                self.refuse_other(value)

    def _macro(self, node: Node) -> None:
        if node_text(node.children[0]) != "vec":
            raise NotEvaluable(node_text(node))
        self._parts(parse_expression(f"[{node_text(node.children[-1])[1:-1]}]"))

    def _closure(self, node: Node) -> None:
        if self._origins.of(node) is Origin.MADE:
            raise NotEvaluable(node_text(node))

    def _call(self, node: Node) -> None:
        function, given = callee(node), arguments(node)
        if function is None:
            raise NotEvaluable(node_text(node))
        if function.type == "field_expression":
            self._method(node, function, given)
            return
        path = node_text(function)
        made = any(self._origins.of(argument) is Origin.MADE for argument in given)
        local = path in self._origins.variables
        if (made and local and self._origins.called(node) is not Origin.MADE) or (
            made and not local and self._is_foreign(path) and len(given) != 1
        ):
            raise NotEvaluable(node_text(node))  # a closure of the test, or a function such as `max`
        for argument in given:
            self.refuse_other(argument)

    def _is_foreign(self, path: str) -> bool:
        """Whether a path is that of a function of the standard library which may compare its arguments."""
        end = "::".join(path.split("::")[-2:])
        is_function = not path.split("::")[-1][:1].isupper() and end not in CONSTRUCTORS
        return is_function and self._origins.names.is_standard(path)

    def _method(self, node: Node, function: Node, given: list[Node]) -> None:
        receiver, field = function.child_by_field_name("value"), function.child_by_field_name("field")
        if receiver is None or field is None:
            raise NotEvaluable(node_text(node))
        if collects(node, self._origins, self._collections):
            pass
        elif self._origins.of(receiver) is Origin.MADE or any(self._origins.of(one) is Origin.MADE for one in given):
            name = node_text(field)
            is_passage = not given if name in PASSAGES else name in MESSAGES and _is_text(given)
            if not is_passage or self._origins.of(receiver) is Origin.STANDARD:
                raise NotEvaluable(node_text(node))
        for part in (receiver, *given):
            self.refuse_other(part)


def with_plain_values(node: Node, origins: Origins, collections: Collection[str]) -> str:
    """The text of a statement in which a set gets values of standard types only, or it does not compile."""
    text = node.text or b""
    for found in sorted(nodes_below(node), key=lambda found: -found.start_byte):
        if not collects(found, origins, collections):
            continue
        function = callee(found)
        field = function.child_by_field_name("field") if function is not None else None
        if field is None or not COLLECTS[node_text(field)]:
            continue
        for one in reversed(arguments(found)):
            start, end = one.start_byte - node.start_byte, one.end_byte - node.start_byte
            text = text[:start] + f"{PLAIN}(".encode() + text[start:end] + b")" + text[end:]
    return text.decode("utf-8", "replace")


def _is_text(given: list[Node]) -> bool:
    return len(given) == 1 and given[0].type in ("string_literal", "raw_string_literal")


def _anything(shapes: Shapes, node: Node) -> None:
    """A name."""


CHECKS: Mapping[str, Callable[[Shapes, Node], None]] = {
    "identifier": _anything,
    "scoped_identifier": _anything,
    "generic_function": _anything,
    "reference_expression": Shapes._parts,
    "parenthesized_expression": Shapes._parts,
    "tuple_expression": Shapes._parts,
    "array_expression": Shapes._parts,
    "unary_expression": Shapes._dereferenced,
    "field_expression": lambda shapes, node: shapes.refuse_other(node.child_by_field_name("value") or node),
    "index_expression": Shapes._first,
    "type_cast_expression": Shapes._first,
    "struct_expression": Shapes._fields,
    "macro_invocation": Shapes._macro,
    "closure_expression": Shapes._closure,
    "call_expression": Shapes._call,
}
