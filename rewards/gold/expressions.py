"""Divides an expression of a test into calls of the program and what is computed from their values outside.

In `f(&v).unwrap().len() == 2` the program computes `f(&v)`; the rest, and every literal, is computed here. So no value
that the program is compared with enters its process. Where that is impossible, NotEvaluable says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from tree_sitter import Node

from rewards.gold import operations
from rewards.gold.asked import Expression, Scope, Values, answer, constant
from rewards.gold.computing import arithmetic
from rewards.gold.computing.nodes import operands, parse_expression
from rewards.gold.computing.own import TRAITS, Operand, compared, is_empty, said_by_the_program
from rewards.gold.constructors import CONSTANTS, CONSTRUCTORS
from rewards.gold.literals import read_literal
from rewards.gold.patterns import Matcher, read_pattern
from rewards.gold.sent.origins import BY_THE_PROGRAM
from rewards.gold.terms import RANGES, UNIT, NotEvaluable, Term, Unfit, boolean, constructor
from rewards.rust.tokens import node_text

__all__ = [
    "Expression",
    "Scope",
    "answer",
    "evaluate",
    "makes_an_object",
]

MAKES_AN_OBJECT = re.compile(r"new|default|create|build\w*|with_\w+|from(?:_\w+)?")
PRIMITIVE = re.compile(r"(?:[iu](?:\d+|size)|f32|f64|bool|char|str|String|Vec|Option|Result|Box)::")
SHIFTS = ("<<", ">>")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
CLONES = ("clone", "to_owned", "to_vec", "cloned")
TELLS = ("is_some", "is_none", "is_ok", "is_err", "is_nan")  # names that say what a test expects
EITHER = ("LinkedList", "Cell", "Mutex", "RwLock")  # the standard library's, or the program's
CASTS = (*RANGES, "f32", "f64", "char", "bool")


def evaluate(node: Node, scope: Scope) -> Expression:
    """Divide an expression. Raises: NotEvaluable."""
    literal = read_literal(node)
    if literal is not None:
        return constant(literal)
    reader = READERS.get(node.type)
    if reader is None:
        raise NotEvaluable(node_text(node))
    return reader(node, scope)


def by_the_program(node: Node, scope: Scope) -> Expression:
    """The whole expression as a call of the program, if it rests on one. Raises: NotEvaluable otherwise."""
    if not _rests_on_the_program(node, scope):
        raise NotEvaluable(node_text(node))
    return answer(scope.call(node))


def _rests_on_the_program(node: Node, scope: Scope) -> bool:
    """Whether an expression is a call of the program's function, or a chain of methods on one."""
    while node.type in ("parenthesized_expression", "reference_expression", "unary_expression", "try_expression"):
        node = operands(node)[-1]
    if node.type == "identifier":
        found = scope.value_of(node_text(node))
        return found is not None and bool(found.calls)
    if node.type != "call_expression":
        return False
    function = _function(node)
    if function.type == "field_expression":
        inner = function.child_by_field_name("value")
        return inner is not None and _rests_on_the_program(inner, scope)
    return True


def makes_an_object(node: Node) -> bool:
    """Whether an expression is a call such as `Stack::new()`, of a type that is the program's own."""
    if node.type != "call_expression":
        return False
    segments = re.sub(r"\s|<[^>]*>+", "", node_text(_function(node))).split("::")
    own = len(segments) > 1 and segments[-2][:1].isupper() and "::".join(segments[-2:]) not in CONSTRUCTORS
    return own and MAKES_AN_OBJECT.fullmatch(segments[-1]) is not None


def _function(call: Node) -> Node:
    """What a call calls, without generic arguments."""
    function = call.child_by_field_name("function")
    if function is not None and function.type == "generic_function":
        function = function.child_by_field_name("function")
    if function is None:
        raise NotEvaluable(node_text(call))
    return function


