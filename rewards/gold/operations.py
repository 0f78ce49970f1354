"""What Rust's operators and methods do to terms: the part of an assert that is computed outside the program.

A method that a value's type may not have raises Unfit: the program returned another type than the assert expects.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rewards.gold.terms import Panic, Term, boolean, constructor, equal, integer

__all__ = ["CHANGES", "METHODS", "TRANSPARENT", "Unfit", "cast", "combine", "element", "field", "negate"]

Method = Callable[..., Term]
ORDERED = ("int", "float", "str", "char", "bool")
TRANSPARENT = frozenset(  # methods whose result is the same term
    ("to_owned", "into", "clone", "as_ref", "as_deref", "as_str", "as_slice", "to_vec", "borrow", "cloned",
     "copied", "as_mut", "into_boxed_str", "into_boxed_slice", "into_string", "deref", "as_deref_mut")
)  # fmt: skip
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Unfit(Exception):
    """A term has not the kind that an operation needs. The text says what the operation is."""


def combine(sign: str, one: Term, other: Term) -> Term:
    """The result of a binary operator."""
    if sign in ("==", "!="):
        if one.kind != other.kind or "opaque" in (one.kind, other.kind):
            raise Unfit(f"compared by {sign}")
        return boolean(equal(one, other) == (sign == "=="))
    if sign in COMPARISONS:
        if one.kind != other.kind or one.kind not in ORDERED:
            raise Unfit(f"compared by {sign}")
        return boolean(COMPARISONS[sign](one.value, other.value))
    if sign in ("&&", "||") and one.kind == other.kind == "bool":
        return boolean(one.value and other.value if sign == "&&" else one.value or other.value)
    if one.kind == other.kind and one.kind in ("int", "float"):
        return Term(one.kind, _arithmetic(sign, one.value, other.value), single=one.single or other.single)
    raise Unfit(f"combined by {sign}")


def _arithmetic(sign: str, one: float, other: float) -> float:
    """The result of arithmetic; Rust's division of integers goes towards zero."""
    match sign:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/" | "%" if isinstance(one, int) and isinstance(other, int):
            if other == 0:
                raise Panic("attempt to divide by zero")
            quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
            return quotient if sign == "/" else one - quotient * other
        case "/":
            return one / other if other else math.copysign(math.inf, one) if one else math.nan
        case "%":
            return math.fmod(one, other) if other else math.nan
        case "<<" | ">>" | "&" | "|" | "^" if isinstance(one, int) and isinstance(other, int) and abs(other) < 1 << 64:
            return _bits(sign, one, other)
    raise Unfit(f"combined by {sign}")


def _bits(sign: str, one: int, other: int) -> int:
    if sign in ("<<", ">>") and not 0 <= other < 128:
        raise Unfit("shifted")
    shifts = {"<<": operator.lshift, ">>": operator.rshift, "&": operator.and_, "|": operator.or_, "^": operator.xor}
    result: int = shifts[sign](one, other)
    return result


def negate(sign: str, term: Term) -> Term:
    """The result of `-` or `!`."""
    if sign == "-" and term.kind in ("int", "float"):
        return replace(term, value=-term.value)
    if sign == "!" and term.kind == "bool":
        return boolean(not term.value)
    raise Unfit(f"negated by {sign}")


def cast(term: Term, kind: str) -> Term:
    """The result of `as`, where it keeps the value."""
    if kind in ("f32", "f64") and term.kind in ("int", "float"):
        return Term("float", float(term.value), single=kind == "f32")
    if term.kind == "int" and kind[:1] in "iu":
        return term
    if term.kind == "char" and kind[:1] in "iu":
        return integer(ord(term.value))
    raise Unfit(f"cast to {kind}")


def field(term: Term, name: str) -> Term:
    """A field of a tuple or a struct."""
    if name.isdecimal() and term.kind in ("tuple", "constructor") and int(name) < len(term.parts):
        return term.parts[int(name)]
    if name in term.names:
        return term.parts[term.names.index(name)]
    raise Unfit(f"asked for its field {name}")


def element(term: Term, place: Term) -> Term:
    """What `term[place]` is."""
    if term.kind == "seq" and place.kind == "int":
        if 0 <= place.value < len(term.parts):
            return term.parts[int(place.value)]
        raise Panic("index out of bounds")
    if term.kind == "map":
        for pair in term.parts:
            if equal(pair.parts[0], place):
                return pair.parts[1]
        raise Panic("no entry found for key")
    raise Unfit("indexed")


