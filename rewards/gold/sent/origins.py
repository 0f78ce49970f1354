"""Where the values of an expression come from: whether code of the program can run on them.

A value that a program's function made, or that has a type of the program, brings operators and methods of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import Protocol

from tree_sitter import Node

from rewards.rust.tokens import COMMENTS, node_text

__all__ = [
    "BY_THE_PROGRAM",
    "COLLECTS",
    "Origin",
    "Origins",
    "arguments",
    "callee",
    "collects",
    "identifiers",
    "nodes_below",
]

BY_THE_PROGRAM = frozenset(  # methods that hand on what the program computed; they take no arguments
    ("collect", "to_string", "iter", "into_iter", "chars", "bytes", "rev", "sum", "product", "count", "keys", "values",
     "into_keys", "into_values", "into_bytes", "into_sorted_vec", "to_uppercase", "to_lowercase", "as_bytes")
)  # fmt: skip
COLLECTS = {"insert": True, "push": False, "push_back": False, "push_front": False}  # whether it compares elements

IN_FORMATS = re.compile(r"\{(\w+)")  # a variable in a format string
PATHS = ("scoped_identifier", "scoped_type_identifier")
TYPES = ("type_arguments", "type_parameters", "let_type", "primitive_type", "generic_type")


class Origin(IntEnum):
    """Where a value comes from, the last of which counts for what is put together."""

    STANDARD = 0  # literals and the standard library
    OWN = 1  # a type of the program, as `Point { x: 1 }`
    MADE = 2  # a function of the program


class _Names(Protocol):
    """The part of `rewards.gold.rewriting.names.Names` that tells what a path means."""

    def is_standard(self, path: str) -> bool: ...


class Origins:
    """The origins of expressions in a test."""

    def __init__(self, names: _Names) -> None:
        """Begin without variables.

        Args:
            names: What other names mean.
        """
        self.names = names
        self.variables: dict[str, Origin] = {}

    def copy(self) -> Origins:
        """The same variables, to which others can be added."""
        twin = Origins(self.names)
        twin.variables = dict(self.variables)
        return twin

    def of(self, node: Node) -> Origin:
        """The origin of an expression: that of the part which may run most of the program's code."""
        return max(self._parts(node), default=Origin.STANDARD)

    def divided(self, node: Node) -> set[str]:
        """The variables of which an expression takes a part, where they hold what the test says."""
        found = set()
        methods = {callee(call) for call in nodes_below(node) if call.type == "call_expression"}
        for part in nodes_below(node):
            while part not in methods and part.type in ("field_expression", "index_expression"):
                part = part.children[0]
                if part.type == "identifier" and self.variables.get(node_text(part)) is Origin.STANDARD:
                    found.add(node_text(part))
        return found

    def called(self, call: Node) -> Origin:
        """The origin of what a call of a path returns, apart from its arguments."""
        function = callee(call)
        if function is None or function.type == "field_expression":
            return Origin.STANDARD
        return self._function(node_text(function))

    def _function(self, path: str) -> Origin:
        """The origin of what a function returns, by its path."""
        path = re.sub(r"\s|::<.*>$|<[^>]*>", "", path)
        if "::" not in path and path in self.variables:
            return self.variables[path]
        if self.names.is_standard(path):
            return Origin.STANDARD
        return Origin.OWN if path.split("::")[-1][:1].isupper() else Origin.MADE

    def _parts(self, node: Node) -> Iterator[Origin]:
        waiting = [node]
        while waiting:
            found = waiting.pop()
            if found.type == "call_expression":
                yield self.called(found)
            elif found.type == "struct_expression":
                yield Origin.OWN
            elif found.type == "token_tree":
                yield from self._tokens(found)
            elif found.type in PATHS:
                yield self._path(found)
                continue
            elif found.type in ("identifier", "shorthand_field_identifier"):
                yield self._name(node_text(found))
            elif found.type in ("string_literal", "raw_string_literal"):
                yield from (self.variables.get(name, Origin.STANDARD) for name in IN_FORMATS.findall(node_text(found)))
            if found.type not in TYPES:
                waiting += found.children

    def _path(self, node: Node) -> Origin:
        """The origin of a path that may be a constant, a variant or a function."""
        path = re.sub(r"\s|::<.*>$|<[^>]*>", "", node_text(node))
        return Origin.STANDARD if self.names.is_standard(path) else Origin.OWN

    def _name(self, name: str) -> Origin:
        if name in self.variables:
            return self.variables[name]
        return Origin.OWN if name[:1].isupper() and not self.names.is_standard(name) else Origin.STANDARD

    def _tokens(self, tree: Node) -> Iterator[Origin]:
        """The origins of what stands in a macro, whose text is not parsed."""
        children = [None, *tree.children, None, None]
        for before, child, after in zip(children, children[1:], children[2:], strict=False):
            if (
                child is None
                or not (child.type == "identifier" or _is_word(child))
                or (before is not None and before.type == ".")
            ):
                continue
            is_called = after is not None and after.type == "token_tree" and node_text(after).startswith("(")
            if is_called and node_text(child) not in self.variables:
                in_path = before is not None and before.type == "::"
                yield Origin.MADE if in_path else self._function(node_text(child))
            else:
                yield self._name(node_text(child))


def callee(call: Node) -> Node | None:
    """What a call calls, without generic arguments."""
    function = call.child_by_field_name("function")
    if function is not None and function.type == "generic_function":
        function = function.child_by_field_name("function")
    return function


def _is_word(node: Node) -> bool:
    """Whether a node is a token such as `gen`, a keyword in some places only."""
    return not node.is_named and node.type.isidentifier()


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
        if found.type in ("identifier", "shorthand_field_identifier") or _is_word(found):
            yield node_text(found)
        elif found.type in ("string_literal", "raw_string_literal"):
            yield from IN_FORMATS.findall(node_text(found))


def arguments(call: Node) -> list[Node]:
    """The arguments of a call."""
    found = call.child_by_field_name("arguments")
    return [one for one in found.named_children if one.type not in COMMENTS] if found is not None else []


def collects(node: Node, origins: Origins, collections: Collection[str]) -> bool:
    """Whether an expression puts values of the program into a collection that holds nothing else."""
    function = callee(node) if node.type == "call_expression" else None
    if function is None or function.type != "field_expression":
        return False
    receiver, field = function.child_by_field_name("value"), function.child_by_field_name("field")
    given = arguments(node)
    if receiver is None or field is None or node_text(receiver) not in collections:
        return False
    return node_text(field) in COLLECTS and all(origins.of(one) is Origin.MADE for one in given)
