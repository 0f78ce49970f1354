"""When completions end in one engine: with continuous batching a row that ends makes the rest faster."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from grpo_rust.scaling.costs import DecodingCost
from simulating.events import Lane, Simulation

__all__ = ["InterruptibleEngine", "completion_ends", "deal"]


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


class InterruptibleEngine:
    """An engine whose rows all batches in flight share, and that new weights may interrupt: `rollout.partial`.

    Every iteration gives each row a token; a row that ends, or one that joins, changes how long the next ones take.
    Completions take their rows in the order in which they were asked for. Left out: that what is written is read again
    after it stood still; prompts cost nothing here.

    >>> from simulating.events import Event
    >>> lane, first, last = Lane(), Event(), Event()
    >>> simulation = Simulation([lane], lambda: None)
    >>> engine = InterruptibleEngine(simulation, lane, DecodingCost(1.0, 0.5), lambda change: None)
    >>> engine.add([3], last.happen)
    >>> engine.add([1], first.happen)
    >>> simulation.run(first)
    >>> simulation.now  # 1 x (1 + 2 x .5)
    2.0
    >>> simulation.run(last)
    >>> simulation.now  # and 2 x (1 + .5)
    5.0
    """

    def __init__(self, simulation: Simulation, lane: Lane, cost: DecodingCost, occupy: Callable[[int], None]) -> None:
        """
        Args:
            simulation: The time.
            lane: Where the engine works.
            cost: Of an iteration.
            occupy: Told when the engine begins to work (1) and when it ends or stands still (-1).
        """
        self._simulation, self._lane, self._cost, self._occupy = simulation, lane, cost, occupy
        self._rows: list[tuple[float, int, Callable[[], None]]] = []  # a heap, by the iteration that ends them
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()  # for a row
        self._iteration, self._since = 0.0, 0.0  # how many are done, at which time of the lane
        self._asked, self._plan = 0, 0
        self._paused, self._working = False, False

    def add(self, lengths: Iterable[int], ended: Callable[[], None]) -> None:
        """Ask for completions of so many tokens; `ended` is called at the end of each."""
        self._count()
        self._waiting.extend((int(tokens), ended) for tokens in lengths)
        self._go()

    def stand_still(self) -> None:
        """Stop where it is; what is written is kept, a part of an iteration too."""
        self._count()
        self._paused = True
        self._go()

    def go_on(self) -> None:
        """Go on with what is written."""
        self._count()
        self._paused = False
        self._go()

    def _count(self) -> None:
        """Count the iterations up to now."""
        if self._working:
            self._iteration += (self._lane.clock - self._since) / self._cost.seconds(len(self._rows))
        self._since = self._lane.clock

    def _go(self) -> None:
        """Fill the free rows, and plan when the next one ends."""
        while self._waiting and (not self._cost.slots or len(self._rows) < self._cost.slots):
            tokens, ended = self._waiting.popleft()
            self._asked += 1
            heapq.heappush(self._rows, (self._iteration + tokens, self._asked, ended))
        working = bool(self._rows) and not self._paused
        if working != self._working:
            self._occupy(1 if working else -1)
        self._working, self._since = working, self._lane.clock
        self._plan += 1
        if working:
            seconds = (self._rows[0][0] - self._iteration) * self._cost.seconds(len(self._rows))
            plan = self._plan
            self._simulation.after(self._lane, max(0.0, seconds), lambda: self._end_rows(plan))

    def _end_rows(self, plan: int) -> None:
        """End the rows that have their last token, unless something came between since that was planned."""
        if plan != self._plan:
            return
        self._iteration, self._since = self._rows[0][0], self._lane.clock
        done = []
        while self._rows and self._rows[0][0] <= self._iteration:
            done.append(heapq.heappop(self._rows)[2])
        self._go()
        for ended in done:
            ended()
