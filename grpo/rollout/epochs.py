"""The order in which a run sees its examples: epoch after epoch, each shuffled anew, a function of the seed alone.

Where the examples are from several sources, each source has epochs of its own, and weights say whose turn it is. Left
out: a random choice of the source. The turns are spread as evenly as they can be, so every batch is a mixture.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

__all__ = ["EpochOrder", "MixedOrder", "Share", "turns_of_pass"]


class Share(NamedTuple):
    """One source of a mixture: how many examples it has, at least 1, and its weight, above 0."""

    size: int
    weight: float


class EpochOrder:
    """Which of `count` examples stands at a position of the endless stream of epochs.

    >>> order = EpochOrder(3, seed=0)
    >>> sorted(order.at(position) for position in range(3)), sorted(order.at(position) for position in range(3, 6))
    ([0, 1, 2], [0, 1, 2])
    """

    def __init__(self, count: int, *, seed: int | str) -> None:
        """
        Args:
            count: Number of examples, at least 1.
            seed: Of the shuffles.
        """
        self._count, self._seed = count, seed
        self._epoch, self._order = -1, list[int]()

    def at(self, position: int) -> int:
        """The index of the example at a position, counted from 0."""
        epoch, offset = divmod(position, self._count)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, list(range(self._count))
            random.Random(f"{self._seed}/{epoch}").shuffle(self._order)
        return self._order[offset]


class MixedOrder:
    """Which example of several sources, one after the other in one list, stands at a position of the endless stream.

    A turn goes to the source with the smallest `(n + 1/2) / weight`, where n counts the turns it has had; of equal ones
    to the first. So after any number of turns each source has had its share of them, give or take about one. The first
    source has the order that it would have alone; one source alone is an `EpochOrder`.

    Source: Webster's method of apportionment, which gives seats to parties one by one in this way.

    >>> order = MixedOrder([Share(2, 1.0), Share(1, 0.5)], seed=0)
    >>> [order.at(position) == 2 for position in range(6)]  # is it the second source's turn?
    [False, True, False, False, True, False]
    """

    def __init__(self, shares: Sequence[Share], *, seed: int) -> None:
        """
        Args:
            shares: The sources, in the order of their examples in the list.
            seed: Of the shuffles; every source has others.
        """
        self._weights = [share.weight for share in shares]
        self._starts = list(accumulate((share.size for share in shares), initial=0))
        seeds: list[int | str] = [seed, *(f"{seed}/source/{number}" for number in range(1, len(shares)))]
        self._orders = [EpochOrder(share.size, seed=own) for share, own in zip(shares, seeds, strict=True)]
        self._taken = [0] * len(shares)  # turns of each source before a position, which is their sum

    def at(self, position: int) -> int:
        """The index of the example at a position, counted from 0; fastest where positions come in order."""
        if position < sum(self._taken):
            self._taken = [0] * len(self._taken)
        for _ in range(position - sum(self._taken)):
            self._taken[self._whose_turn()] += 1
        source = self._whose_turn()
        return self._starts[source] + self._orders[source].at(self._taken[source])

    def _whose_turn(self) -> int:
        """The source that has the turn after those that were taken."""
        if len(self._taken) == 1:
            return 0
        return min(range(len(self._taken)), key=lambda source: (self._taken[source] + 0.5) / self._weights[source])


def turns_of_pass(shares: Sequence[Share]) -> float:
    """Turns of a pass: in which the first source has as many as it has examples, and the others their shares.

    >>> turns_of_pass([Share(100, 1.0), Share(7, 0.5)])
    150.0
    """
    return shares[0].size * sum(share.weight for share in shares) / shares[0].weight
