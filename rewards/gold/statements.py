"""The statements of a test before an assert: which of them a call needs, and what its variables hold.

A call gets only the statements that its own variables need. A variable with a constant is replaced by it outside, so
that `let expected = 3;` never enters the program. What no call needs is a check of its own: it must not panic.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count

from tree_sitter import Node

from rewards.gold import operations
from rewards.gold.asked import Asked, Expression, answer
from rewards.gold.computing.nodes import operands
from rewards.gold.expressions import evaluate, makes_an_object
from rewards.gold.rewriting.names import Names
from rewards.gold.sent.origins import Origin, Origins, identifiers
from rewards.gold.sent.printed import Printed
from rewards.gold.sent.shapes import Shapes, with_plain_values
from rewards.gold.sent.steps import Kinds, TestStep, needed_steps
from rewards.gold.terms import NotEvaluable
from rewards.rust.tokens import node_text
from sandbox.answers.calls import Call

__all__ = ["Variables"]

BORROWED_TO_CHANGE = re.compile(r"&\s*mut\b")
PRIMITIVE = re.compile(r"[iu](?:8|16|32|64|128|size)|f32|f64|bool|char|String|&(?:'static\s+)?str")
LONGEST = 40  # statements that are sent for one call
MOST = 2000  # statements of a test, with those of its loops


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
        self._steps: list[TestStep] = []
        self._results: dict[TestStep, Expression] = {}  # what a statement evaluates, where that can be read
        self._used: set[TestStep] = set()  # those that a call needs, or whose value a check looks at
        self._bound: dict[str, Expression | None] = {}  # None: only the program knows its value
        self._makers: dict[str, TestStep] = {}  # by variable
        self._objects: set[str] = set()  # variables whose methods are the program's own
        self._kinds = Kinds(Origins(names))
        self._held: dict[str, Expression] = {}  # variables that may change, as long as nothing has changed them
        self._seen: set[str] = set()  # variables whose value a check looks at
        self._divided: set[str] = set()  # variables of which a call gets a part
        self._lost: set[str] = set()  # variables that a loop may have changed
        self._nodes: dict[str, Node] = {}  # what variables that stay were bound to
        self._first = 0  # index of the first statement that is not of an outer scope
        self._read: dict[tuple[str, tuple[TestStep, ...]], Expression] = {}

    def copy(self, test: int) -> Variables:
        """The same names, to which others can be added in another test."""
        twin = Variables(test, self._names)
        twin._steps, twin._bound, twin._objects = list(self._steps), dict(self._bound), set(self._objects)
        twin._makers, twin._kinds, twin._used = dict(self._makers), self._kinds.copy(), set(self._steps)
        twin._results = dict(self._results)
        twin._nodes, twin._held, twin._lost = dict(self._nodes), dict(self._held), set(self._lost)
        return twin

    def within(self, shared: Variables | None = None) -> Variables:
        """A scope of the same test: that of a block in it, or of a function that sees nothing but what is shared."""
        twin = (shared or self).copy(self._test)
        twin._places, twin._first = self._places, len(twin._steps)
        twin._seen, twin._divided = self._seen, self._divided
        if shared is None:
            twin._used = self._used
        return twin

    def node_of(self, name: str) -> Node | None:
        """The expression that a variable was bound to; None where it may have changed."""
        return self._nodes.get(name)

    def refuse_changes(self, block: Node) -> None:
        """Raise NotEvaluable for a block that may change a variable, so that later calls need it."""
        if self._kinds.changing & set(identifiers(block)):
            raise NotEvaluable(node_text(block))

    def changed_by(self, block: Node) -> frozenset[str]:
        """The variables that a loop may change: later rounds meet what earlier ones left."""
        return self._kinds.changed(block)

    def lose(self, names: frozenset[str]) -> None:
        """Note that nothing is known any more of variables."""
        self._lost |= names

    def knows(self, node: Node) -> bool:
        """Whether an expression has a variable in it."""
        return not self._bound.keys().isdisjoint(identifiers(node))

    def value_of(self, name: str) -> Expression | None:
        """What a variable holds; None for a name that is no variable.

        Raises: NotEvaluable for a variable that holds nothing which a function of the program made.
        """
        if name not in self._bound:
            return None
        needed = self._needed({name})
        self._used.add(self._makers[name])
        self._note(seen={name})
        known = self._bound[name]
        if known is not None:
            return known
        if name not in self._objects and name in self._held:
            self._used.update(needed)
            return self._held[name]
        if name in self._objects or self._kinds.origins.variables[name] is not Origin.MADE:
            raise NotEvaluable(name)
        if (name, needed) not in self._read:
            self._read[name, needed] = answer(self._asked(name, name, needed))
        return self._read[name, needed]

    def is_imported(self, name: str) -> bool:
        """Whether the test's module imports a name from the standard library itself."""
        return self._names.is_imported(name)

    def is_a_call(self, value: Node) -> bool:
        """Whether an expression is a call of a function of the program, by its name."""
        is_path = value.type == "call_expression" and self._kinds.origins.called(value) is Origin.MADE
        return is_path and not makes_an_object(value)

    def _note(self, *, seen: Collection[str] = (), divided: Collection[str] = ()) -> None:
        """Note what is looked at, and what is sent for a part of it. Raises: NotEvaluable for what is both.

        A table of inputs and results would be sent with the results.
        """
        self._seen.update(seen)
        self._divided.update(divided)
        if self._seen & self._divided:
            raise NotEvaluable(", ".join(sorted(self._seen & self._divided)))

    def call(self, value: Node, kind: str = "") -> Asked:
        """The call that computes an expression, with the statements that it needs.

        Args:
            value: The expression.
            kind: Its type, where the test says it.
        Raises: NotEvaluable for an expression that must not be sent.
        """
        if self._kinds.origins.of(value) is not Origin.MADE:
            raise NotEvaluable(node_text(value))
        self._shapes().refuse_other(value)
        text = node_text(value)
        sent = f"std::convert::identity::<{kind}>({text})" if kind else text
        self._note(divided=self._kinds.origins.divided(value))
        asked = self._asked(text, sent, self._needed(set(identifiers(value))))
        changes = self._kinds.changed(value)
        if changes and value.type != "identifier":
            self._append("", value, changes, again=asked, watched=text)
            self._used.add(self._steps[-1])
        return asked

    def written(self, part: Printed) -> Expression | None:
        """A call that writes what a test prints; None where that runs nothing of the program."""
        if self._kinds.origins.of(part.value) is Origin.STANDARD:
            return None
        self._shapes().refuse_other(part.value)
        text = node_text(part.value)
        needed = self._needed(set(identifiers(part.value)))
        return answer(self._asked(text, f'format!("{{{part.how}}}", {text})', needed))

    def said(self, value: Node) -> Asked:
        """The call that computes an operator or a method, for programs that define it. It changes nothing."""
        return self._asked(node_text(value), node_text(value), self._needed(set(identifiers(value))))

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
        result = self._evaluated(value)
        found = None if result is not None and result.calls and self._is_sent_with_its_type(node, value) else result
        name = node_text(pattern)
        self._add(_before(node, value), {name} - {"_"}, value, result)
        if pattern.type == "identifier":
            self._kinds.bind(name, value, mutable=mutable, text=node_text(node))
            changing = name in self._kinds.changing
            self._bind(name, None if changing else found)
            self._objects = self._objects - {name} | ({name} if makes_an_object(value) else set())
            if not changing:
                self._nodes[name] = value
            elif found is not None and name not in self._kinds.shared:
                self._held[name] = found

    def _is_sent_with_its_type(self, node: Node, value: Node) -> bool:
        """Whether a `let` has a type that may decide what the program computes, and not how its value is taken on."""
        kind = node.child_by_field_name("type")
        if kind is None or not PRIMITIVE.fullmatch(node_text(kind)):
            return kind is not None
        try:
            self._shapes().refuse_other(value)
        except NotEvaluable:
            return False
        return True

    def statement(self, node: Node) -> None:
        """Read an expression statement that is no assert."""
        inner = node.named_children[0]
        name, changed = self._changed_here(inner)
        self._add("", set(), inner, self._evaluated(inner))
        if changed is not None:
            self._held[name] = changed

    def _changed_here(self, node: Node) -> tuple[str, Expression | None]:
        """The variable and its new value, for a method that is known and changes what a variable holds."""
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        receiver = function.child_by_field_name("value") if function is not None else None
        name = node_text(receiver) if receiver is not None and receiver.type == "identifier" else ""
        given, field = node.child_by_field_name("arguments"), function and function.child_by_field_name("field")
        method = operations.CHANGES.get(node_text(field)) if field else None
        if name not in self._held or method is None or given is None or operands(given):
            return name, None
        try:
            return name, Expression.of(method, self._held[name])
        except NotEvaluable:
            return name, None

    def unused(self) -> list[Expression]:
        """What the statements compute that neither a check nor a call has needed.

        Raises: NotEvaluable when one of them runs the program in a way that cannot be read.
        """
        found: list[Expression] = []
        for step in self._steps[self._first :]:
            if step in self._used or not step.runs:
                continue
            if step not in self._results or not self._results[step].calls:
                raise NotEvaluable(step.text or step.watched)
            found.append(self._results[step])
        return found

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
            whole = self._evaluated(value)
            if whole is None:
                raise NotEvaluable(node_text(node))
            self._add(_before(node, value), set(names), value, whole)
            for place, name in enumerate(names):
                self._kinds.bind(name, value, mutable=False, text=node_text(node))
                self._bind(name, _field(whole, place))
            return
        for name, part in zip(names, parts, strict=True):
            found = self._evaluated(part)
            self._add(f"let {name} = ", {name}, part, found)
            self._kinds.bind(name, part, mutable=False, text=node_text(part))
            self._bind(name, None if name in self._kinds.shared else found)

    def _bind(self, name: str, found: Expression | None) -> None:
        """Bind a name to the last statement."""
        self._bound[name], self._makers[name] = found, self._steps[-1]
        self._lost.discard(name)
        self._nodes.pop(name, None)
        self._held.pop(name, None)

    def _evaluated(self, value: Node) -> Expression | None:
        """What an expression is, for a statement that is added next: it changes what its calls change."""
        place, kinds = len(self._steps), self._kinds.copy()
        known, held = dict(self._bound), dict(self._held)
        try:
            return evaluate(value, self)
        except NotEvaluable:
            return None
        finally:
            del self._steps[place:]
            self._kinds, self._bound, self._held = kinds, known, held

    def _add(self, before: str, makes: set[str], value: Node, result: Expression | None) -> None:
        """Add a statement, `before` its value. A call whose value it drops is marked."""
        if not makes and not before and result is not None and self._kinds.origins.called(value) is Origin.MADE:
            result = answer(*(replace(one, is_dropped=True) for one in result.calls))
        text = f"{before}{with_plain_values(value, self._kinds.origins, self._kinds.collections)};"
        changes = self._kinds.changed(value)
        again = next(iter(result.calls)) if result is not None and len(result.calls) == 1 else None
        if again is not None and (again.text != node_text(value) or len(makes) != 1 or not changes):
            again = None
        self._append(text, value, changes, makes, again=again, watched="".join(makes) if again else "")
        if result is not None:
            self._results[self._steps[-1]] = result

    def _append(
        self,
        text: str,
        value: Node,
        changes: frozenset[str],
        makes: Collection[str] = (),
        *,
        again: Asked | None = None,
        watched: str = "",
    ) -> None:
        """Add a step, and forget what variables held that it may change."""
        fault, shapes = "", self._shapes()
        try:
            (shapes.refuse_other if makes or again else shapes.refuse_other_statement)(value)
        except NotEvaluable as error:
            fault = str(error)
        runs, mentions = self._kinds.runs_the_program(value), frozenset(identifiers(value))
        divided = frozenset(self._kinds.origins.divided(value))
        if len(makes) > 1:
            divided |= {name for name in mentions if self._kinds.origins.variables.get(name) is Origin.STANDARD}
        step = TestStep(text, frozenset(makes), changes, mentions, runs, divided, fault, again, watched)
        self._steps.append(step)
        self._kinds.change(changes, value)
        for name in changes - set(makes):
            self._held.pop(name, None)
            if name in self._bound:
                self._bound[name] = None
        if len(self._steps) > MOST:
            raise NotEvaluable("a long test")

    def _shapes(self) -> Shapes:
        return Shapes(self._kinds.origins, self._kinds.collections)

    def _asked(self, text: str, sent: str, needed: tuple[TestStep, ...]) -> Asked:
        """A new occurrence of a call."""
        self._used.update(needed)
        if len(needed) > LONGEST:
            raise NotEvaluable("a long test")
        texts: list[str] = []
        watched: list[tuple[int, str]] = []
        bound: set[str] = set()
        for place, step in enumerate(needed):
            if step.fault:
                raise NotEvaluable(step.fault)
            self._note(divided=step.divided)
            texts.append(self._names.in_full(step.text, bound))
            bound |= step.makes
            if step.again is not None:
                watched.append((place, self._names.in_full(step.watched, bound)))
        call = Call(self._names.in_full(sent, bound), tuple(texts), tuple(watched))
        again = tuple(step.again for step in needed if step.again is not None)
        return Asked(text, call, self._test, next(self._places), again=again)

    def _needed(self, names: set[str]) -> tuple[TestStep, ...]:
        if names & self._lost:
            raise NotEvaluable(", ".join(sorted(names & self._lost)))
        return needed_steps(self._steps, names)


def _before(node: Node, value: Node) -> str:
    """The text of a statement before its value."""
    return (node.text or b"")[: value.start_byte - node.start_byte].decode("utf-8", "replace")


def _field(whole: Expression, place: int) -> Expression:
    return Expression.of(lambda term: operations.field(term, str(place)), whole)
