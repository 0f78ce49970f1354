"""Which split a row belongs to: a function of its name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from grpo.errors import BadInput

__all__ = ["RULE", "SIZES", "SPLITS", "check_sizes", "divide", "place_of", "split_of"]

Row = TypeVar("Row")

SPLITS = ("train", "eval", "test")
SIZES = (15_000, 1_000, 500)  # of the published data
RULE = (
    "The first 8 bytes of the SHA-256 of the task_id, as a fraction from 0 to 1, say the split: the sizes divide the\n"
    "range from 0 to 1 in the order train, eval, test. A split with more rows than its size keeps those with the\n"
    "lowest fractions."
)


def place_of(task_id: str) -> float:
    """A row's place from 0 to 1, evenly spread and always the same.

    >>> round(place_of("mbpp-88"), 4)
    0.9408
    """
    return int.from_bytes(hashlib.sha256(task_id.encode()).digest()[:8], "big") / 2**64


def split_of(task_id: str, sizes: Sequence[int]) -> str:
    """The split of a row, whatever other rows there are.

    Args:
        task_id: Its name.
        sizes: Of the splits, in the order of `SPLITS`; only their proportions count.

    >>> split_of("a", (1, 0, 0)), split_of("a", (0, 0, 1))
    ('train', 'test')
    """
    place, end = place_of(task_id) * sum(sizes), 0
    for name, size in zip(SPLITS, sizes, strict=True):
        end += size
        if place < end:
            return name
    raise AssertionError("the last end is above every place")


def check_sizes(sizes: Sequence[int]) -> None:
    """Raises: BadInput, for sizes below 0 or all 0."""
    if min(sizes) < 0 or not sum(sizes):
        given = " ".join(map(str, sizes))
        raise BadInput(f"--split-sizes {given}: give the rows of {', '.join(SPLITS)}, 0 or more, not all of them 0")


def divide(
    rows: Sequence[Row], sizes: Sequence[int], *, name: Callable[[Row], str]
) -> tuple[Mapping[str, list[Row]], int]:
    """The rows of each split, in order, and how many are left over as their split is full.

    Args:
        rows: To be divided.
        sizes: Of the splits, in the order of `SPLITS`.
        name: The task_id of a row.
    """
    found: dict[str, list[tuple[float, int]]] = {split: [] for split in SPLITS}
    for number, row in enumerate(rows):
        found[split_of(name(row), sizes)].append((place_of(name(row)), number))
    kept = {
        split: [rows[number] for number in sorted(number for _, number in sorted(found[split])[:size])]
        for split, size in zip(SPLITS, sizes, strict=True)
    }
    return kept, len(rows) - sum(map(len, kept.values()))
