"""Contenders in processes of their own that take turns: one trains some steps while all others wait.

A turn ends when nothing of the contender runs any more, and the wait for work that it did ahead counts. So contenders
do not slow each other down, and other load on the machine affects all of them alike.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Contender", "ContenderFailed", "Step", "Turns"]


class ContenderFailed(Exception):
    """A contender ended with an error; the message is its traceback."""


@dataclass(frozen=True)
class Step:
    """One step of training: its seconds, also by phase, and what was trained on."""

    seconds: float
    tokens: int
    completions: int
    phases: Mapping[str, float]


class Turns(Protocol):
    """Measures the steps of a contender, in its process. The contender may set `settle` and `facts`."""

    settle: Callable[[], None]  # waits until nothing of the contender runs; called at the end of every turn
    facts: dict[str, float]  # about the contender and its machine
    started: float  # when the step began, by time.perf_counter

    def begin(self) -> None:
        """Wait for the first turn."""

    def finish(self, tokens: int, completions: int, phases: Mapping[str, float]) -> None:
        """Hand in a step, and wait until the next one may begin.

        Args:
            tokens: Completion tokens that were trained.
            completions: Their number.
            phases: Seconds by phase.
        """


class Contender:
    """A process that trains: `train(turns, **settings)` calls `begin` before the first step, `finish` after every one.

    `facts` are those that it set and `peak_mb`: the highest memory of the process and of its children that lived at the
    end of a step, added up.
    """

    def __init__(self, train: Callable[..., None], **settings: Any) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, train, settings))
        self._process.start()
        theirs.close()
        self.facts: dict[str, float] = {}
        self._receive()

    def steps(self, count: int) -> list[Step]:
        """Let it train some steps."""
        with suppress(BrokenPipeError):  # it has ended: the next line raises with the reason
            self._connection.send(count)
        steps: list[Step] = self._receive()
        return steps

    def close(self) -> None:
        """End it."""
        if self._process.is_alive():
            self._connection.send(0)
        self._process.join(60)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _receive(self) -> Any:
        """Its next message."""
        try:
            kind, value, facts = self._connection.recv()
        except EOFError:
            raise ContenderFailed("it ended without a message") from None
        if kind == "failed":
            raise ContenderFailed(value)
        self.facts = facts
        return value


class _NoMoreTurns(BaseException):
    """Ends the training from within `finish`."""


class _MeasuredTurns:
    """Implements `Turns`: measures from the beginning of a step to its end."""

    def __init__(self, connection: Connection) -> None:
        self.settle: Callable[[], None] = lambda: None
        self.facts: dict[str, float] = {}
        self.started = 0.0
        self._connection = connection
        self._left = 0
        self._done: list[Step] = []

    def begin(self) -> None:
        self._wait()

    def finish(self, tokens: int, completions: int, phases: Mapping[str, float]) -> None:
        self._left -= 1
        ended = time.perf_counter()
        if not self._left:
            self.settle()
        now = time.perf_counter()
        self._done.append(Step(now - self.started, tokens, completions, {**phases, "settle": now - ended}))
        self.facts["peak_mb"] = max(self.facts.get("peak_mb", 0.0), _high_water_mb())
        self.started = time.perf_counter()
        if not self._left:
            self._wait()

    def _wait(self) -> None:
        """Hand in the steps of the turn, and wait for the next turn."""
        self._connection.send(("steps", self._done, self.facts))
        self._done = []
        self._left = self._connection.recv()
        if not self._left:
            raise _NoMoreTurns
        self.started = time.perf_counter()


def _serve(connection: Connection, train: Callable[..., None], settings: Mapping[str, Any]) -> None:
    """The process of a contender."""
    try:
        train(_MeasuredTurns(connection), **settings)
    except _NoMoreTurns:
        pass
    except BaseException:  # the boundary: the parent shows it
        connection.send(("failed", traceback.format_exc(), {}))


def _high_water_mb() -> float:
    """The highest memory so far of this process and of each descendant that lives, added up."""
    total, left = 0, [os.getpid()]
    while left:
        process = Path(f"/proc/{left.pop()}")
        try:
            status = (process / "status").read_text()
            children = [(task / "children").read_text() for task in (process / "task").iterdir()]
        except OSError:
            continue  # it has just ended
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        left += [int(child) for group in children for child in group.split()]
    return total / 1024
