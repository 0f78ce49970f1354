"""Integers and floats as Rust computes with them: an overflow panics, `as` wraps, an `f32` is rounded each time.

A literal has no width until it meets a number that has one. Where only a compiler knows which width a number has
(UNCLEAR), it can be compared, and computed with as long as every width gives the same.
"""

from __future__ import annotations

import math
import operator
from dataclasses import replace

from rewards.gold.terms import (
    FLOATS,
    RANGES,
    UNCLEAR,
    Panic,
    Term,
    Unfit,
    as_single,
    boolean,
    in_range,
    integer,
    of_one_width,
)

__all__ = ["absolute", "arithmetic", "cast", "negate", "of_unclear_width"]

IN_EVERY_WIDTH = (0, 127)
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "<<": "shift left", ">>": "shift right"}
BITS = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


def of_unclear_width(term: Term) -> Term:
    """A literal integer that has met the answer of a call without getting its width."""
    return replace(term, width=UNCLEAR) if term.kind == "int" and not term.width else term


def arithmetic(sign: str, one: Term, other: Term) -> Term:
    """The result of an operator on two numbers.

    Raises:
        Panic: On an overflow or a division by zero.
        Unfit: The numbers are not of one type.
    """
    if sign in ("<<", ">>") and one.kind == other.kind == "int":
        return _shifted(sign, one, other.value)
    left, right = of_one_width(one, other)
    if left.kind == "float":
        found = _of_floats(sign, left.value, right.value)
        return Term("float", as_single(found) if left.width == "f32" else found, width=left.width)
    return _checked(sign, left, right, _of_integers(sign, left.value, right.value))


def _checked(sign: str, one: Term, other: Term, found: int) -> Term:
    """An integer in the width of two others."""
    low, high = RANGES.get(one.width, (found, found))
    if not low <= found <= high:
        raise Panic(f"attempt to {VERBS[sign]} with overflow")
    if sign == "%" and other.value == -1 and one.value == low < 0:
        raise Panic("attempt to calculate the remainder with overflow")
    least, most = IN_EVERY_WIDTH
    if one.width == UNCLEAR and not all(least <= value <= most for value in (one.value, other.value, found)):
        raise Unfit("computed without knowing its type")
    return integer(found, one.width)


def _of_integers(sign: str, one: int, other: int) -> int:
    """The exact result; Rust's division goes towards zero."""
    match sign:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/" | "%":
            if other == 0:
                verb = "divide by zero" if sign == "/" else "calculate the remainder with a divisor of zero"
                raise Panic(f"attempt to {verb}")
            quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
            return quotient if sign == "/" else one - quotient * other
        case "&" | "|" | "^":
            found: int = BITS[sign](one, other)
            return found
    raise Unfit(f"combined by {sign}")


def _shifted(sign: str, one: Term, by: int) -> Term:
    """A shift: what leaves the width is lost, and as many places as there are bits are too many."""
    bits = (RANGES[one.width][1] - RANGES[one.width][0]).bit_length() if one.width in RANGES else 128
    if not 0 <= by < bits:
        raise Panic(f"attempt to {VERBS[sign]} with overflow")
    found = one.value << by if sign == "<<" else one.value >> by
    if one.width in RANGES:
        return integer(_wrapped(found, one.width), one.width)
    if one.width == UNCLEAR and not in_range(found, "i32"):
        raise Unfit("shifted without knowing its type")
    return replace(one, value=found)


def _wrapped(value: int, width: str) -> int:
    low, high = RANGES[width]
    return (value - low) % (high - low + 1) + low


def _of_floats(sign: str, one: float, other: float) -> float:
    match sign:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/" if other:
            return one / other
        case "/":
            undefined = math.isnan(one) or math.isnan(other) or one == 0
            return math.nan if undefined else math.copysign(math.inf, one) * math.copysign(1, other)
        case "%":
            return math.nan if not other or math.isinf(one) else math.fmod(one, other)
    raise Unfit(f"combined by {sign}")


def negate(sign: str, term: Term) -> Term:
    """The result of `-` or `!`."""
    if sign == "-" and term.kind == "float":
        return replace(term, value=-term.value)
    if sign == "-" and term.kind == "int" and not term.width.startswith("u"):
        return _checked_sign(replace(term, value=-term.value))
    if sign == "!" and term.kind == "bool":
        return boolean(not term.value)
    if sign == "!" and term.kind == "int" and term.width in RANGES:
        return replace(term, value=_wrapped(~term.value, term.width))
    raise Unfit(f"negated by {sign}")


def absolute(term: Term) -> Term:
    """What `abs` returns."""
    if term.kind not in ("int", "float") or term.width.startswith("u"):
        raise Unfit("asked for its absolute value")
    return _checked_sign(replace(term, value=abs(term.value)))


def _checked_sign(term: Term) -> Term:
    """A number with another sign, which the smallest integer has not."""
    if term.width in RANGES and not in_range(term.value, term.width):
        raise Panic("attempt to negate with overflow")
    if term.width == UNCLEAR and not 0 <= abs(term.value) <= IN_EVERY_WIDTH[1]:
        raise Unfit("negated without knowing its type")
    return term


def cast(term: Term, kind: str) -> Term:
    """The result of `as`: integers wrap, floats stop at the ends of the width.

    Raises: Unfit, for an integer too whose own width is not known and matters.
    """
    if kind in FLOATS and term.kind in ("int", "float"):
        return Term("float", as_single(float(term.value)) if kind == "f32" else float(term.value), width=kind)
    if kind == "char" and term.kind == "int" and term.width in ("u8", "") and 0 <= term.value < 256:
        return Term("char", chr(term.value))
    if kind in RANGES and (found := _whole(term, kind)) is not None:
        return integer(_wrapped(found, kind), kind)
    if kind == term.kind and kind in ("bool", "char"):
        return term
    raise Unfit(f"cast to {kind}")


def _whole(term: Term, kind: str) -> int | None:
    """The integer that a value is, before it wraps; None for one that cannot be cast."""
    if term.kind == "bool":
        return int(term.value)
    if term.kind == "char":
        return ord(str(term.value))
    if term.kind == "float":
        low, high = RANGES[kind]
        if math.isnan(term.value) or math.isinf(term.value):
            return 0 if math.isnan(term.value) else low if term.value < 0 else high
        return min(max(int(term.value), low), high)
    if term.kind == "int" and (term.width in RANGES or in_range(term.value, kind)):
        return int(term.value)
    return None
