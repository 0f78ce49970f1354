"""The order in which a run sees its examples: epoch after epoch, each shuffled anew, a function of the seed alone."""

from __future__ import annotations

import random

__all__ = ["EpochOrder"]


class EpochOrder:
    """Which of `count` examples stands at a position of the endless stream of epochs.

    >>> order = EpochOrder(3, seed=0)
    >>> sorted(order.at(position) for position in range(3)), sorted(order.at(position) for position in range(3, 6))
    ([0, 1, 2], [0, 1, 2])
    """

    def __init__(self, count: int, *, seed: int) -> None:
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
