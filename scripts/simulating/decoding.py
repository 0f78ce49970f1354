"""When the completions of a batch end in one engine: with continuous batching a row that ends makes the rest faster."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from grpo_rust.scaling.costs import DecodingCost

__all__ = ["completion_ends", "deal"]


def completion_ends(lengths: npt.NDArray[np.int64], cost: DecodingCost) -> npt.NDArray[np.float64]:
    """Seconds from the beginning of a call to the end of each completion.

    Every iteration gives each row in flight a token: with r rows it takes `cost.seconds(r)`. Rows beyond `cost.slots`
    wait until another one ends. Prompts cost nothing.

    Args:
        lengths: Tokens of each completion.
        cost: Of an iteration.

    >>> completion_ends(np.array([3, 1]), DecodingCost(1.0, 0.5)).tolist()  # 1 x (1 + 2 x .5), then 2 x (1 + .5)
    [5.0, 2.0]
    >>> completion_ends(np.array([3, 1]), DecodingCost(1.0, 0.5, slots=1)).tolist()  # one after the other
    [4.5, 6.0]
    """
    if cost.slots and len(lengths) > cost.slots:
        return _ends_with_slots(lengths, cost)
    order = np.argsort(lengths, kind="stable")
    rows = len(lengths) - np.arange(len(lengths))
    iterations = np.diff(lengths[order], prepend=0)
    ends = np.empty(len(lengths))
    ends[order] = np.cumsum(iterations * (cost.iteration_s + rows * cost.row_s))
    return ends


def _ends_with_slots(lengths: npt.NDArray[np.int64], cost: DecodingCost) -> npt.NDArray[np.float64]:
    """The same where rows wait for a slot, in their order."""
    ends = np.empty(len(lengths))
    rows = [(int(tokens), place) for place, tokens in enumerate(lengths[: cost.slots])]  # by the iteration that ends it
    heapq.heapify(rows)
    iteration, seconds, following = 0, 0.0, cost.slots
    while rows:
        last, place = heapq.heappop(rows)
        seconds += (last - iteration) * cost.seconds(len(rows) + 1)
        iteration, ends[place] = last, seconds
        if following < len(lengths):
            heapq.heappush(rows, (iteration + int(lengths[following]), following))
            following += 1
    return ends


def deal(groups: int, engines: int) -> list[range]:
    """Which groups each engine samples: as many as any other, or one more.

    >>> deal(5, 2)
    [range(0, 5, 2), range(1, 5, 2)]
    """
    return [range(engine, groups, engines) for engine in range(min(engines, groups))]