def _call(node: Node, scope: Scope) -> Expression:
    """A call of a method, a constructor or a function of the program."""
    function = _function(node)
    given = node.child_by_field_name("arguments")
    arguments = operands(given) if given is not None else []
    if function.type == "field_expression":
        return _method(node, function, arguments, scope)
    path = _path(function)
    last = path.split("::")[-1]
    known = "::".join(path.split("::")[-2:])
    if known in CONSTRUCTORS:
        _refuse_unclear(path, scope)
        return Expression.of(CONSTRUCTORS[known], *(evaluate(argument, scope) for argument in arguments))
    if last[:1].isupper():
        parts = [evaluate(argument, scope) for argument in arguments]
        return Expression.of(lambda *terms: constructor(path, *terms), *parts)
    if PRIMITIVE.match(path) and not any(_rests_on_the_program(argument, scope) for argument in arguments):
        raise NotEvaluable(path)  # `i32::double(5)`: a trait of the program must be in scope
    if makes_an_object(node):
        raise NotEvaluable(path)  # methods of objects are left to a compiler
    return by_the_program(node, scope)


def _refuse_unclear(path: str, scope: Scope) -> None:
    """Raise NotEvaluable for `Cell::new` where that may be the program's own `Cell`."""
    segments = path.split("::")
    if segments[-2] in EITHER and len(segments) == 2 and not scope.is_imported(segments[-2]):
        raise NotEvaluable(path)


def _method(node: Node, function: Node, arguments: list[Node], scope: Scope) -> Expression:
    """A method: computed here if it is known, else by the program if it only hands on."""
    receiver, field = function.child_by_field_name("value"), function.child_by_field_name("field")
    assert receiver is not None and field is not None
    name = node_text(field)
    if name in operations.TRANSPARENT and not arguments:
        operand = Operand(receiver, evaluate(receiver, scope))
        only_if = r"\bclone\b" if name in CLONES else rf"\bfn\s+{name}\b"
        return said_by_the_program(operand.value, node, scope, only_if, operand, deep=True)
    if name in operations.METHODS:
        parts = [evaluate(part, scope) for part in (receiver, *arguments)]
        outside = Expression.of(_checked(operations.METHODS[name]), *map(_settled, parts))
        if name == "is_empty" and not arguments:
            return is_empty(outside, scope, Operand(receiver, parts[0]))
        if arguments or name in TELLS:
            return outside
        return said_by_the_program(outside, node, scope, rf"\bfn\s+{name}\b", Operand(receiver, parts[0]))
    if name in BY_THE_PROGRAM and not arguments:
        if name == "to_string" and not _rests_on_the_program(receiver, scope):
            return Expression.of(_to_string, evaluate(receiver, scope))
        return by_the_program(node, scope)
    raise NotEvaluable(name)


def _settled(part: Expression, by: Expression | None = None) -> Expression:
    """What an operator is given: of a literal that comes out of a call only a compiler knows the width.

    Args:
        part: An operand.
        by: What else takes the place of a call, for a literal that is shifted by it.
    """
    if not (by or part).calls:
        return part
    return replace(part, run=lambda values: arithmetic.of_unclear_width(part.run(values)))


def _checked(method: operations.Method) -> Callable[..., Term]:
    """A method that reports a wrong number of arguments as a wrong type."""

    def run(*terms: Term) -> Term:
        try:
            return method(*terms)
        except TypeError:
            raise Unfit("asked for a method that it has not") from None

    return run


def _to_string(term: Term) -> Term:
    if term.kind == "str":
        return term
    if term.kind in ("int", "char"):
        return Term("str", str(term.value))
    if term.kind == "bool":
        return Term("str", str(term.value).lower())
    raise NotEvaluable("to_string")


def _path(node: Node) -> str:
    """A path without generic arguments and white space."""
    if node.type not in ("identifier", "scoped_identifier", "type_identifier", "scoped_type_identifier"):
        raise NotEvaluable(node_text(node))
    return re.sub(r"\s|::<[^>]*>+|<[^>]*>+", "", node_text(node))


