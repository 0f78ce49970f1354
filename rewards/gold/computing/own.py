"""Operators and methods of the program's own types: what they do, only the program can say.

A program that defines such an operator is asked for the whole expression besides the values in it, and its word counts
where these are of its own types. No expectation is handed in: what is operated on are the program's own results, and
beside a literal only a value of an own type counts, which is compared outside. Two results that the program calls equal
must have equal fields too, unless one function made both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tree_sitter import Node

from rewards.gold.asked import Asked, Expression, Scope, Values
from rewards.gold.computing.comparing import are_equal, fitting, is_own, is_own_below, order
from rewards.gold.computing.nodes import operands, parse_expression
from rewards.gold.constructors import CONSTRUCTORS
from rewards.gold.literals import read_literal
from rewards.gold.terms import NotEvaluable, Panic, Term, Unfit, boolean, equal
from rewards.rust.tokens import node_text

__all__ = ["EQUALITY", "TRAITS", "Operand", "compared", "is_empty", "said_by_the_program"]

TRAITS = {
    **{"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "%": "Rem", "<<": "Shl", ">>": "Shr"},
    **{"&": "BitAnd", "|": "BitOr", "^": "BitXor"},
}
PASSED_BY = ("parenthesized_expression", "reference_expression", "unary_expression", "binary_expression")
EQUALITY = r"\beq\b"
HAS_BOTH = r"\A(?s:(?=.*\bfn\s+is_empty\b).*\bfn\s+len\b)"
CHANGES = re.compile(r"\bmut\b")
MADE_BY = re.compile(r"[\w:\s]+(?=\()")


class Operand(NamedTuple):
    """A part of an expression."""

    node: Node
    value: Expression


def said_by_the_program(
    outside: Expression,
    node: Node,
    scope: Scope,
    only_if: str,
    *about: Operand,
    deep: bool = False,
    own: bool = False,
    scales: bool = False,
) -> Expression:
    """An expression that the program computes where what it is about is of the program's own type.

    Args:
        outside: How it is computed from values of other types.
        node: The whole expression.
        scope: What names in it mean.
        only_if: What a program is searched for that defines such an operator; others are not asked.
        about: What the operator is used on.
        deep: Whether own types below the top count; without such an operator all is computed outside then.
        scales: Whether a literal beside a result is no expectation, as in `shape() * 2`.
        own: Whether an answer counts only if it is of an own type: a difference of 0 may be all that is expected.
    """
    each = [set(_origins(one.node, scope)) for one in about]
    origins = set[str]().union(*each)
    if "program" not in origins or "unknown" in origins or CHANGES.search(node_text(node)):
        return outside
    if "literal" in origins and not (scales and all(len(found) == 1 for found in each)):
        return outside  # what is expected must not be sent: `root(2.0) - 1.41421356`
    asked = replace(scope.said(node), only_if=only_if)
    is_theirs = is_own_below if deep else is_own

    def run(values: Values) -> Term:
        theirs = any(is_theirs(one.value.run(values)) for one in about)
        if not theirs or (deep and asked not in values):
            return outside.run(values)
        found = _said(asked, values)
        if (own or "literal" in origins) and not is_own(found):
            raise Unfit("computed by a type of its own")
        return found

    return Expression(run, outside.calls | {asked})


def compared(sign: str, left: Operand, right: Operand, scope: Scope) -> Expression:
    """A comparison. Raises: NotEvaluable."""
    outside = Expression.of(lambda one, other: _outside(sign, one, other), left.value, right.value)
    origins = {*_origins(left.node, scope), *_origins(right.node, scope)}
    texts = [node_text(left.node), node_text(right.node)]
    if origins != {"program"} or CHANGES.search(" ".join(texts)):
        return outside
    only_if = EQUALITY if sign in ("==", "!=") else r"\bPartialOrd\b"
    said, turned = (
        replace(scope.said(parse_expression(f"({one}) {sign} ({other})")), only_if=only_if)
        for one, other in (texts, texts[::-1])
    )
    same = _maker(left.value) == _maker(right.value) != ""

    def run(values: Values) -> Term:
        one, other = left.value.run(values), right.value.run(values)
        if said not in values or not (is_own_below(one) or is_own_below(other)):
            return outside.run(values)
        answers = _said(said, values), _said(turned, values)
        if sign in ("==", "!="):
            return _judged(one, other, answers, sign, same)
        return _ordered(*answers)

    return Expression(run, outside.calls | {said, turned})


def is_empty(outside: Expression, scope: Scope, receiver: Operand) -> Expression:
    """The method of that name. Of a type of the program's own it must agree with the type's `len`."""
    text = node_text(receiver.node)
    both = parse_expression(f"(({text}).is_empty(), ({text}).len())")
    found = said_by_the_program(outside, both, scope, HAS_BOTH, receiver)

    def agreed(term: Term) -> Term:
        if term.kind != "tuple":
            return term
        said, length = term.parts
        if said.kind != "bool" or length.kind != "int" or said.value != (length.value == 0):
            raise Unfit("empty, since its length is another")
        return said

    return Expression.of(agreed, found)


def _outside(sign: str, one: Term, other: Term) -> Term:
    if sign in ("==", "!="):
        return boolean(are_equal(one, other) == (sign == "=="))
    found = order(one, other)
    if found is None:
        return boolean(False)
    return boolean({"<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0}[sign])


def _judged(one: Term, other: Term, answers: tuple[Term, Term], sign: str, same: bool) -> Term:
    """What an own equality says, where the fields agree with it, or where it is all that the test is about."""
    said, turned = answers
    if said.kind != "bool" or said.value != turned.value:
        raise Unfit("compared by an equality of its own that depends on the order")
    is_equal = said.value == (sign == "==")
    borne_out = equal(one, other) if is_equal else fitting(one, other) and not equal(one, other)
    if borne_out or (is_equal and same):
        return said
    raise Unfit("compared by an equality of its own that the fields do not bear out")


def _ordered(said: Term, turned: Term) -> Term:
    """What an own order says, where it does not say the same of the two the other way round."""
    if said.kind == turned.kind == "bool" and said.value != turned.value:
        return said
    raise Unfit("compared by an order of its own that holds in both directions or in none")


def _maker(expression: Expression) -> str:
    """The function of the program that made a value; "" where there is more to it."""
    calls = [one for one in expression.calls if not one.only_if]
    found = MADE_BY.match(calls[0].call.value) if len(calls) == 1 else None
    return re.sub(r"\s", "", found[0]) if found else ""


def _said(asked: Asked, values: Values) -> Term:
    found = values.get(asked)
    if found is None:
        raise Unfit("computed, since its type is the program's own")
    if isinstance(found, Panic):
        raise found
    return found


def _origins(node: Node, scope: Scope) -> Iterator[str]:
    """Where the parts of an expression come from: "program", "literal" or "unknown"."""
    if node.type in PASSED_BY:
        for part in operands(node):
            yield from _origins(part, scope)
    elif node.type in ("field_expression", "index_expression"):
        yield from _origins(operands(node)[0], scope)
    elif node.type == "identifier":
        yield _origin_of(node_text(node), scope)
    elif node.type == "call_expression":
        yield from _origins_of_call(node, scope)
    else:
        yield "unknown" if read_literal(node) is None and node.type != "negative_literal" else "literal"


def _origin_of(name: str, scope: Scope) -> str:
    try:
        found = scope.value_of(name)
    except NotEvaluable:
        return "unknown"
    return "unknown" if found is None else "program" if found.calls else "literal"


def _origins_of_call(node: Node, scope: Scope) -> Iterator[str]:
    """That of a method without arguments is that of its receiver."""
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or given is None:
        yield "unknown"
    elif function.type == "field_expression":
        yield from _origins(operands(function)[0], scope) if not operands(given) else ("unknown",)
    else:
        path = re.sub(r"\s|::<[^>]*>+", "", node_text(function)).split("::")
        known = path[-1][:1].isupper() or "::".join(path[-2:]) in CONSTRUCTORS
        yield "unknown" if known else "program"
