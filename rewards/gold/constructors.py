"""Functions and constants of the standard library that make values, as functions on terms.

They are found by the last two segments of a path: `Vec::from` also as `std::vec::Vec::from`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from rewards.gold.terms import RANGES, NotEvaluable, Term, as_single, constructor, equal, integer

__all__ = ["CONSTANTS", "CONSTRUCTORS"]


def _same(term: Term) -> Term:
    return term


def _empty(kind: str) -> Callable[..., Term]:
    """A function that makes an empty collection, whatever capacity is given."""
    return lambda *_: Term(kind)


def _sequence(term: Term) -> Term:
    if term.kind == "str":
        return Term("seq", None, tuple(integer(byte, "u8") for byte in term.value.encode()))
    return _of_elements("seq", term)


def _of_elements(kind: str, term: Term) -> Term:
    if term.kind not in ("seq", "set"):
        raise NotEvaluable(kind)
    return Term(kind, None, term.parts)


def _set(term: Term) -> Term:
    """A set: equal elements once."""
    kept: list[Term] = []
    for part in _of_elements("set", term).parts:
        if not any(equal(part, other) for other in kept):
            kept.append(part)
    return Term("set", None, tuple(kept))


def _map(term: Term) -> Term:
    """A map: the last value of each key."""
    pairs: list[Term] = []
    for pair in _of_elements("map", term).parts:
        if pair.kind != "tuple" or len(pair.parts) != 2:
            raise NotEvaluable("map")
        pairs = [other for other in pairs if not equal(other.parts[0], pair.parts[0])] + [pair]
    return Term("map", None, tuple(pairs))


def _text(term: Term) -> Term:
    if term.kind not in ("str", "char"):
        raise NotEvaluable("String::from")
    return Term("str", term.value)


def _duration(nanoseconds: int) -> Callable[[Term], Term]:
    return lambda term: constructor("Duration", integer(round(term.value * nanoseconds)))


def _functions() -> dict[str, Callable[..., Term]]:
    functions: dict[str, Callable[..., Term]] = {
        "String::from": _text,
        "String::new": lambda: Term("str", ""),
        "Duration::from_secs": _duration(10**9),
        "Duration::from_millis": _duration(10**6),
        "Duration::from_micros": _duration(10**3),
        "Duration::from_nanos": _duration(1),
    }
    for name in ("Box", "Rc", "Arc", "RefCell", "Cell", "Mutex", "RwLock"):
        functions[f"{name}::new"] = functions[f"{name}::from"] = _same
    for name in ("Cow::Borrowed", "Cow::Owned", "Cow::from"):
        functions[name] = _same
    for name in ("Vec", "VecDeque", "LinkedList"):
        functions |= {
            f"{name}::new": _empty("seq"),
            f"{name}::with_capacity": _empty("seq"),
            f"{name}::from": _sequence,
        }
    for name in ("HashSet", "BTreeSet"):
        functions |= {f"{name}::new": _empty("set"), f"{name}::from": _set, f"{name}::from_iter": _set}
    for name in ("HashMap", "BTreeMap"):
        functions |= {f"{name}::new": _empty("map"), f"{name}::from": _map, f"{name}::from_iter": _map}
    return functions


def _constants() -> dict[str, Term]:
    found: dict[str, Term] = {}
    for width, (low, high) in RANGES.items():
        found[f"{width}::MIN"], found[f"{width}::MAX"] = integer(low, width), integer(high, width)
    floats = {"INFINITY": math.inf, "NEG_INFINITY": -math.inf, "NAN": math.nan}
    double = {"EPSILON": 2.0**-52, "MAX": float.fromhex("0x1.fffffffffffffp+1023"), "MIN_POSITIVE": 2.0**-1022}
    single = {"EPSILON": 2.0**-23, "MAX": float.fromhex("0x1.fffffep+127"), "MIN_POSITIVE": 2.0**-126}
    for kind, own in (("f64", double), ("f32", single)):
        for name, value in {**floats, **own, "MIN": -own["MAX"]}.items():
            found[f"{kind}::{name}"] = Term("float", value, width=kind)
    numbers = {"PI": math.pi, "E": math.e, "TAU": math.tau, "SQRT_2": math.sqrt(2), "LN_2": math.log(2)}
    for name, value in numbers.items():
        found[f"consts::{name}"] = found[f"f64::consts::{name}"] = Term("float", value, width="f64")
        found[f"f32::consts::{name}"] = Term("float", as_single(value), width="f32")
    return found


CONSTRUCTORS: Mapping[str, Callable[..., Term]] = _functions()
CONSTANTS: Mapping[str, Term] = _constants()
