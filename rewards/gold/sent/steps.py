"""The statements of a test as steps: what each makes, needs and changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from rewards.gold.asked import Asked
from rewards.gold.computing.nodes import operands
from rewards.gold.constructors import CONSTRUCTORS
from rewards.gold.operations import METHODS, TRANSPARENT
from rewards.gold.sent.origins import BY_THE_PROGRAM, Origin, Origins, callee, collects, identifiers, nodes_below
from rewards.rust.tokens import node_text

__all__ = ["Kinds", "TestStep", "needed_steps"]

SHARED = re.compile(r"\b(?:(?:Ref|Once)?Cell|Mutex|RwLock|Rc|Arc|Atomic\w+)\b")  # may change without `mut`
STILL = frozenset((*METHODS, *TRANSPARENT, *BY_THE_PROGRAM)) - {"as_mut", "as_deref_mut"}  # change no receiver
INSIDE = ("field_expression", "index_expression", "parenthesized_expression", "unary_expression")
OPERATORS = ("binary_expression", "unary_expression", "index_expression", "compound_assignment_expr")


@dataclass(frozen=True, eq=False)
class TestStep:
    """A statement of a test."""

    text: str
    makes: frozenset[str]  # variables that it makes
    changes: frozenset[str]  # variables that it may change
    mentions: frozenset[str]
    runs: bool = False  # whether it may run code of the program
    divided: frozenset[str] = frozenset()  # variables of which it takes a part
    fault: str = ""  # why it must not be sent
    again: Asked | None = None  # the call whose value it computes once more
    watched: str = ""  # the expression that has this value after it


@dataclass
class Kinds:
    """What is known of the variables of a test, besides their values."""

    origins: Origins
    changing: set[str] = field(default_factory=set)  # those that may change
    shared: set[str] = field(default_factory=set)  # those that may change without `mut`, also under another name
    collections: set[str] = field(default_factory=set)  # those with nothing in them but what the program made

    def copy(self) -> Kinds:
        """The same, to which others can be added."""
        return Kinds(self.origins.copy(), set(self.changing), set(self.shared), set(self.collections))

    def bind(self, name: str, value: Node, *, mutable: bool, text: str) -> None:
        """Note a new variable.

        Args:
            name: Its name.
            value: What it is bound to.
            mutable: Whether it is declared with `mut`.
            text: The statement.
        """
        origin = self.origins.of(value)
        self.origins.variables[name] = origin
        for names in (self.changing, self.shared, self.collections):
            names.discard(name)
        if SHARED.search(text) or self.shared & set(identifiers(value)):
            self.shared.add(name)
        if mutable or name in self.shared:
            self.changing.add(name)
        if mutable and origin is Origin.STANDARD and _is_empty(value):
            self.collections.add(name)

    def change(self, names: frozenset[str], value: Node) -> None:
        """Note that an expression may have changed variables."""
        origin = self.origins.of(value)
        for name in names & self.origins.variables.keys():
            self.origins.variables[name] = max(self.origins.variables[name], origin)
        if not collects(value, self.origins, self.collections):
            self.collections -= names

    def changed(self, node: Node) -> frozenset[str]:
        """The variables that an expression may change.

        A call changes those in it that it gets to change, that are shared, that the program made, or that it calls.
        """
        found = set(self._changed(node)) & self.origins.variables.keys()
        return frozenset(found | self.shared if found & self.shared else found)

    def _changed(self, node: Node) -> Iterator[str]:
        for found in nodes_below(node):
            function = callee(found) if found.type == "call_expression" else None
            if function is not None and function.type == "field_expression":
                yield from self._by_method(function)
            elif function is not None and self.origins.called(found) is Origin.MADE:
                yield from (name for name in identifiers(found) if self._may_change(name))
            elif found.type == "reference_expression" and any(
                one.type == "mutable_specifier" for one in found.children
            ):
                yield from identifiers(found)
            elif found.type in ("assignment_expression", "compound_assignment_expr"):
                yield from identifiers(found.child_by_field_name("left") or found)
            elif found.type == "token_tree":
                yield from (name for name in identifiers(found) if name in self.changing or self._may_change(name))

    def _may_change(self, name: str) -> bool:
        return name in self.shared or self.origins.variables.get(name) is Origin.MADE

    def _by_method(self, function: Node) -> Iterator[str]:
        """The variable that a method may change."""
        receiver, method = function.child_by_field_name("value"), function.child_by_field_name("field")
        if method is not None and node_text(method) in STILL:
            return
        while receiver is not None and receiver.type in INSIDE:
            receiver = operands(receiver)[0]
        if receiver is not None and receiver.type == "identifier":
            name = node_text(receiver)
            if name in self.changing or self._may_change(name):
                yield name

    def runs_the_program(self, node: Node) -> bool:
        """Whether code of the program may run in an expression: its functions, methods and operators."""
        for found in nodes_below(node):
            if found.type == "call_expression" and self.origins.called(found) is Origin.MADE:
                return True
            function = callee(found) if found.type == "call_expression" else None
            is_method = function is not None and function.type == "field_expression"
            is_macro = found.type == "macro_invocation" and node_text(found.children[0]) != "vec"
            if (is_method or is_macro or found.type in OPERATORS) and self.origins.of(found) is not Origin.STANDARD:
                return True
            if found.type == "token_tree" and self.origins.of(found) is Origin.MADE:
                return True
        return False


def _is_empty(value: Node) -> bool:
    """Whether an expression makes an empty collection."""
    function = callee(value) if value.type == "call_expression" else None
    given = value.child_by_field_name("arguments")
    if function is None or given is None or operands(given):
        return False
    path = re.sub(r"\s|::<[^>]*>+|<[^>]*>+", "", node_text(function))
    return "::".join(path.split("::")[-2:]) in CONSTRUCTORS


def needed_steps(steps: Sequence[TestStep], names: set[str]) -> tuple[TestStep, ...]:
    """The steps that make or change variables, in order."""
    variables = {name for step in steps for name in step.makes}
    wanted = names & variables
    needed: list[TestStep] = []
    for step in reversed(steps):
        if wanted & (step.makes | step.changes):
            needed.append(step)
            wanted = (wanted - step.makes) | (step.mentions & variables)
    return tuple(needed[::-1])