def _name(node: Node, scope: Scope) -> Expression:
    """A variable, a constant of the standard library, or a variant without values."""
    path = _path(node)
    if node.type == "identifier" and (found := scope.value_of(path)):
        return found
    for count in (3, 2):
        if (end := "::".join(path.split("::")[-count:])) in CONSTANTS:
            return constant(CONSTANTS[end])
    last = path.split("::")[-1]
    if last[:1].isupper() and (len(last) == 1 or not last.isupper()):
        return constant(constructor(path))
    raise NotEvaluable(path)


def _unary(node: Node, scope: Scope) -> Expression:
    sign, operand = node_text(node.children[0]), operands(node)[-1]
    part = evaluate(operand, scope)
    if sign == "*":
        return said_by_the_program(part, node, scope, r"\bDeref\b", Operand(operand, part), deep=True)
    outside = Expression.of(lambda term: arithmetic.negate(sign, term), _settled(part))
    return said_by_the_program(outside, node, scope, r"\b(?:Neg|Not)\b", Operand(operand, part))


def _inner(node: Node, scope: Scope) -> Expression:
    """What stands in parentheses or behind `&`."""
    return evaluate(operands(node)[-1], scope)


def _binary(node: Node, scope: Scope) -> Expression:
    found = [node.child_by_field_name(name) for name in ("left", "operator", "right")]
    left, sign, right = found[0], found[1] and node_text(found[1]), found[2]
    if left is None or sign is None or right is None:
        raise NotEvaluable(node_text(node))
    one, other = (Operand(part, evaluate(part, scope)) for part in (left, right))
    if sign in ("&&", "||"):
        return _short_circuit(sign, one.value, other.value)
    if sign in COMPARISONS:
        return compared(sign, one, other, scope)
    if sign not in TRAITS:
        raise NotEvaluable(node_text(node))
    parts = [_settled(part, by=other.value if sign in SHIFTS else part) for part in (one.value, other.value)]
    outside = Expression.of(lambda a, b: operations.combine(str(sign), a, b), *parts)
    only_if, makes_own = rf"\b{TRAITS[sign]}\b", sign not in ("+", "*")
    return said_by_the_program(outside, node, scope, only_if, one, other, own=makes_own, scales=sign == "*")


def _short_circuit(sign: str, one: Expression, other: Expression) -> Expression:
    """`&&` and `||`, which leave out the right side where the left one decides."""

    def run(values: Values) -> Term:
        decided = _truth(one.run(values)) == (sign == "||")
        return boolean(sign == "||" if decided else _truth(other.run(values)))

    found = Expression(run, one.calls | other.calls)
    return found if found.calls else found.at_once()


def _truth(term: Term) -> bool:
    if term.kind != "bool":
        raise Unfit("expected to be a bool")
    return bool(term.value)


def _tuple(node: Node, scope: Scope) -> Expression:
    parts = [evaluate(part, scope) for part in operands(node)]
    return Expression.of(lambda *terms: Term("tuple", None, terms), *parts)


def _array(node: Node, scope: Scope) -> Expression:
    length = node.child_by_field_name("length")
    parts = [evaluate(part, scope) for part in operands(node)]
    if length is None:
        return Expression.of(lambda *terms: Term("seq", None, terms), *parts)
    if len(parts) != 2 or parts[1].calls or not isinstance(count := parts[1].run({}).value, int) or count > 10_000:
        raise NotEvaluable(node_text(node))
    return Expression.of(lambda term: Term("seq", None, (term,) * count), parts[0])


def _struct(node: Node, scope: Scope) -> Expression:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        raise NotEvaluable(node_text(node))
    names, parts = [], []
    for item in operands(body):
        value = item.child_by_field_name("value") if item.type == "field_initializer" else None
        field = item.child_by_field_name("field") if item.type == "field_initializer" else operands(item)[0]
        if field is None or item.type not in ("field_initializer", "shorthand_field_initializer"):
            raise NotEvaluable(node_text(node))
        names.append(node_text(field).removeprefix("r#"))
        parts.append(evaluate(value or field, scope))
    path = _path(name)
    return Expression.of(lambda *terms: constructor(path, *terms, names=names), *parts)


