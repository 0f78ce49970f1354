"""All operations, their combinations with element types, and what each is for: training, evaluation, the harder set.

Most operations are learned on most element types and evaluated on the rest, which measures composition. Some operations
are never learned at all: each has a sibling that is (`choose` for `choose_other`), and they make the harder set. The
choice of combinations is a hash of the two names, so it never depends on order, on a seed, or on what else there is.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from tiny.elements import ELEMENTS, Element
from tiny.operation import Operation
from tiny.scalars import SCALARS
from tiny.sequences import SEQUENCE_OPERATIONS
from tiny.wrapped import WRAPPED

__all__ = ["HARDER", "OPERATIONS", "SPLITS", "Split", "combinations", "rivals", "split_of"]

Split = Literal["train", "eval", "harder"]

OPERATIONS: tuple[Operation, ...] = SCALARS + SEQUENCE_OPERATIONS + WRAPPED
SPLITS: tuple[Split, ...] = ("train", "eval", "harder")
HARDER = (
    *("pair", "listed", "differ", "below", "odd", "smallest", "choose_other", "some_unless", "if_different"),
    *("not_empty", "lacks", "ends_with", "last_or", "is_none", "tuple_larger", "fields_equal"),
)
_HELD_OUT_SHARE = 0.2  # of the combinations of an operation that several element types have
_FEWEST = 4  # element types an operation needs before any is held out


def split_of(operation: Operation, element: Element) -> Split:
    """What tasks about this operation on this element type are for.

    An operation with fewer than four element types is for training alone: too little of it would be left to learn from.
    """
    if operation.name in HARDER:
        return "harder"
    if sum(operation.applies_to(other) for other in ELEMENTS) < _FEWEST:
        return "train"
    digest = hashlib.sha256(f"{operation.name}/{element.name}".encode()).digest()
    return "eval" if digest[0] / 256 < _HELD_OUT_SHARE else "train"


def combinations(split: Split) -> list[tuple[Operation, Element]]:
    """Every combination that tasks of this split may ask for."""
    return [
        (operation, element)
        for operation in OPERATIONS
        for element in ELEMENTS
        if operation.applies_to(element) and split_of(operation, element) == split
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
