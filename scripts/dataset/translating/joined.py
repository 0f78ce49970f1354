"""Values that Python tells apart and their joined Rust type does not: 1 and 1.0, a list and a tuple.

A type that joins them is right only where the reference does not care: it is run again on values of one kind, and has
to return the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

from dataset.translating.inferring import RustType

__all__ = ["in_one_kind", "nearly_equal"]

NEARLY, NEAR_ZERO = 1e-9, 1e-12  # floats that are added up in another order: relative, absolute


def in_one_kind(values: Sequence[Any], kind: RustType, sequence: type) -> list[Any]:
    """The values at one place, of one kind in Python: floats where a float is among numbers, one type of sequences.

    Args:
        values: All of them.
        kind: Their joined type.
        sequence: list or tuple, where both are among them.

    >>> from dataset.translating.inferring import infer
    >>> in_one_kind([[1, 2.5], (3,)], infer([[1, 2.5], (3,)]), tuple)
    [(1.0, 2.5), (3.0,)]
    """
    if not values:
        return []
    if kind.kind == "option":
        present = iter(in_one_kind([value for value in values if value is not None], kind.parts[0], sequence))
        return [None if value is None else next(present) for value in values]
    if kind.kind == "f64":
        return [float(value) for value in values] if any(isinstance(value, float) for value in values) else list(values)
    if kind.kind == "map":
        parts = iter(in_one_kind([one for value in values for one in value.values()], kind.parts[1], sequence))
        return [{key: next(parts) for key in value} for value in values]
    if kind.kind not in ("seq", "tuple"):
        return list(values)
    types = {type(value) for value in values}
    made: list[type] = [sequence if len(types) > 1 else type(value) for value in values]
    if kind.kind == "tuple":
        columns = [in_one_kind(*pair, sequence) for pair in zip(zip(*values, strict=True), kind.parts, strict=True)]
        rows: list[Any] = list(zip(*columns, strict=True))
        return [one(row) for one, row in zip(made, rows, strict=True)]
    elements = iter(in_one_kind([part for value in values for part in value], kind.parts[0], sequence))
    return [one(islice(elements, len(value))) for one, value in zip(made, values, strict=True)]


def nearly_equal(one: Any, other: Any) -> bool:
    """Whether two results are one value in Rust: floats may differ in their last digits, lists may be tuples.

    >>> nearly_equal([1, (0.1 + 0.2,)], (1.0, [0.3])), nearly_equal(1, True), nearly_equal({1}, [1])
    (True, False, False)
    """
    if isinstance(one, float) or isinstance(other, float):
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
        return numbers and math.isclose(one, other, rel_tol=NEARLY, abs_tol=NEAR_ZERO)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(nearly_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(nearly_equal(value, other[key]) for key, value in one.items())
    return type(one) is type(other) and bool(one == other)
