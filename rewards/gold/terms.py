"""Values of Rust as terms: what a program sent, and what was expected, in one form that can be compared.

Types that hold the same are one kind here: `&str`, `String` and `Cow<str>`; slices, arrays and `Vec`; a value, a
reference to it and a `Box` of it. Integers of every width are one kind and know their width. `String` and `Vec<char>`
stay apart, and so do 1 and 1.0.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = [
    "FLOATS",
    "RANGES",
    "UNCLEAR",
    "UNIT",
    "NotEvaluable",
    "Panic",
    "Term",
    "Unfit",
    "as_single",
    "boolean",
    "constructor",
    "equal",
    "in_range",
    "integer",
    "of_one_width",
    "read_term",
    "same_path",
    "show",
]

DEEPEST = 100  # levels of a term
MANY = 300  # elements of a set that are compared with each other
LISTS = {"s": "seq", "t": "tuple", "S": "set", "m": "map"}
SHOWN = 200  # characters
BITS = {"8": 8, "16": 16, "32": 32, "64": 64, "128": 128, "size": 64}
FLOATS = ("f32", "f64")
UNCLEAR = "?"  # a width that only a compiler knows
RANGES: dict[str, tuple[int, int]] = {  # the least and the greatest value, by width
    **{f"i{name}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for name, bits in BITS.items()},
    **{f"u{name}": (0, 2**bits - 1) for name, bits in BITS.items()},
}


class Panic(Exception):
    """The program panicked, with this message, or an `unwrap` outside would have."""


class NotEvaluable(Exception):
    """An expression cannot be read without a compiler."""


class Unfit(Exception):
    """A term has not the kind that an operation needs. The text says what the operation is."""


@dataclass(frozen=True)
class Term:
    """One value.

    `kind` is "int", "float", "bool", "char", "str", "seq", "tuple", "set", "map" (its parts are tuples of two),
    "constructor" (a variant or a struct, with its path in `value`) or "opaque" (a type that has no term).
    """

    kind: str
    value: Any = None
    parts: tuple[Term, ...] = ()
    names: tuple[str, ...] = ()  # of the fields of a constructor that has some
    width: str = field(default="", repr=False)  # of a number, such as "u8"; "" for a literal that does not say
    double: bool = field(default=False, repr=False)  # whether a literal says 64 bits, or more than 32 can hold


UNIT = Term("tuple")


def integer(value: int, width: str = "") -> Term:
    return Term("int", value, width=width)


def boolean(value: bool) -> Term:
    return Term("bool", value)


def constructor(path: str, *parts: Term, names: Sequence[str] = ()) -> Term:
    """A variant or a struct.

    >>> show(constructor("Some", integer(3)))
    'Some(3)'
    """
    return Term("constructor", path, parts, tuple(names))


def equal(one: Term, other: Term, tolerance: float = 0.0, relative: float = 0.0) -> bool:
    """Whether two terms are the same value. Opaque terms equal nothing, and NaN does not equal itself.

    Args:
        one: A term.
        other: A term; that which is expected, where there is a relative tolerance.
        tolerance: How far floats may be apart.
        relative: How far each float may be from the one in `other`, as a part of that; the larger allowance counts.
    """
    allowed = (tolerance, relative)
    if one.kind != other.kind or one.kind == "opaque" or len(one.parts) != len(other.parts):
        return False
    if one.kind == "float":
        size = abs(float(other.value))
        return _equal_floats(one, other, max(tolerance, relative * size) if math.isfinite(size) else tolerance)
    if one.kind in ("set", "map"):
        if len(one.parts) > MANY:
            return sorted(map(repr, one.parts)) == sorted(map(repr, other.parts))
        left = list(other.parts)
        for part in one.parts:
            found = next((place for place, twin in enumerate(left) if equal(part, twin, *allowed)), None)
            if found is None:
                return False
            del left[found]
        return True
    if one.kind == "constructor":
        if not same_path(one.value, other.value) or sorted(one.names) != sorted(other.names):
            return False
        places = [other.names.index(name) for name in one.names] if one.names else range(len(one.parts))
        return all(equal(part, other.parts[place], *allowed) for part, place in zip(one.parts, places, strict=True))
    same = all(equal(*pair, *allowed) for pair in zip(one.parts, other.parts, strict=True))
    return bool(one.value == other.value) and same


def _equal_floats(one: Term, other: Term, tolerance: float) -> bool:
    """Whether two floats are equal. A literal is an `f32` beside one; an `f32` is no value that needs an `f64`."""
    values = [float(term.value) for term in (one, other)]
    if tolerance:
        return values[0] == values[1] or abs(values[0] - values[1]) <= tolerance
    singles = [term.width == "f32" for term in (one, other)]
    if any(singles) and any(term.double or term.width == "f64" for term in (one, other)):
        return False
    return len({as_single(value) if any(singles) else value for value in values}) == 1 and values[0] == values[0]


def as_single(value: float) -> float:
    """The `f32` that is nearest to a number."""
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def of_one_width(one: Term, other: Term) -> tuple[Term, Term]:
    """Two numbers of one kind, both with the width that they have in common. Raises: Unfit where there is none."""
    width = _common(one, other)
    if width in FLOATS:
        values = [as_single(term.value) if width == "f32" else term.value for term in (one, other)]
        return replace(one, value=values[0], width=width), replace(other, value=values[1], width=width)
    if width in RANGES and not (in_range(one.value, width) and in_range(other.value, width)):
        raise Unfit(f"computed as {width}")
    return replace(one, width=width), replace(other, width=width)


def _common(one: Term, other: Term) -> str:
    widths = {one.width, other.width} - {"", UNCLEAR}
    if one.kind != other.kind or len(widths) > 1:
        raise Unfit(f"computed together with {' and '.join(sorted(widths)) or other.kind}")
    return widths.pop() if widths else max(one.width, other.width)


def in_range(value: int, width: str) -> bool:
    """Whether a width of integers has a value."""
    low, high = RANGES[width]
    return bool(low <= value <= high)


def same_path(one: str, other: str) -> bool:
    """Whether two paths can name the same thing: the shorter is the end of the longer.

    >>> same_path("Side::West", "West"), same_path("Side::West", "Size::West")
    (True, False)
    """
    left, right = one.split("::")[::-1], other.split("::")[::-1]
    return all(a == b for a, b in zip(left, right, strict=False))


def read_term(text: str) -> Term:
    """Read a term that a program sent: hostile text.

    Raises:
        Panic: It says that the call panicked.
        ValueError: It is no term.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("a term is nested too deeply") from None
    if isinstance(found, list) and found[:1] == ["!"] and len(found) == 2 and isinstance(found[1], str):
        raise Panic(found[1])
    return _term(found, DEEPEST)


