"""The statements of a test before an assert: which of them a call needs, and what its variables hold.

A call gets only the statements that its own variables need. A variable with a constant is replaced by it outside, so
that `let expected = 3;` never enters the program. What no call needs is a check of its own: it must not panic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from tree_sitter import Node

from rewards.gold import operations
from rewards.gold.asked import Asked, Expression, answer
from rewards.gold.computing.nodes import operands, parse_expression
from rewards.gold.constructors import CONSTRUCTORS
from rewards.gold.expressions import evaluate, makes_an_object
from rewards.gold.rewriting.names import Names
from rewards.gold.terms import NotEvaluable
from rewards.rust.tokens import node_text
from sandbox.answers.calls import Call

__all__ = ["Variables", "identifiers", "nodes_below"]

IN_FORMATS = re.compile(r"\{(\w+)")  # a variable in a format string
SHARED = re.compile(r"\b(?:(?:Ref|Once)?Cell|Mutex|RwLock|Rc|Arc|Atomic\w+)\b")  # may change without `mut`
CALL_IN_MACRO = re.compile(r"!\s*[(\[{].*?[a-z0-9_]\s*\(", re.DOTALL)
BORROWED_TO_CHANGE = re.compile(r"&\s*mut\b")


@dataclass(frozen=True, eq=False)
class _Statement:
    """A statement of a test."""

    text: str
    makes: frozenset[str]  # variables that it makes
    changes: frozenset[str]  # variables that it may change
    mentions: frozenset[str]
    asks: bool  # whether it calls a function of the program
    result: Expression | None = None  # what it evaluates, where that can be read


class Variables:
    """The names of one test, as far as its statements have been read."""

    def __init__(self, test: int = 0, names: Names = Names()) -> None:
        """Begin without variables.

        Args:
            test: The index of the test in its row.
            names: What other names mean.
        """
        self._test, self._names = test, names
        self._places: Iterator[int] = count()
        self._statements: list[_Statement] = []
        self._used: set[_Statement] = set()  # those that a call needs, or whose value a check looks at
        self._bound: dict[str, Expression | None] = {}  # None: only the program knows its value
        self._makers: dict[str, _Statement] = {}  # by variable
        self._objects: set[str] = set()  # variables whose methods are the program's own
        self._changing: set[str] = set()  # variables that may change
        self._constants: dict[str, Expression] = {}  # variables that may change, and have not left this test
        self._nodes: dict[str, Node] = {}  # what variables that stay were bound to
        self._first = 0  # index of the first statement that is not of an outer scope
        self._read: dict[tuple[str, tuple[_Statement, ...]], Expression] = {}

    def copy(self, test: int) -> Variables:
        """The same names, to which others can be added in another test."""
        twin = Variables(test, self._names)
        twin._statements, twin._bound, twin._objects = list(self._statements), dict(self._bound), set(self._objects)
        twin._makers, twin._changing, twin._used = dict(self._makers), set(self._changing), set(self._statements)
        twin._nodes, twin._constants = dict(self._nodes), dict(self._constants)
        return twin

    def within(self, shared: Variables | None = None) -> Variables:
        """A scope of the same test: that of a block in it, or of a function that sees nothing but what is shared."""
        twin = (shared or self).copy(self._test)
        twin._places, twin._first = self._places, len(twin._statements)
        if shared is None:
            twin._used = self._used
        return twin

    def node_of(self, name: str) -> Node | None:
        """The expression that a variable was bound to; None where it may have changed."""
        return self._nodes.get(name)

    def refuse_changes(self, block: Node) -> None:
        """Raise NotEvaluable for a block that may change a variable, so that later calls need it."""
        if self._changing & set(identifiers(block)):
            raise NotEvaluable(node_text(block))

    def knows(self, node: Node) -> bool:
        """Whether an expression has a variable in it."""
        return not self._bound.keys().isdisjoint(identifiers(node))

    def value_of(self, name: str) -> Expression | None:
        """What a variable holds; None for a name that is no variable.

        Raises: NotEvaluable for a variable that holds nothing which a function of the program made.
        """
        if name not in self._bound:
            return None
        self._used.add(self._makers[name])
        known = self._bound[name]
        if known is not None:
            return known
        needed = self._needed({name})
        if name not in self._objects and name in self._constants:
            return self._constants[name]
        if name in self._objects or not any(statement.asks for statement in needed):
            raise NotEvaluable(name)
        if (name, needed) not in self._read:
            self._read[name, needed] = answer(self._asked(name, needed))
        return self._read[name, needed]

    def is_imported(self, name: str) -> bool:
        """Whether the test's module imports a name from the standard library itself."""
        return self._names.is_imported(name)

    def call(self, value: Node) -> Asked:
        """The call that computes an expression, with the statements that it needs."""
        return self._asked(node_text(value), self._needed(set(identifiers(value))))

    def let(self, node: Node) -> None:
        """Read a `let` or a `const`. Raises: NotEvaluable for a pattern that is not a name or a tuple of names."""
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        pattern = pattern or node.child_by_field_name("name")
        if pattern is None or value is None or node.child_by_field_name("alternative") is not None:
            raise NotEvaluable(node_text(node))
        if value.type == "reference_expression" and BORROWED_TO_CHANGE.match(node_text(value)):
            raise NotEvaluable(node_text(node))  # a variable with another name
        if pattern.type == "tuple_pattern":
            self._let_tuple(node, pattern, value)
            return
        if pattern.type not in ("identifier", "_"):
            raise NotEvaluable(node_text(node))
        mutable = any(child.type == "mutable_specifier" for child in node.children)
        typed = node.child_by_field_name("type") is not None
        found = result = self._evaluated(value)
        if mutable or (typed and found is not None and found.calls):
            found = None  # it may change, or its type decides what the program computes
        name = node_text(pattern)
        self._add(node_text(node), {name} - {"_"}, value, result)
        if pattern.type == "identifier":
            self._bind(name, found)
            self._objects = self._objects - {name} | ({name} if makes_an_object(value) else set())
            if mutable or SHARED.search(node_text(node)):
                self._changing.add(name)
                if result is not None and not result.calls and not SHARED.search(node_text(node)):
                    self._constants[name] = result
            else:
                self._nodes[name] = value

    def statement(self, node: Node) -> None:
        """Read an expression statement that is no assert."""
        inner = node.named_children[0]
        name, changed = self._changed_here(inner)
        self._run(node_text(node).removesuffix(";"), inner)
        if changed is not None:
            self._constants[name] = changed

    def _changed_here(self, node: Node) -> tuple[str, Expression | None]:
        """The variable and its new value, for a method that is known and changes a constant."""
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        receiver = function.child_by_field_name("value") if function is not None else None
        name = node_text(receiver) if receiver is not None and receiver.type == "identifier" else ""
        given, field = node.child_by_field_name("arguments"), function and function.child_by_field_name("field")
        method = operations.CHANGES.get(node_text(field)) if field else None
        if name not in self._constants or method is None or given is None or operands(given):
            return name, None
        try:
            return name, Expression.of(method, self._constants[name])
        except NotEvaluable:
            return name, None

    def repeat(self, expressions: Iterable[Expression]) -> None:
        """Note that an assert asked for these: where one may change a variable, later calls need it too."""
        texts = {(one.place, one.text) for expression in expressions for one in expression.calls}
        for _, text in sorted(texts):
            if BORROWED_TO_CHANGE.search(text):
                self._run(f"let _ = {text}", parse_expression(text), is_checked=True)

    def unused(self) -> list[Expression]:
        """What the statements compute that neither a check nor a call has needed.

        Raises: NotEvaluable when one of them calls the program in a way that cannot be read.
        """
        found: list[Expression] = []
        for statement in self._statements[self._first :]:
            if statement in self._used or not self._reaches_the_program(statement):
                continue
            if statement.result is None:
                raise NotEvaluable(statement.text)
            if statement.result.calls:
                found.append(statement.result)
        return found

    def _reaches_the_program(self, statement: _Statement) -> bool:
        """Whether a statement calls the program, or does something to a value that came from it."""
        if statement.asks or CALL_IN_MACRO.search(statement.text):
            return True
        before = self._statements[: self._statements.index(statement)]
        return any(one.asks for one in _needed(before, set(statement.mentions)))

    def _let_tuple(self, node: Node, pattern: Node, value: Node) -> None:
        """Read `let (a, b) = ...`. The parts of a tuple become statements of their own, to be left out one by one."""
        names = [node_text(name) for name in operands(pattern)]
        if any(name.type != "identifier" for name in operands(pattern)) or node.child_by_field_name("type") is not None:
            raise NotEvaluable(node_text(node))
        if any(child.type not in ("(", ")", ",", "identifier") for child in pattern.children):
            raise NotEvaluable(node_text(node))
        parts = operands(value) if value.type == "tuple_expression" else []
        if parts and (len(parts) != len(names) or set(names) & set(identifiers(value))):
            raise NotEvaluable(node_text(node))
        if not parts:
            whole = evaluate(value, self)
            self._add(node_text(node), set(names), value, whole)
            for place, name in enumerate(names):
                self._bind(name, _field(whole, place))
            return
        values = [self._evaluated(part) for part in parts]
        for name, part, found in zip(names, parts, values, strict=True):
            self._add(f"let {name} = {node_text(part)};", {name}, part, found)
            self._bind(name, found)

    def _bind(self, name: str, found: Expression | None) -> None:
        """Bind a name to the last statement."""
        self._bound[name], self._makers[name] = found, self._statements[-1]
        self._changing.discard(name)
        self._nodes.pop(name, None)
        self._constants.pop(name, None)

    def _evaluated(self, value: Node) -> Expression | None:
        try:
            return evaluate(value, self)
        except NotEvaluable:
            return None

    def _run(self, text: str, value: Node, *, is_checked: bool = False) -> None:
        """Add a statement that makes no variable."""
        self._add(f"{text};", set(), value, None if is_checked else self._evaluated(value))
        if is_checked:
            self._used.add(self._statements[-1])

    def _add(self, text: str, makes: set[str], value: Node, result: Expression | None) -> None:
        """Add a statement. A call whose value it drops is marked."""
        mentions = frozenset(identifiers(value))
        asks = any(map(_asks_the_program, nodes_below(value)))
        changes = self._changed(text, mentions & self._changing if makes else mentions, makes, asks)
        if not makes and result is not None and _asks_the_program(value):
            result = answer(*(replace(one, is_dropped=True) for one in result.calls))
        for name in changes:
            self._constants.pop(name, None)
        self._statements.append(_Statement(text, frozenset(makes), changes, mentions, asks, result))

    def _changed(self, text: str, names: frozenset[str], makes: set[str], asks: bool) -> frozenset[str]:
        """Which of the names a statement may change. What it only hands to the program stays as it is."""
        if not asks or BORROWED_TO_CHANGE.search(text):
            return names
        makers = {name: self._makers[name] for name in names if name in self._makers}
        return frozenset(
            name for name, maker in makers.items() if SHARED.search(maker.text) or (maker.asks and not makes)
        )

    def _asked(self, value: str, needed: tuple[_Statement, ...]) -> Asked:
        """A new occurrence of a call."""
        self._used.update(needed)
        texts: list[str] = []
        bound: set[str] = set()
        for statement in needed:
            texts.append(self._names.in_full(statement.text, bound))
            bound |= statement.makes
        call = Call(self._names.in_full(value, bound), tuple(texts))
        return Asked(value, call, self._test, next(self._places))

    def _needed(self, names: set[str]) -> tuple[_Statement, ...]:
        return _needed(self._statements, names)


def _needed(statements: list[_Statement], names: set[str]) -> tuple[_Statement, ...]:
    """The statements that make or change variables, in order."""
    variables = {name for statement in statements for name in statement.makes}
    wanted = names & variables
    needed: list[_Statement] = []
    for statement in reversed(statements):
        if wanted & (statement.makes | statement.changes):
            needed.append(statement)
            wanted = (wanted - statement.makes) | (statement.mentions & variables)
    return tuple(needed[::-1])


def _field(whole: Expression, place: int) -> Expression:
    return Expression.of(lambda term: operations.field(term, str(place)), whole)


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
