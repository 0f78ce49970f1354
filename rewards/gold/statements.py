"""The statements of a test before an assert: which of them a call needs, and what its variables hold.

A call gets only the statements that its own variables need. A variable with a constant is replaced by it outside, so
that `let expected = 3;` never enters the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewards.gold import operations
from rewards.gold.constructors import CONSTRUCTORS
from rewards.gold.expressions import Expression, evaluate, makes_an_object, operands
from rewards.gold.literals import NotEvaluable
from rewards.gold.terms import Panic, Term
from rewards.rust.tokens import node_text
from sandbox.answers.calls import Call

__all__ = ["Variables", "identifiers", "nodes_below"]

IN_FORMATS = re.compile(r"\{(\w+)")  # a variable in a format string


@dataclass(frozen=True)
class _Statement:
    """A statement of a test."""

    text: str
    binds: frozenset[str]  # variables that it makes
    mentions: frozenset[str]
    asks: bool  # whether it calls a function of the program


class Variables:
    """The names of one test, as far as its statements have been read."""

    def __init__(self) -> None:
        self._statements: list[_Statement] = []
        self._bound: dict[str, Expression | None] = {}  # None: only the program knows its value
        self._objects: set[str] = set()  # variables whose methods are the program's own

    def copy(self) -> Variables:
        """The same names, to which others can be added."""
        twin = Variables()
        twin._statements, twin._bound, twin._objects = list(self._statements), dict(self._bound), set(self._objects)
        return twin

    def value_of(self, name: str) -> Expression | None:
        """What a variable holds; None for a name that is no variable.

        Raises: NotEvaluable for a variable that holds nothing which a function of the program made.
        """
        if name not in self._bound:
            return None
        known = self._bound[name]
        if known is not None:
            return known
        needed = self._needed({name})
        if name in self._objects or not any(statement.asks for statement in needed):
            raise NotEvaluable(name)
        call = Call(name, tuple(statement.text for statement in needed))
        return Expression(lambda values: _value(values[call]), frozenset((call,)))

    def call(self, value: Node) -> Call:
        """The call that computes an expression, with the statements that it needs."""
        needed = self._needed(set(identifiers(value)))
        return Call(node_text(value), tuple(statement.text for statement in needed))

    def let(self, node: Node) -> None:
        """Read a `let` or a `const`. Raises: NotEvaluable for a pattern that is not a name or a tuple of names."""
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        pattern = pattern or node.child_by_field_name("name")
        if pattern is None or value is None or node.child_by_field_name("alternative") is not None:
            raise NotEvaluable(node_text(node))
        if pattern.type == "tuple_pattern":
            self._let_tuple(node, pattern, value)
            return
        if pattern.type not in ("identifier", "_"):
            raise NotEvaluable(node_text(node))
        mutable = any(child.type == "mutable_specifier" for child in node.children)
        typed = node.child_by_field_name("type") is not None
        found = None if mutable or pattern.type == "_" else self._evaluated(value)
        if typed and found is not None and found.calls:
            found = None  # the type decides what the program computes
        name = node_text(pattern)
        self._add(node_text(node), {name} - {"_"}, value)
        if pattern.type == "identifier":
            self._bound[name] = found
            self._objects = self._objects - {name} | ({name} if makes_an_object(value) else set())

    def statement(self, node: Node) -> None:
        """Read a statement that is neither a `let` nor an assert."""
        self._add(node_text(node).rstrip(";") + ";", set(), node)

    def _let_tuple(self, node: Node, pattern: Node, value: Node) -> None:
        """Read `let (a, b) = ...`. The parts of a tuple become statements of their own, to be left out one by one."""
        names = operands(pattern)
        if any(name.type != "identifier" for name in names) or node.child_by_field_name("type") is not None:
            raise NotEvaluable(node_text(node))
        if any(child.type not in ("(", ")", ",", "identifier") for child in pattern.children):
            raise NotEvaluable(node_text(node))
        parts = operands(value) if value.type == "tuple_expression" else []
        if parts and len(parts) != len(names):
            raise NotEvaluable(node_text(node))
        whole = None if parts else evaluate(value, self)
        found: list[tuple[str, Expression | None]] = []
        for place, name in enumerate(names):
            if whole is None:
                found.append((node_text(name), self._evaluated(parts[place])))
            else:
                found.append((node_text(name), _field(whole, place)))
        for place, (text, _) in enumerate(found):
            if parts:
                self._add(f"let {text} = {node_text(parts[place])};", {text}, parts[place])
        if whole is not None:
            self._add(node_text(node), {text for text, _ in found}, value)
        self._bound.update(found)

    def _evaluated(self, value: Node) -> Expression | None:
        try:
            return evaluate(value, self)
        except NotEvaluable:
            return None

    def _add(self, text: str, binds: set[str], node: Node) -> None:
        asks = any(map(_asks_the_program, nodes_below(node)))
        self._statements.append(_Statement(text, frozenset(binds), frozenset(identifiers(node)), asks))

    def _needed(self, names: set[str]) -> list[_Statement]:
        """The statements that make or change variables, in order."""
        variables = {name for statement in self._statements for name in statement.binds}
        wanted = names & variables
        needed: list[_Statement] = []
        for statement in reversed(self._statements):
            if wanted & (statement.binds or statement.mentions):
                needed.append(statement)
                wanted |= statement.mentions & variables
        return needed[::-1]


def _field(whole: Expression, place: int) -> Expression:
    return Expression.of(lambda term: operations.field(term, str(place)), whole)


def _value(found: Term | Panic) -> Term:
    if isinstance(found, Panic):
        raise found
    return found


def nodes_below(node: Node) -> Iterator[Node]:
    """A node and all nodes below it."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.children


def identifiers(node: Node) -> Iterator[str]:
    """The names in an expression, with those in format strings."""
    for found in nodes_below(node):
        if found.type in ("identifier", "shorthand_field_identifier"):
            yield node_text(found)
        elif found.type in ("string_literal", "raw_string_literal"):
            yield from IN_FORMATS.findall(node_text(found))


def _asks_the_program(node: Node) -> bool:
    """Whether a node is a call of a function that the standard library does not have."""
    if node.type != "call_expression":
        return False
    function = node.child_by_field_name("function")
    if function is not None and function.type == "generic_function":
        function = function.child_by_field_name("function")
    if function is None or function.type not in ("identifier", "scoped_identifier"):
        return False
    path = node_text(function)
    last = path.split("::")[-1]
    return not last[:1].isupper() and "::".join(path.split("::")[-2:]) not in CONSTRUCTORS
