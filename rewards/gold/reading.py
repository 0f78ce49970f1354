"""Reads gold tests as checks on values, where they have a shape that allows it.

Understood are test functions of asserts, with statements that prepare arguments or call the program, loops over literal
cases, and functions of asserts that tests call with literals. Conditions, other loops and an object's methods are not:
NotEvaluable is raised then, and the whole row is left to libtest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tree_sitter import Node

from rewards.gold.asked import Expression, answer
from rewards.gold.checks import GoldCheck, equality, finishes, holds, inequality, matching, panics
from rewards.gold.computing.nodes import arguments_of, operands, parse_expression
from rewards.gold.computing.own import Operand, compared
from rewards.gold.expressions import evaluate
from rewards.gold.literals import read_literal
from rewards.gold.patterns import read_pattern
from rewards.gold.rewriting.names import Names
from rewards.gold.rewriting.unrolling import parameters, rounds
from rewards.gold.sent.origins import nodes_below
from rewards.gold.sent.printed import printed_parts
from rewards.gold.sent.typed import type_of
from rewards.gold.statements import Variables
from rewards.gold.terms import NotEvaluable
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text

__all__ = ["GoldChecks", "read_cases", "read_module"]

SHOULD_PANIC = re.compile(r"#\[\s*should_panic\s*(?:\(\s*expected\s*=\s*(?P<message>.*?)\s*,?\s*\)\s*)?\]", re.DOTALL)
PLAIN = re.compile(r"(?:pub\s+)?fn\b")
TEST = re.compile(r"#\[\s*test\s*\]")
ONLY_FOR_TESTS = re.compile(r"#\[\s*cfg\s*\(\s*test\s*\)\s*\]")
JUMPS = ("break_expression", "continue_expression")
PRINTS = ("println", "eprintln", "print", "eprint", "dbg")
FAILS = ("panic", "assert", "assert_eq", "assert_ne", "unreachable", "todo", "unimplemented")


class GoldChecks(NamedTuple):
    """A row's checks."""

    checks: tuple[GoldCheck, ...]
    uses: tuple[str, ...]  # `use` declarations that the calls need


def read_module(text: str) -> GoldChecks:
    """Read a test module. Raises: NotEvaluable when it has another shape."""
    root = syntax(text)
    items = _without_comments(root)
    heads = [node_text(item) for item in items[:-1]]
    body = items[-1].child_by_field_name("body") if items and items[-1].type == "mod_item" else None
    if root.has_error or body is None or not all(ONLY_FOR_TESTS.fullmatch(head) for head in heads):
        raise NotEvaluable("no single module of tests")
    inside = [child for child in _without_comments(body) if child.is_named]
    names = Names(node_text(item) for item in inside if item.type == "use_declaration")
    shared, checks, tests = Variables(-1, names), [], 0
    helpers = _helpers(inside)
    names.own |= helpers.keys()
    attributes: list[str] = []
    for item in inside:
        if item.type == "attribute_item":
            attributes.append(node_text(item))
        elif item.type == "use_declaration" and not attributes:
            continue
        elif item.type == "const_item" and not attributes:
            shared.let(item)
        elif item.type == "function_item" and not attributes:
            continue
        elif item.type == "function_item":
            checks += _Test(shared, helpers).checks(item, attributes, tests)
            tests += 1
            attributes = []
        else:
            raise NotEvaluable(node_text(item))
    if not checks:
        raise NotEvaluable("no asserts")
    return GoldChecks(tuple(checks), tuple(names.uses))


def read_cases(cases: Sequence[Mapping[str, Any]]) -> GoldChecks:
    """Read the objects of `gold_cases`. Raises: NotEvaluable, ValueError for one that is wrong."""
    return GoldChecks(tuple(_case(case, test) for test, case in enumerate(cases)), tuple(Names().uses))


def _case(case: Mapping[str, Any], test: int) -> GoldCheck:
    """One object of `gold_cases`."""
    given = evaluate(parse_expression(str(case["call"])), Variables(test))
    if not given.calls:
        raise NotEvaluable(str(case["call"]))
    if case.get("panics"):
        return panics(given, case["panics"] if isinstance(case["panics"], str) else "")
    if case.get("matches"):
        return matching(given, read_pattern(str(case["matches"])), f"a match of {case['matches']}")
    expected = evaluate(parse_expression(str(case["expected"])), Variables())
    if expected.calls:
        raise NotEvaluable(str(case["expected"]))
    if case.get("not"):
        return inequality(given, expected)
    allowed = {key: float(case.get(key) or 0.0) for key in ("tolerance", "relative")}
    return equality(given, expected, **allowed)