def _field(node: Node, scope: Scope) -> Expression:
    value, name = node.child_by_field_name("value"), node.child_by_field_name("field")
    assert value is not None and name is not None
    text = node_text(name)
    return Expression.of(lambda term: operations.field(term, text), evaluate(value, scope))


def _index(node: Node, scope: Scope) -> Expression:
    receiver, place = operands(node)
    parts = [evaluate(part, scope) for part in (receiver, place)]
    outside = Expression.of(operations.element, *parts)
    if parts[1].calls:
        return outside
    return said_by_the_program(outside, node, scope, r"\bIndex\b", Operand(receiver, parts[0]))


def _cast(node: Node, scope: Scope) -> Expression:
    value, kind = node.child_by_field_name("value"), node.child_by_field_name("type")
    assert value is not None and kind is not None
    text, part = node_text(kind), evaluate(value, scope)
    if text not in CASTS:
        raise NotEvaluable(node_text(node))
    outside = Expression.of(lambda term: arithmetic.cast(term, text), _settled(part))
    return said_by_the_program(outside, node, scope, r"\benum\b", Operand(value, part))


def _range(node: Node, scope: Scope) -> Expression:
    """A range. The methods of one without a start or an end are not known."""
    parts = [evaluate(part, scope) for part in operands(node)]
    kinds = [child.type for child in node.children]
    sign = "..=" if "..=" in kinds else ".."
    if len(parts) == 2:
        name = "RangeInclusive" if sign == "..=" else "Range"
    elif len(parts) == 1:
        name = "RangeFrom" if kinds[-1] == sign else "RangeToInclusive" if sign == "..=" else "RangeTo"
    else:
        raise NotEvaluable(node_text(node))
    return Expression.of(lambda *terms: constructor(name, *terms), *parts)


def _macro(node: Node, scope: Scope) -> Expression:
    """`vec!` and `matches!`."""
    name, inside = node_text(node.children[0]), node_text(node.children[-1])[1:-1]
    if name == "vec":
        return _array(parse_expression(f"[{inside}]"), scope)
    if name != "matches":
        raise NotEvaluable(name)
    comma = next((child for child in node.children[-1].children if child.type == ","), None)
    if comma is None:
        raise NotEvaluable(inside)
    encoded, place = (node.text or b""), comma.start_byte - node.start_byte
    opening = node.children[-1].start_byte - node.start_byte + 1
    value = encoded[opening:place].decode("utf-8", "replace")
    pattern: Matcher = read_pattern(encoded[place + 1 : -1].decode("utf-8", "replace").strip().removesuffix(","))
    return Expression.of(lambda term: boolean(pattern(term)), evaluate(parse_expression(value), scope))


READERS: Mapping[str, Callable[[Node, Scope], Expression]] = {
    "unary_expression": _unary,
    "negative_literal": _unary,
    "parenthesized_expression": _inner,
    "reference_expression": _inner,
    "binary_expression": _binary,
    "tuple_expression": _tuple,
    "unit_expression": lambda node, scope: constant(UNIT),
    "array_expression": _array,
    "struct_expression": _struct,
    "field_expression": _field,
    "index_expression": _index,
    "type_cast_expression": _cast,
    "range_expression": _range,
    "macro_invocation": _macro,
    "identifier": _name,
    "scoped_identifier": _name,
    "generic_function": lambda node, scope: _name(_function_of(node), scope),
    "call_expression": _call,
}


def _function_of(node: Node) -> Node:
    """The name before a turbofish, as in `None::<i32>`."""
    function = node.child_by_field_name("function")
    if function is None:
        raise NotEvaluable(node_text(node))
    return function
