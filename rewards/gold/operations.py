"""What Rust's operators and methods do to terms: the part of an assert that is computed outside the program.

A method that a value's type may not have raises Unfit: the program returned another type than the assert expects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

from rewards.gold.computing.arithmetic import absolute, arithmetic
from rewards.gold.computing.comparing import are_equal, fitting, order
from rewards.gold.computing.texts import debug
from rewards.gold.terms import UNCLEAR, Panic, Term, Unfit, boolean, constructor, equal, integer

__all__ = ["CHANGES", "METHODS", "TRANSPARENT", "combine", "element", "field"]

Method = Callable[..., Term]
TRANSPARENT = frozenset(  # methods whose result is the same term
    ("to_owned", "into", "clone", "as_ref", "as_deref", "as_str", "as_slice", "to_vec", "borrow", "cloned",
     "copied", "as_mut", "into_boxed_str", "into_boxed_slice", "into_string", "deref", "as_deref_mut")
)  # fmt: skip
RANGES = ("Range", "RangeInclusive", "RangeFrom", "RangeTo", "RangeToInclusive")


def combine(sign: str, one: Term, other: Term) -> Term:
    """The result of a binary operator that is no comparison. Raises: Panic, Unfit."""
    if sign in ("&", "|", "^") and one.kind == other.kind == "bool":
        return boolean({"&": one.value and other.value, "|": one.value or other.value}.get(sign, one != other))
    if sign == "+" and one.kind == other.kind == "str":
        return Term("str", one.value + other.value)
    if one.kind == other.kind and one.kind in ("int", "float"):
        return arithmetic(sign, one, other)
    raise Unfit(f"combined by {sign}")


def field(term: Term, name: str) -> Term:
    """A field of a tuple or a struct."""
    if name.isdecimal() and term.kind in ("tuple", "constructor") and int(name) < len(term.parts):
        return term.parts[int(name)]
    if name in term.names:
        return term.parts[term.names.index(name)]
    raise Unfit(f"asked for its field {name}")


def element(term: Term, place: Term) -> Term:
    """What `term[place]` is."""
    if term.kind in ("seq", "str") and place.kind == "constructor":
        return _slice(term, place)
    if term.kind == "seq" and place.kind == "int" and place.width in ("usize", "", UNCLEAR):
        if 0 <= place.value < len(term.parts):
            return term.parts[int(place.value)]
        raise Panic(f"index out of bounds: the len is {len(term.parts)} but the index is {place.value}")
    if term.kind == "map":
        for pair in term.parts:
            if are_equal(pair.parts[0], place):
                return pair.parts[1]
        raise Panic("no entry found for key")
    raise Unfit("indexed")


def _slice(term: Term, places: Term) -> Term:
    """A part of a sequence, or of a text, whose bytes are counted."""
    if places.value not in RANGES or any(part.kind != "int" for part in places.parts):
        raise Unfit("indexed")
    text = b"" if term.kind == "seq" else term.value.encode("utf-8", "surrogatepass")
    length = len(term.parts) if term.kind == "seq" else len(text)
    ends = [part.value for part in places.parts]
    start = 0 if places.value.startswith("RangeTo") else ends[0]
    end = length if places.value == "RangeFrom" else ends[-1] + places.value.endswith("Inclusive")
    if not 0 <= start <= end <= length:
        raise Panic(f"range end index {end} out of range for slice of length {length}")
    if term.kind == "seq":
        return replace(term, parts=term.parts[start:end])
    try:
        return Term("str", text[start:end].decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        raise Panic("byte index is not a char boundary") from None


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
    found = _variant(term, "Some", "Ok", "None", "Err")
    if found in ("Some", "Ok"):
        return term.parts[0]
    said = (
        "called `Option::unwrap()` on a `None` value"
        if found == "None"
        else "called `Result::unwrap()` on an `Err` value"
    )
    raise Panic(_message(said, term, message))


def _unwrap_err(term: Term, message: Term | None = None) -> Term:
    if _variant(term, "Ok", "Err") == "Err":
        return term.parts[0]
    raise Panic(_message("called `Result::unwrap_err()` on an `Ok` value", term, message))


def _message(said: str, term: Term, message: Term | None) -> str:
    """What `unwrap` or `expect` panics with."""
    said = said if message is None else str(message.value)
    return ": ".join((said, *map(debug, term.parts)))


def _unwrap_or(term: Term, other: Term) -> Term:
    return term.parts[0] if _variant(term, "Some", "Ok", "None", "Err") in ("Some", "Ok") else other


def _optional(name: str) -> Method:
    """The methods `ok` and `err`."""

    def method(term: Term) -> Term:
        return constructor("Some", *term.parts) if _variant(term, "Ok", "Err") == name else constructor("None")

    return method


def _len(term: Term) -> Term:
    if term.kind == "str":
        return integer(len(term.value.encode("utf-8", "surrogatepass")), "usize")
    if term.kind in ("seq", "set", "map"):
        return integer(len(term.parts), "usize")
    raise Unfit("asked for its length")


def _is_empty(term: Term) -> Term:
    return boolean(_len(term).value == 0)


def _contains(term: Term, part: Term) -> Term:
    if term.kind == "str" and part.kind in ("str", "char"):
        return boolean(part.value in term.value)
    if term.kind in ("seq", "set"):
        found = [are_equal(one, part) for one in term.parts]
        return boolean(any(found))
    if term.kind == "constructor" and term.value in RANGES and not term.names:
        return boolean(_is_between(term, part))
    raise Unfit("asked what it contains")


def _is_between(places: Term, part: Term) -> bool:
    """Whether a range contains a value."""
    name = str(places.value)
    low = None if name.startswith("RangeTo") else order(places.parts[0], part)
    high = None if name == "RangeFrom" else order(part, places.parts[-1])
    below = name == "RangeFrom" or (high is not None and (high < 0 or (high == 0 and name.endswith("Inclusive"))))
    return below and (name.startswith("RangeTo") or (low is not None and low <= 0))


def _get(term: Term, place: Term) -> Term:
    """What `get` returns; also of a set."""
    if term.kind == "set":
        return constructor("Some", place) if _contains(term, place).value else constructor("None")
    try:
        return constructor("Some", element(term, place))
    except Panic:
        return constructor("None")


def _contains_key(term: Term, key: Term) -> Term:
    if term.kind != "map":
        raise Unfit("asked for a key")
    return boolean(_get(term, key).value == "Some")


def _end(place: int) -> Method:
    """The methods `first` and `last`, of a set too that is in order."""

    def method(term: Term) -> Term:
        in_order = term.kind == "set" and all(_precedes(*pair) for pair in pairwise(term.parts))
        if term.kind != "seq" and not in_order:
            raise Unfit("asked for an element")
        return constructor("Some", term.parts[place]) if term.parts else constructor("None")

    return method


def _precedes(one: Term, other: Term) -> bool:
    found = order(one, other)
    return found is not None and found < 0


def _is_nan(term: Term) -> Term:
    if term.kind != "float":
        raise Unfit("expected to be a float")
    return boolean(math.isnan(term.value))


def _affix(of_text: Callable[[str, str], bool]) -> Method:
    """The methods `starts_with` and `ends_with`, of texts and of sequences."""

    def method(term: Term, part: Term) -> Term:
        if term.kind == "str" and part.kind in ("str", "char"):
            return boolean(of_text(term.value, part.value))
        if term.kind == part.kind == "seq":
            if not fitting(term, part):
                raise Unfit("compared")
            count = len(part.parts)
            found = term.parts[:count] if of_text is str.startswith else term.parts[len(term.parts) - count :]
            return boolean(count <= len(term.parts) and equal(replace(term, parts=found), part))
        raise Unfit("expected to be a text or a sequence")

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
    "abs": absolute,
    "is_nan": _is_nan,
    "starts_with": _affix(str.startswith),
    "ends_with": _affix(str.endswith),
}