def _without_comments(node: Node) -> list[Node]:
    return [child for child in node.children if child.type not in COMMENTS]


def _helpers(items: list[Node]) -> dict[str, Node]:
    """The functions of a module that are no tests, by name. Raises: NotEvaluable for one that is no list of asserts."""
    found: dict[str, Node] = {}
    for before, item in zip([None, *items], items, strict=False):
        if item.type == "function_item" and (before is None or before.type != "attribute_item"):
            name, has_type = item.child_by_field_name("name"), item.child_by_field_name("return_type") is not None
            if (
                name is None
                or has_type
                or item.child_by_field_name("type_parameters")
                or not PLAIN.match(node_text(item))
            ):
                raise NotEvaluable("a helper function")
            found[node_text(name)] = item
    return found


class _Test:
    """Reads the functions of a module."""

    def __init__(self, shared: Variables, helpers: Mapping[str, Node]) -> None:
        """Keep what all of them can use.

        Args:
            shared: The constants of the module.
            helpers: Its functions that are no tests, by name.
        """
        self._shared, self._helpers = shared, helpers

    def checks(self, item: Node, attributes: list[str], test: int) -> list[GoldCheck]:
        """The checks of one test function."""
        return _function(item, attributes, self._shared.copy(test), self)

    def unrolled(self, inner: Node, scope: Variables) -> Iterator[GoldCheck] | None:
        """The checks of a loop or a call of a helper; None for another expression."""
        if inner.type == "for_expression":
            return self._loop(inner, scope)
        function = inner.child_by_field_name("function") if inner.type == "call_expression" else None
        helper = self._helpers.get(node_text(function)) if function is not None else None
        return None if helper is None else self._call(helper, inner, scope)

    def _loop(self, loop: Node, scope: Variables) -> Iterator[GoldCheck]:
        """The checks of all rounds."""
        body = loop.child_by_field_name("body")
        if body is None or any(child.type == "label" for child in loop.children):
            raise NotEvaluable(node_text(loop))
        scope.refuse_changes(loop)
        carried, inner = scope.changed_by(body), scope.within()
        for lets in rounds(loop, scope.node_of):
            inner = inner if carried else scope.within()
            yield from self._block([*lets, *_statements(body)], inner)
        scope.lose(carried)

    def _call(self, helper: Node, call: Node, scope: Variables) -> Iterator[GoldCheck]:
        """The checks of a helper with the arguments of a call, which must not need variables."""
        given, body = call.child_by_field_name("arguments"), helper.child_by_field_name("body")
        arguments = operands(given) if given is not None else []
        if body is None or any(scope.knows(argument) for argument in arguments):
            raise NotEvaluable(node_text(call))
        inner = _Test(self._shared, {name: item for name, item in self._helpers.items() if item != helper})
        lets = parameters(helper, arguments)
        yield from inner._block([*lets, *_statements(body)], scope.within(self._shared))

    def _block(self, statements: list[Node], scope: Variables) -> Iterator[GoldCheck]:
        """The checks of statements with a scope of their own."""
        yield from _checks(statements, scope, self)
        yield from (finishes(expression) for expression in scope.unused())


def _statements(body: Node) -> list[Node]:
    return [child for child in _without_comments(body) if child.is_named]


def _function(item: Node, attributes: list[str], scope: Variables, test: _Test) -> list[GoldCheck]:
    """The checks of one test function."""
    expected = [found for text in attributes if (found := SHOULD_PANIC.fullmatch(text))]
    known = sum(1 for text in attributes if TEST.fullmatch(text)) + len(expected)
    body, parameters = item.child_by_field_name("body"), item.child_by_field_name("parameters")
    plain = item.child_by_field_name("return_type") is None and PLAIN.match(node_text(item)) is not None
    if body is None or parameters is None or parameters.named_children or not plain or known != len(attributes):
        raise NotEvaluable(node_text(item))
    if not any(TEST.fullmatch(text) for text in attributes):
        raise NotEvaluable("a helper function")
    statements = _statements(body)
    if expected:
        return [_panicking(statements, expected[0]["message"], scope)]
    checks = list(_checks(statements, scope, test))
    checks += [finishes(expression) for expression in scope.unused()]
    if not checks:
        raise NotEvaluable("a test without asserts")
    return checks