def _is(*names: str) -> Method:
    """The method that tests for a constructor."""

    def method(term: Term) -> Term:
        _variant(term, *(("Ok", "Err") if {"Ok", "Err"} & set(names) else ("Some", "None")))
        return boolean(term.value in names)

    return method


def _variant(term: Term, *names: str) -> str:
    if term.kind != "constructor" or term.value not in names:
        raise Unfit(f"expected to be {' or '.join(names)}")
    return str(term.value)


def _unwrap(term: Term, message: Term | None = None) -> Term:
    if _variant(term, "Some", "Ok", "None", "Err") in ("Some", "Ok"):
        return term.parts[0]
    raise Panic("" if message is None else str(message.value))


def _unwrap_err(term: Term, message: Term | None = None) -> Term:
    if _variant(term, "Ok", "Err") == "Err":
        return term.parts[0]
    raise Panic("" if message is None else str(message.value))


def _unwrap_or(term: Term, other: Term) -> Term:
    return term.parts[0] if _variant(term, "Some", "Ok", "None", "Err") in ("Some", "Ok") else other


def _optional(name: str) -> Method:
    """The methods `ok` and `err`."""

    def method(term: Term) -> Term:
        return constructor("Some", *term.parts) if _variant(term, "Ok", "Err") == name else constructor("None")

    return method


def _len(term: Term) -> Term:
    if term.kind == "str":
        return integer(len(term.value.encode("utf-8", "surrogatepass")))
    if term.kind in ("seq", "set", "map"):
        return integer(len(term.parts))
    raise Unfit("asked for its length")


def _is_empty(term: Term) -> Term:
    return boolean(_len(term).value == 0)


def _contains(term: Term, part: Term) -> Term:
    if term.kind == "str" and part.kind in ("str", "char"):
        return boolean(part.value in term.value)
    if term.kind in ("seq", "set"):
        return boolean(any(equal(found, part) for found in term.parts))
    raise Unfit("asked what it contains")


def _get(term: Term, place: Term) -> Term:
    try:
        return constructor("Some", element(term, place))
    except Panic:
        return constructor("None")


def _contains_key(term: Term, key: Term) -> Term:
    if term.kind != "map":
        raise Unfit("asked for a key")
    return boolean(_get(term, key).value == "Some")


def _end(place: int) -> Method:
    """The methods `first` and `last`."""

    def method(term: Term) -> Term:
        if term.kind != "seq":
            raise Unfit("asked for an element")
        return constructor("Some", term.parts[place]) if term.parts else constructor("None")

    return method


def _abs(term: Term) -> Term:
    if term.kind not in ("int", "float"):
        raise Unfit("asked for its absolute value")
    return Term(term.kind, abs(term.value), single=term.single)


def _is_nan(term: Term) -> Term:
    if term.kind != "float":
        raise Unfit("expected to be a float")
    return boolean(math.isnan(term.value))


def _affix(test: Callable[[str, str], bool]) -> Method:
    """The methods `starts_with` and `ends_with` of strings."""

    def method(term: Term, part: Term) -> Term:
        if term.kind != "str" or part.kind not in ("str", "char"):
            raise Unfit("expected to be a string")
        return boolean(test(term.value, part.value))

    return method


def _sorted(term: Term) -> Term:
    """What `sort` makes of a sequence of numbers or strings."""
    kinds = {part.kind for part in term.parts}
    if term.kind != "seq" or len(kinds) > 1 or not kinds <= {"int", "str", "char", "bool"}:
        raise Unfit("sorted")
    return replace(term, parts=tuple(sorted(term.parts, key=lambda part: part.value)))


def _reversed(term: Term) -> Term:
    if term.kind != "seq":
        raise Unfit("reversed")
    return replace(term, parts=term.parts[::-1])


CHANGES: Mapping[str, Method] = {"sort": _sorted, "sort_unstable": _sorted, "reverse": _reversed}  # of their receiver
METHODS: Mapping[str, Method] = {
    "is_some": _is("Some"),
    "is_none": _is("None"),
    "is_ok": _is("Ok"),
    "is_err": _is("Err"),
    "unwrap": _unwrap,
    "expect": _unwrap,
    "unwrap_err": _unwrap_err,
    "expect_err": _unwrap_err,
    "unwrap_or": _unwrap_or,
    "ok": _optional("Ok"),
    "err": _optional("Err"),
    "len": _len,
    "is_empty": _is_empty,
    "contains": _contains,
    "contains_key": _contains_key,
    "get": _get,
    "first": _end(0),
    "last": _end(-1),
    "abs": _abs,
    "is_nan": _is_nan,
    "starts_with": _affix(str.startswith),
    "ends_with": _affix(str.endswith),
}
