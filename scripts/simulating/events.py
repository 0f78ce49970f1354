"""Time as a sequence of events: processes that wait for each other, and for work whose speed may change meanwhile.

A lane is a kind of work that all goes on at one speed: threads that share some cores, engines that share their GPUs
with a trainer. Its clock counts seconds at full speed, so a change of speed costs nothing, however much work is in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

__all__ = ["Event", "Lane", "Meter", "Process", "Simulation", "Work"]


@dataclass
class Event:
    """Something that happens once; whoever waits for it goes on then."""

    happened: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def happen(self) -> None:
        """Let it happen."""
        self.happened = True
        waiting, self.waiting = self.waiting, []
        for go_on in waiting:
            go_on()


@dataclass
class Lane:
    """Work of one speed. `clock` counts the seconds it would have taken at speed 1."""

    clock: float = 0.0
    speed: float = 1.0
    due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)  # a heap, by the lane's clock


@dataclass(frozen=True)
class Work:
    """So many seconds of work, at full speed, in a lane."""

    lane: Lane
    seconds: float


Process = Generator[Event | Work, None, None]


@dataclass
class Meter:
    """How much of a resource is in use, and its integral over time."""

    level: float = 0.0
    used: float = 0.0  # level x seconds
    since: float = 0.0

    def change(self, by: float, now: float) -> None:
        """So much more is in use from now on."""
        self.used += self.level * (now - self.since)
        self.since = now
        self.level += by

    def total(self, now: float) -> float:
        """The integral up to now."""
        return self.used + self.level * (now - self.since)


class Simulation:
    """Lanes, and the time.

    >>> lane, ended = Lane(speed=0.5), []
    >>> simulation = Simulation([lane], lambda: None)
    >>> def process():
    ...     yield Work(lane, 3.0)
    ...     ended.append(simulation.now)
    >>> done = simulation.start(process())
    >>> simulation.run(done)
    >>> ended
    [6.0]
    """

    def __init__(self, lanes: list[Lane], set_speeds: Callable[[], None]) -> None:
        """
        Args:
            lanes: All lanes.
            set_speeds: Called after every event; sets the speed of each lane.
        """
        self.now = 0.0
        self._lanes, self._set_speeds = lanes, set_speeds
        self._number = 0  # events of equal time happen in the order in which they were planned

    def after(self, lane: Lane, seconds: float, then: Callable[[], None]) -> None:
        """Do something once a lane has done so many seconds of work more."""
        self._number += 1
        heapq.heappush(lane.due, (lane.clock + seconds, self._number, then))

    def start(self, process: Process) -> Event:
        """Start a process; what it returns happens when the process has ended."""
        ended = Event()

        def go_on() -> None:
            for awaited in process:
                if isinstance(awaited, Work):
                    self.after(awaited.lane, awaited.seconds, go_on)
                    return
                if not awaited.happened:
                    awaited.waiting.append(go_on)
                    return
            ended.happen()

        go_on()
        return ended

    def run(self, until: Event) -> None:
        """Let time pass until something has happened.

        Raises:
            RuntimeError: When it can never happen: everybody waits for somebody.
        """
        self._set_speeds()
        while not until.happened:
            busy = [lane for lane in self._lanes if lane.due]
            if not busy:
                raise RuntimeError(
                    f"after {self.now:.3f} s everybody waits for somebody else: a fault of the simulation"
                )
            lane = min(busy, key=_seconds_left)
            seconds = max(0.0, _seconds_left(lane))
            self.now += seconds
            for other in self._lanes:
                other.clock += seconds * other.speed
            due, _, then = heapq.heappop(lane.due)
            lane.clock = due
            then()
            self._set_speeds()


def _seconds_left(lane: Lane) -> float:
    """The seconds until the first work of a lane is done, at its speed."""
    return (lane.due[0][0] - lane.clock) / lane.speed
