"""Which task goes to which node, and what becomes of the tasks of a node that is lost. Knows no clock and no Ray.

A node gets at most `PER_JOB` tasks for each of its workers, the others wait here: a node that joins has something to
do, and one that is lost takes little with it. A task goes to the node with the least work. Where a node dies under it,
or says that its own host failed, it goes to another one; when `ATTEMPTS` nodes died or failed in turn, it is given up.
So that no batch waits for the slowest node, nodes with nothing to do run what others have had for long, too, once; the
first result counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.grading.backends import BATCH_SIZE

__all__ = ["ATTEMPTS", "PER_JOB", "Dispatcher"]

ATTEMPTS = 3
PER_JOB = 2 * BATCH_SIZE  # one batch that runs, and one that waits for it
LATE = 10  # calls of `tick`, about a second each, after which an idle node runs a task too


@dataclass(eq=False)
class _Task:
    """A task that has no result yet."""

    number: int
    deaths: int = 0  # nodes that died under it
    failed_on: set[str] = field(default_factory=set)  # nodes whose host failed at it
    age: int = 0  # since a node has it
    shared: bool = False  # whether it was given to a second node

    @property
    def is_suspect(self) -> bool:
        """Whether one more node that dies under it is the last one."""
        return self.deaths == ATTEMPTS - 1


@dataclass(eq=False)
class _Place:
    """A node that takes tasks."""

    jobs: int
    tasks: dict[int, _Task] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        return len(self.tasks) < PER_JOB * self.jobs

    @property
    def load(self) -> float:
        return len(self.tasks) / self.jobs

    def takes(self, task: _Task) -> bool:
        """Whether it may have a task: of those that may be what kills nodes it gets one at a time."""
        return self.has_room and not (task.is_suspect and any(other.is_suspect for other in self.tasks.values()))


class Dispatcher:
    """Tasks are numbers and nodes are names.

    >>> dispatcher = Dispatcher()
    >>> dispatcher.add(7); dispatcher.join("a", jobs=1); list(dispatcher.assign())
    [('a', 7)]
    >>> dispatcher.leave("a"), dispatcher.waiting
    ([], 1)
    """

    def __init__(self) -> None:
        self._queue: deque[_Task] = deque()
        self._places: dict[str, _Place] = {}

    @property
    def waiting(self) -> int:
        """Tasks that no node has."""
        return len(self._queue)

    def add(self, number: int) -> None:
        """Queue a new task."""
        self._queue.append(_Task(number))

    def join(self, node: str, jobs: int) -> None:
        """A node takes tasks from now on."""
        self._places[node] = _Place(jobs)

    def leave(self, node: str, *, died: bool = True) -> list[int]:
        """A node takes no more tasks, and gives no more results; those that it had go to others first.

        Returns: The tasks that are given up, since too many nodes died under them.
        """
        place = self._places.pop(node, None)
        tasks = list(place.tasks.values()) if place is not None else []
        for task in tasks:
            task.deaths += died
        tasks = [task for task in tasks if not self.holders(task.number)]
        self._queue.extendleft(task for task in reversed(tasks) if task.deaths < ATTEMPTS)
        return [task.number for task in tasks if task.deaths >= ATTEMPTS]

    def tick(self) -> None:
        """Some time has passed: the tasks that nodes have grow older."""
        for place in self._places.values():
            for task in place.tasks.values():
                task.age += 1

    def assign(self) -> Iterator[tuple[str, int]]:
        """Give tasks to nodes, as many as they have room for: pairs of a node and a task."""
        passed: list[_Task] = []
        while self._queue and any(place.has_room for place in self._places.values()):
            task = self._queue.popleft()
            node = self._node_for(task)
            if node is None:
                passed.append(task)
                continue
            self._places[node].tasks[task.number] = task
            task.age = 0
            yield node, task.number
        self._queue.extendleft(reversed(passed))
        yield from self._share()

    def _share(self) -> Iterator[tuple[str, int]]:
        """Give late tasks to nodes that have nothing to do, the oldest first, a batch for each of their workers."""
        idle = [(node, place) for node, place in self._places.items() if not place.tasks]
        if not idle or self._queue:
            return
        held = [task for place in self._places.values() for task in place.tasks.values()]
        late = [task for task in held if task.age >= LATE and not task.shared and not task.deaths]
        for task in sorted(late, key=lambda task: -task.age):
            node, place = min(idle, key=lambda one: one[1].load)
            if place.load >= BATCH_SIZE:
                return
            if node not in task.failed_on:
                task.shared, place.tasks[task.number] = True, task
                yield node, task.number

    def _node_for(self, task: _Task) -> str | None:
        """The node with the least work of those that may have a task; None if it has to wait."""
        others = self._places.keys() - task.failed_on or self._places.keys()
        free = [node for node, place in self._places.items() if node in others and place.takes(task)]
        return min(free, key=lambda node: self._places[node].load, default=None)

    def has(self, node: str, number: int) -> bool:
        """Whether a task is that node's now. One that was lost may still answer, when another one has its tasks."""
        return node in self._places and number in self._places[node].tasks

    def holders(self, number: int) -> list[str]:
        """The nodes that have a task."""
        return [node for node, place in self._places.items() if number in place.tasks]

    def done(self, node: str, number: int) -> list[str]:
        """A node has given a task's result. Returns: The nodes that run it too, and are to stop."""
        others = [other for other in self.holders(number) if other != node]
        for holder in (node, *others):
            del self._places[holder].tasks[number]
        return others

    def failed(self, node: str, number: int) -> bool:
        """A node's host failed at a task. Returns: Whether another one is going to try; else that is the result."""
        task = self._places[node].tasks.pop(number)
        task.failed_on.add(node)
        if self.holders(number):
            return True
        if len(task.failed_on) >= ATTEMPTS or not self._places.keys() - task.failed_on:
            return False
        self._queue.appendleft(task)
        return True

    def cancel(self, number: int) -> list[str]:
        """Take a task out of the queue; or the nodes that have it, which are to stop it. Empty: nobody had it yet."""
        for node in (holders := self.holders(number)):
            self._places[node].tasks[number].shared = True  # no other one begins it
        self._queue = deque(task for task in self._queue if task.number != number)
        return holders
