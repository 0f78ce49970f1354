"""Which rank computes which micro-batch: a pure function of the batch, the same on every rank.

A batch is cut into micro-batches of about the same size, as few as fill whole passes of all ranks: where one process
would make three passes over full micro-batches, two ranks make two passes each over smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from grpo.model.batching import TrainingSample, cut

__all__ = ["deal", "fair_size"]


def fair_size(samples: Sequence[TrainingSample], *, ranks: int, max_tokens: int) -> int:
    """The tokens of a micro-batch for which the largest is smallest, while the ranks make no more passes than needed.

    Args:
        samples: The batch.
        ranks: How many there are.
        max_tokens: The most tokens of a micro-batch.

    >>> fair_size([TrainingSample((k,), (2, 3), (0.0, 0.0), 1.0) for k in range(4)], ranks=2, max_tokens=100)
    6
    """
    wanted = ranks * math.ceil(len(cut(samples, max_tokens=max_tokens)) / ranks)
    low, high = 1, max_tokens
    while low < high:
        middle = (low + high) // 2
        if len(cut(samples, max_tokens=middle)) <= wanted:
            high = middle
        else:
            low = middle + 1
    return high


def deal(costs: Sequence[int], *, ranks: int) -> list[list[int | None]]:
    """For each rank the numbers of its micro-batches, in the order of the batch; None for a pass without one.

    Each micro-batch, the largest first, goes to the rank with the smallest sum that has a pass left.

    Args:
        costs: The tokens of each micro-batch.
        ranks: How many there are.

    >>> deal([9, 5, 4, 3], ranks=2)
    [[0, 3], [1, 2]]
    >>> deal([9, 5, 4], ranks=2), deal([7], ranks=2)
    ([[0, None], [1, 2]], [[0], [None]])
    """
    passes = math.ceil(len(costs) / ranks)
    hands: list[list[int]] = [[] for _ in range(ranks)]
    for number in sorted(range(len(costs)), key=lambda number: (-costs[number], number)):
        free = [hand for hand in hands if len(hand) < passes]
        min(free, key=lambda hand: sum(costs[other] for other in hand)).append(number)
    return [[*sorted(hand), *[None] * (passes - len(hand))] for hand in hands]
