"""Which split a row belongs to: a function of its name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from dataset.writing.drafts import Draft

__all__ = ["RULE", "SPLITS", "divide", "place_of", "split_of"]

SPLITS = ("train", "eval", "test")
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


def divide(drafts: Sequence[Draft], sizes: Sequence[int]) -> tuple[Mapping[str, list[Draft]], int]:
    """The rows of each split, in order, and how many are left over as their split is full."""
    rows: dict[str, list[Draft]] = {name: [] for name in SPLITS}
    for draft in sorted(drafts, key=lambda draft: place_of(draft.task_id)):
        rows[split_of(draft.task_id, sizes)].append(draft)
    order = {draft.task_id: place for place, draft in enumerate(drafts)}
    kept = {
        name: sorted(rows[name][:size], key=lambda draft: order[draft.task_id])
        for name, size in zip(SPLITS, sizes, strict=True)
    }
    return kept, len(drafts) - sum(map(len, kept.values()))