def _term(found: Any, depth: int) -> Term:
    """A term from its JSON."""
    if depth == 0:
        raise ValueError("a term is nested too deeply")
    if isinstance(found, bool):
        return boolean(found)
    if isinstance(found, int):
        return _integer(found, "i32")
    if isinstance(found, str):
        return Term("str", found)
    match found:
        case ["f32" | "f64" as width, str(text)]:
            return Term("float", as_single(float(text)) if width == "f32" else float(text), width=width)
        case [str(width), int(value)] if width in RANGES and not isinstance(value, bool):
            return _integer(value, width)
        case ["c", str(text)] if len(text) == 1:
            return Term("char", text)
        case ["o"]:
            return Term("opaque")
        case ["k", str(path), *parts]:
            return constructor(path, *(_term(part, depth - 1) for part in parts))
        case ["n", str(path), *fields] if all(_is_field(field) for field in fields):
            return constructor(
                path, *(_term(field[1], depth - 1) for field in fields), names=[field[0] for field in fields]
            )
        case [str(kind), *parts] if kind in LISTS:
            terms = [
                _term(["t", *part] if kind == "m" and isinstance(part, list) else part, depth - 1) for part in parts
            ]
            if kind == "m" and not all(term.kind == "tuple" and len(term.parts) == 2 for term in terms):
                raise ValueError("a map holds something else than pairs")
            return Term(LISTS[kind], None, tuple(terms))
    raise ValueError(f"no term: {str(found)[:SHOWN]}")


def _integer(value: int, width: str) -> Term:
    if not in_range(value, width):
        raise ValueError(f"no {width}: {str(value)[:SHOWN]}")
    return integer(value, width)


def _is_field(found: Any) -> bool:
    return isinstance(found, list) and len(found) == 2 and isinstance(found[0], str)


def show(term: Term) -> str:
    """A term as Rust writes it, for people; cut if it is long."""
    text = _shown(term).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _shown(term: Term) -> str:
    parts = [_shown(part) for part in term.parts]
    match term.kind:
        case "bool":
            return str(term.value).lower()
        case "str":
            return json.dumps(term.value, ensure_ascii=False)
        case "char":
            return f"'{term.value}'"
        case "seq":
            return f"[{', '.join(parts)}]"
        case "tuple":
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        case "set":
            return f"{{{', '.join(parts)}}}"
        case "map":
            return f"{{{', '.join(f'{_shown(pair.parts[0])}: {_shown(pair.parts[1])}' for pair in term.parts)}}}"
        case "opaque":
            return "a value of a type without a text"
        case "constructor" if term.names:
            fields = (f"{name}: {part}" for name, part in zip(term.names, parts, strict=True))
            return f"{term.value} {{ {', '.join(fields)} }}"
        case "constructor":
            return str(term.value) + (f"({', '.join(parts)})" if parts else "")
    return str(term.value)
