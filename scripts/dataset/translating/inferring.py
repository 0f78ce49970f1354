"""The Rust type of Python values: one type that holds all of them, or the reason why there is none.

Types form a lattice with `join`: i32 < i64 < i128 < f64, every type below its Option, the type of nothing below all.
The type of many values is the join of their types, with two decisions that need all values at once: whether a text is a
char, and whether a sequence is a Vec or a tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

__all__ = ["INTEGERS", "UNKNOWN", "RustType", "Untyped", "infer", "is_exact", "is_known", "join", "type_text", "walk"]

INTEGERS = {"i32": 2**31, "i64": 2**63, "i128": 2**127}
MOST_FIELDS = 6  # of a tuple
MOST_EQUAL_FIELDS = 3  # of a tuple whose fields have one type: a longer one is a Vec
SEQUENCES = (list, tuple)


class Untyped(Exception):
    """Values have no common Rust type; the text says why, in words that can be counted."""


@dataclass(frozen=True)
class RustType:
    """A type. `kind` is "bool", "i32", "i64", "i128", "f64", "char", "text", "seq", "tuple", "set", "map", "option"
    or "?" for the type of nothing, as of the elements of an empty list."""

    kind: str
    parts: tuple[RustType, ...] = ()

    def __str__(self) -> str:
        return type_text(self)


UNKNOWN = RustType("?")


def infer(values: Iterable[Any], *, chars: bool = False, as_list: bool = False, in_list: bool = False) -> RustType:
    """The type of values.

    Args:
        values: All values at one place, of None, bool, int, float, str, list, tuple, set and dict.
        chars: Whether texts that are all of one character are chars.
        as_list: Whether a sequence at the top is a Vec, whatever its length.
        in_list: Whether the values are the elements of a list.
    Raises: Untyped.

    >>> str(infer([1, 2.5])), str(infer([1, 2**40])), str(infer([[], [(1, "a")]])), str(infer([None, True]))
    ('f64', 'i64', 'Vec<(i32, String)>', 'Option<bool>')
    >>> infer([1, "a"])
    Traceback (most recent call last):
    dataset.translating.inferring.Untyped: int beside str
    """
    found = list(values)
    present = [value for value in found if value is not None]
    inner = _present(present, chars, as_list, in_list) if present else UNKNOWN
    return inner if len(present) == len(found) else _option(inner)


def _present(values: list[Any], chars: bool, as_list: bool, in_list: bool) -> RustType:
    """The type of values of which none is None."""
    kinds = {type(value) for value in values}
    if kinds <= set(SEQUENCES):
        return _sequence(values, chars, as_list, in_list)
    if kinds == {set}:
        return RustType("set", (_key([part for value in values for part in value], chars),))
    if kinds == {dict}:
        keys, parts = [key for value in values for key in value], [one for value in values for one in value.values()]
        return RustType("map", (_key(keys, chars), infer(parts, chars=chars)))
    if kinds == {str}:
        return RustType("char" if chars and all(len(value) == 1 for value in values) else "text")
    if len(kinds) > 1 and not kinds <= {int, float}:
        raise Untyped(" beside ".join(sorted(kind.__name__ for kind in kinds)))
    found = reduce(join, map(_scalar, values))
    if found.kind == "f64" and not all(is_exact(value) for value in values if isinstance(value, int)):
        raise Untyped("an integer that no float holds beside floats")
    return found


def is_exact(value: int) -> bool:
    """Whether an f64 holds an integer: not all of more than 53 bits.

    >>> is_exact(2**60), is_exact(2**60 + 1)
    (True, False)
    """
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _scalar(value: Any) -> RustType:
    if isinstance(value, bool):
        return RustType("bool")
    if isinstance(value, int):
        for kind, bound in INTEGERS.items():
            if -bound <= value < bound:
                return RustType(kind)
        raise Untyped("an integer of more than 128 bits")
    if isinstance(value, float):
        return RustType("f64")
    raise Untyped(f"a value of type {type(value).__name__}")


def join(one: RustType, other: RustType) -> RustType:
    """The least type that holds the values of both. Raises: Untyped.

    >>> str(join(RustType("i32"), RustType("f64"))), str(join(UNKNOWN, RustType("char")))
    ('f64', 'char')
    >>> str(join(RustType("seq", (UNKNOWN,)), RustType("seq", (RustType("bool"),))))
    'Vec<bool>'
    """
    if one == other or other == UNKNOWN:
        return one
    if one == UNKNOWN:
        return other
    if "option" in (one.kind, other.kind):
        return _option(join(*(kind.parts[0] if kind.kind == "option" else kind for kind in (one, other))))
    numbers = [*INTEGERS, "f64"]
    if one.kind in numbers and other.kind in numbers:
        return RustType(max(one.kind, other.kind, key=numbers.index))
    if {one.kind, other.kind} == {"char", "text"}:
        return RustType("text")
    if one.kind == other.kind and len(one.parts) == len(other.parts) and one.parts:
        return RustType(one.kind, tuple(join(*pair) for pair in zip(one.parts, other.parts, strict=True)))
    raise Untyped(" beside ".join(sorted((_python(one), _python(other)))))


def _python(found: RustType) -> str:
    """The Python word for a type, for reasons."""
    words = {"i32": "int", "i64": "int", "i128": "int", "f64": "float", "text": "str", "char": "str", "map": "dict"}
    return {**words, "seq": "list"}.get(found.kind, found.kind)


def _option(inner: RustType) -> RustType:
    return inner if inner.kind == "option" else RustType("option", (inner,))


def _key(values: list[Any], chars: bool) -> RustType:
    """The type of keys and of elements of sets, which must be hashed."""
    found = infer(values, chars=chars)
    if any(part.kind in ("f64", "set", "map") for part in walk(found)):
        raise Untyped("a key that cannot be hashed")
    return found


def _sequence(values: Sequence[Any], chars: bool, as_list: bool, in_list: bool) -> RustType:
    """A Vec where all elements have one type, else a tuple: for tuples of Python, and for lists as rows of a list."""
    lengths = {len(value) for value in values}
    fixed = len(lengths) == 1 and 0 < max(lengths) <= MOST_FIELDS
    try:
        elements: RustType | Untyped = infer([part for value in values for part in value], chars=chars, in_list=True)
    except Untyped as error:
        elements = error
    is_tuple = all(isinstance(value, tuple) for value in values) and not as_list
    if isinstance(elements, Untyped) or (fixed and is_tuple and 1 < max(lengths) <= MOST_EQUAL_FIELDS):
        if not fixed:
            assert isinstance(elements, Untyped)
            raise elements
        fields = [infer(column, chars=chars) for column in zip(*values, strict=True)]
        if is_tuple or (in_list and len(values) > 1 and len(fields) > 1 and not any(one.parts for one in fields)):
            return RustType("tuple", tuple(fields))
    if isinstance(elements, Untyped):
        raise elements
    return RustType("seq", (elements,))


def walk(found: RustType) -> Iterator[RustType]:
    """A type and all types in it."""
    yield found
    for part in found.parts:
        yield from walk(part)


def is_known(found: RustType) -> bool:
    """Whether the type says all: it holds no place of which no value is known."""
    return UNKNOWN not in walk(found)


def type_text(found: RustType, *, borrowed: bool = False) -> str:
    """A type as Rust writes it.

    Args:
        found: The type.
        borrowed: Whether it is the type of a parameter: texts are `&str`, and what stands at the top is a slice or a
            reference, as nothing is said of who owns it.

    >>> words = RustType("seq", (RustType("text"),))
    >>> type_text(words), type_text(words, borrowed=True)
    ('Vec<String>', '&[&str]')
    """
    return _text(found, borrowed, at_top=borrowed)


def _text(found: RustType, borrowed: bool, at_top: bool) -> str:
    parts = [_text(part, borrowed, at_top=at_top and found.kind == "option") for part in found.parts]
    reference = "&" if at_top else ""
    match found.kind:
        case "text":
            return "&str" if borrowed else "String"
        case "seq":
            return f"&[{parts[0]}]" if at_top else f"Vec<{parts[0]}>"
        case "tuple":
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        case "set":
            return f"{reference}HashSet<{parts[0]}>"
        case "map":
            return f"{reference}HashMap<{parts[0]}, {parts[1]}>"
        case "option":
            return f"Option<{parts[0]}>"
    return found.kind