def _checks(statements: list[Node], scope: Variables, test: _Test) -> Iterator[GoldCheck]:
    """The checks of statements, in order."""
    for statement in statements:
        inner = statement.named_children[0] if statement.type == "expression_statement" else statement
        if statement.type in ("let_declaration", "const_item"):
            _refuse_failing(statement)
            scope.let(statement)
        elif inner.type == "macro_invocation":
            yield from _macro(inner, scope)
        elif (found := test.unrolled(inner, scope)) is not None:
            yield from found
        elif statement.type == "expression_statement":
            _refuse_failing(statement)
            scope.statement(statement)
        elif statement.type != "empty_statement":
            raise NotEvaluable(node_text(statement))


def _refuse_failing(statement: Node) -> None:
    """Raise NotEvaluable for a statement that can fail the test by a macro in it, or leave it."""
    for node in nodes_below(statement):
        if node.type == "macro_invocation" and node_text(node.children[0]).removeprefix("debug_") in FAILS:
            raise NotEvaluable(node_text(statement))
        if node.type in ("return_expression", "try_expression", "unsafe_block", "await_expression", *JUMPS):
            raise NotEvaluable(node_text(statement))


def _macro(node: Node, scope: Variables) -> Iterator[GoldCheck]:
    """The check of an assert; those of what is printed, which must not panic."""
    name, arguments = node_text(node.children[0]).removeprefix("debug_"), arguments_of(
        node_text(node.children[-1])[1:-1]
    )
    if name in PRINTS:
        written = [scope.written(part) for part in printed_parts(name, arguments)]
        yield from (finishes(expression) for expression in written if expression is not None)
        return
    expressions = _sides(arguments[: 1 if name == "assert" else 2], scope)
    if name == "assert" and arguments:
        check = holds(expressions[0], node_text(arguments[0]))
    elif name in ("assert_eq", "assert_ne") and len(expressions) == 2:
        check = _comparison("==" if name == "assert_eq" else "!=", arguments, expressions, scope)
    else:
        raise NotEvaluable(name)
    if not check.calls:
        raise NotEvaluable("an assert that calls nothing")
    yield check


def _sides(arguments: list[Node], scope: Variables) -> list[Expression]:
    """What an assert looks at. A call gets the type that the other side says."""
    kinds = [type_of(argument) for argument in arguments[::-1]] if len(arguments) == 2 else [""]
    return [
        answer(scope.call(argument, kind)) if kind and scope.is_a_call(argument) else evaluate(argument, scope)
        for argument, kind in zip(arguments, kinds, strict=True)
    ]


def _comparison(sign: str, nodes: list[Node], values: list[Expression], scope: Variables) -> GoldCheck:
    """The check of `assert_eq` or `assert_ne`."""
    found = compared(sign, Operand(nodes[0], values[0]), Operand(nodes[1], values[1]), scope)
    if found.calls != values[0].calls | values[1].calls:  # two results of the program
        return holds(found, f"{node_text(nodes[0])} {sign} {node_text(nodes[1])}")
    return equality(*values) if sign == "==" else inequality(*values)


def _panicking(statements: list[Node], message: str | None, scope: Variables) -> GoldCheck:
    """The check of a `#[should_panic]` function: its last statement must panic, or one that it needs."""
    for statement in statements[:-1]:
        _refuse_failing(statement)
        if statement.type != "let_declaration":
            raise NotEvaluable(node_text(statement))
        scope.let(statement)
    if not statements:
        raise NotEvaluable("an empty test")
    last = statements[-1]
    value = last.child_by_field_name("value") if last.type == "let_declaration" else last
    if value is not None and value.type == "expression_statement":
        value = value.named_children[0]
    if value is None:
        raise NotEvaluable(node_text(last))
    wanted = ""
    if message is not None:
        literal = read_literal(parse_expression(message))
        if literal is None or literal.kind != "str":
            raise NotEvaluable(message)
        wanted = str(literal.value)
    given = evaluate(value, scope)
    if not given.calls:
        raise NotEvaluable(node_text(last))
    return panics(given, wanted)
