"""Near-duplicates, by an exact join of sets: nothing is estimated, as it is with MinHash.

Two sets whose Jaccard similarity is t or more share an element among the first `n - ceil(t n) + 1` of each, if both
are in one order of elements. With the rare elements first there are few sets to compare with. Source: Chaudhuri, Ganti
and Kaushik, A Primitive Operator for Similarity Joins in Data Cleaning, 2006.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence, Set

__all__ = ["jaccard", "near_duplicates"]

ROUNDING = 1e-9  # 0.7 * 10 is a little more than 7 as floats


def jaccard(one: Set[int], other: Set[int]) -> float:
    """`|A & B| / |A | B|`; 0 of two empty sets.

    >>> jaccard({1, 2, 3}, {2, 3, 4})
    0.5
    """
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def near_duplicates(sets: Sequence[Set[int]], threshold: float) -> dict[int, int]:
    """Which sets are near one that is kept: the first is kept, and each next one that is near none of the kept.

    Args:
        sets: The texts, as runs of words, the most wanted first.
        threshold: The Jaccard similarity from which on two are near, above 0.
    Returns:
        The number of each near-duplicate, with the number of the kept set that it is closest to.

    >>> near_duplicates([{1, 2, 3}, {7, 8}, {1, 2, 3, 4}], 0.7)
    {2: 0}
    """
    frequency = Counter(run for one in sets for run in one)
    kept_with: defaultdict[int, list[int]] = defaultdict(list)
    found: dict[int, int] = {}
    for number, one in enumerate(sets):
        first = sorted(one, key=lambda run: (frequency[run], run))[: _num_first(len(one), threshold)]
        candidates = sorted({other for run in first for other in kept_with.get(run, ())})
        similarity, closest = max(((jaccard(one, sets[other]), -other) for other in candidates), default=(0.0, 0))
        if similarity + ROUNDING >= threshold:
            found[number] = -closest
            continue
        for run in first:
            kept_with[run].append(number)
    return found


def _num_first(size: int, threshold: float) -> int:
    return size - math.ceil(threshold * size - ROUNDING) + 1
