"""All operations, all combinations with element types, and which combinations are held out for evaluation.

The choice is a hash of the two names, so it never depends on order, on a seed, or on what else is in the tables.
"""

from __future__ import annotations

import hashlib

from tiny.elements import ELEMENTS, Element
from tiny.operation import Operation
from tiny.scalars import SCALARS
from tiny.sequences import SEQUENCE_OPERATIONS
from tiny.wrapped import WRAPPED

__all__ = ["OPERATIONS", "combinations", "is_held_out", "rivals"]

OPERATIONS: tuple[Operation, ...] = SCALARS + SEQUENCE_OPERATIONS + WRAPPED
_HELD_OUT_SHARE = 0.2  # of the combinations of an operation that several element types have
_FEWEST = 4  # element types an operation needs before any is held out


def is_held_out(operation: Operation, element: Element) -> bool:
    """Whether only evaluation may ask for this operation on this element type.

    An operation with fewer than four element types is never held out: too little of it would be left to learn from.
    """
    if sum(operation.applies_to(other) for other in ELEMENTS) < _FEWEST:
        return False
    digest = hashlib.sha256(f"{operation.name}/{element.name}".encode()).digest()
    return digest[0] / 256 < _HELD_OUT_SHARE


def combinations(*, held_out: bool) -> list[tuple[Operation, Element]]:
    """Every combination that evaluation asks for (`held_out`), or every one that training may ask for."""
    return [
        (operation, element)
        for operation in OPERATIONS
        for element in ELEMENTS
        if operation.applies_to(element) and is_held_out(operation, element) == held_out
    ]


def rivals(operation: Operation, element: Element) -> list[Operation]:
    """Other operations with the same parameters and result on this element: what a wrong answer would compute."""
    return [
        other
        for other in OPERATIONS
        if other.name != operation.name
        and other.params == operation.params
        and other.returns == operation.returns
        and other.applies_to(element)
    ]
