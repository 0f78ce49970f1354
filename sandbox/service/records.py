"""Records as JSON and back: frozen dataclasses and named tuples, read by their annotations and nothing else.

No code, no class name and no other type travels. What is read has the types that the annotations say, and what does not
is refused with its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

__all__ = ["as_json", "read_record"]


def as_json(value: Any) -> bytes:
    """A value as JSON in ASCII. A dataclass is an object, a named tuple a list; half a surrogate pair survives."""
    return json.dumps(value, default=_fields, separators=(",", ":")).encode("ascii")


def _fields(record: Any) -> dict[str, Any]:
    """The fields of a dataclass, each as it is."""
    if not is_dataclass(record):
        raise TypeError(f"{type(record).__name__} is no record")
    return {field.name: getattr(record, field.name) for field in fields(record)}


def read_record(kind: Any, value: Any, place: str) -> Any:
    """A value of the type that is wanted, from what `json.loads` gave.

    Args:
        kind: str, int, bool, a dataclass, a named tuple, or `tuple` or `Mapping` of these.
        value: Plain JSON.
        place: What to call it in a message.
    Raises: ValueError, with the place, what was given and what is allowed.

    >>> read_record(tuple[int, ...], [1, 2], "numbers")
    (1, 2)
    >>> read_record(tuple[int, ...], [1, "2"], "numbers")
    Traceback (most recent call last):
    ValueError: numbers[1] is a string; it must be a whole number
    """
    origin = get_origin(kind)
    if kind in (str, int, bool):
        _want(type(value) is kind, value, place, NAMES[kind])
        return value
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    if origin is None and issubclass(kind, tuple):
        hints = _hints(kind)
        least = len(hints) - len(kind._field_defaults)
        _want(type(value) is list and least <= len(value) <= len(hints), value, place, f"a list: {', '.join(hints)}")
        named = zip(hints.items(), value, strict=False)  # the last ones may have defaults
        return kind(*(read_record(hint, one, f"{place}.{name}") for (name, hint), one in named))
    if origin is tuple:
        return _tuple(get_args(kind), value, place)
    _want(type(value) is dict and all(_is_number(key) for key in value), value, place, "an object with numbers as keys")
    return {int(key): read_record(get_args(kind)[1], one, f"{place}.{key}") for key, one in value.items()}


NAMES: Mapping[Any, str] = {
    **{str: "a string", int: "a whole number", bool: "true or false", float: "a number with a point"},
    **{list: "a list", dict: "an object", type(None): "null"},
}


def _want(holds: bool, value: Any, place: str, allowed: str) -> None:
    if not holds:
        size = f" of {len(value)}" if type(value) in (list, dict) else ""
        raise ValueError(f"{place} is {NAMES.get(type(value), 'unknown')}{size}; it must be {allowed}")


def _is_number(key: str) -> bool:
    return key.isascii() and key.removeprefix("-").isdigit() and len(key) < 10


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    """The annotations of a class by the names of its fields, in their order."""
    return get_type_hints(kind)


def _dataclass(kind: Any, value: Any, place: str) -> Any:
    """A dataclass from an object."""
    _want(type(value) is dict, value, place, "an object")
    known = {field.name: field for field in fields(kind)}
    needed = [name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING]
    unknown = sorted(set(value) - set(known))
    missing = [name for name in needed if name not in value]
    if unknown or missing:
        wrong = f"has no {missing[0]!r}" if missing else f"has {unknown[0][:80]!r}"
        raise ValueError(f"{place} {wrong}; its fields are {', '.join(known)}")
    hints = _hints(kind)
    read = {name: read_record(hints[name], one, f"{place}.{name}") for name, one in value.items()}
    try:
        return kind(**read)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    """A tuple from a list."""
    if kinds[-1] is Ellipsis:
        _want(type(value) is list, value, place, "a list")
        kinds = (kinds[0],) * len(value)
    _want(type(value) is list and len(value) == len(kinds), value, place, f"a list of {len(kinds)}")
    read = zip(kinds, value, strict=True)
    return tuple(read_record(kind, one, f"{place}[{number}]") for number, (kind, one) in enumerate(read))
