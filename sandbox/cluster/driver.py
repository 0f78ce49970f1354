"""The process between a pool and Ray: takes tasks over a socket, has the nodes run them, and sends results back.

Usage (by `sandbox.cluster.driver_process`): python -m sandbox.cluster.driver DESCRIPTOR

It ends when its pool ends for any reason, and ends the pools of the nodes then, and the Ray that it started.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import ray
from ray.exceptions import RayActorError

from sandbox.cluster.connect import connected
from sandbox.cluster.dispatcher import ATTEMPTS, Dispatcher
from sandbox.cluster.messages import Cancel, Close, Connected, Done, Failed, Opening, RunTask, Said, Standing
from sandbox.cluster.nodes import Nodes, first_line
from sandbox.errors import ClusterError
from sandbox.verdict import Outcome
from sandbox.workers.task import WorkerTask

__all__ = ["main"]

LOOK_EVERY_S = 1.0


class Driver:
    """One thread does everything, one event after the other; two more bring it events."""

    def __init__(self, connection: Connection, opening: Opening) -> None:
        self._connection = connection
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._tasks: dict[int, WorkerTask[Any]] = {}  # without a result
        self._cancelled: dict[int, str] = {}  # and why
        self._dispatcher = Dispatcher()
        self._standing: Standing | None = None
        self._is_closing = False
        self._is_ray_gone = False  # the pools of its nodes ended with it, and nothing would answer
        self._nodes = Nodes(
            opening.settings,
            opening.code,
            opening.first,
            post=self._events.put,
            join=self._dispatcher.join,
            leave=self._leave,
            say=lambda text: connection.send(Said(text)),
        )

    def run(self) -> None:
        """Serve until the pool closes. Raises: ClusterError when no node of the cluster can grade."""
        for work in (self._listen, self._watch):
            threading.Thread(target=work, daemon=True).start()
        try:
            while not self._is_closing:
                self._events.get()()
                for node, number in self._dispatcher.assign():
                    self._nodes.run(node, RunTask(number, self._tasks[number]), partial(self._returned, node, number))
                self._tell()
        finally:
            if not self._is_ray_gone:
                self._nodes.close()

    def _listen(self) -> None:
        """Bring what the pool says."""
        try:
            while not isinstance(said := self._connection.recv(), Close):
                self._events.put(partial(self._run if isinstance(said, RunTask) else self._cancel, said))
        except (EOFError, OSError):
            pass  # the pool's process is gone
        self._events.put(self._close)

    def _watch(self) -> None:
        """Bring what Ray says of the nodes. Where it says nothing any more, this process ends."""
        while not self._is_closing:
            try:
                self._events.put(partial(self._look, ray.nodes()))
            except Exception as error:  # Ray is gone: raised again where it ends the process
                self._is_ray_gone = True
                self._events.put(partial(_raise, error))
                return
            time.sleep(LOOK_EVERY_S)

    def _look(self, rows: list[Any]) -> None:
        self._dispatcher.tick()
        self._nodes.look(rows, tasks=len(self._tasks), waiting=self._dispatcher.waiting)

    def _close(self) -> None:
        self._is_closing = True

    def _run(self, said: RunTask) -> None:
        self._tasks[said.number] = said.task
        self._dispatcher.add(said.number)

    def _cancel(self, said: Cancel) -> None:
        """Stop a task where it is: its node says how far it came."""
        number, reason = said
        if number not in self._tasks:
            return
        if not (nodes := self._dispatcher.cancel(number)):
            self._finish(number, self._tasks[number].failed(Outcome.HOST_ERROR, f"{reason}: it was never started"))
            return
        self._cancelled[number] = reason
        for node in nodes:
            self._nodes.cancel(node, number, reason)

    def _returned(self, node: str, number: int, done: Future[tuple[Any, float]]) -> None:
        """A node answered, or Ray says that it never will."""
        if not self._dispatcher.has(node, number):
            return  # it was lost before, and another node has its tasks
        error = done.exception()
        if isinstance(error, RayActorError):
            self._nodes.lost(node, error)
            return
        if error is not None:
            result = self._tasks[number].failed(Outcome.HOST_ERROR, first_line(error))
        else:
            result, busy_s = done.result()
            self._nodes.answered(node, busy_s)
        if result.outcome is not Outcome.HOST_ERROR or number in self._cancelled:
            for other in self._dispatcher.done(node, number):
                self._nodes.cancel(other, number, "another node was first")
            self._nodes.succeeded(node)
        else:
            is_tried_again = self._dispatcher.failed(node, number)
            self._nodes.host_failed(node, result.reason)
            if is_tried_again:
                return
        self._finish(number, result)

    def _leave(self, node: str, died: bool) -> None:
        """A node takes no more tasks; what was cancelled there is not run elsewhere."""
        for number in self._dispatcher.leave(node, died=died):
            reason = f"{ATTEMPTS} nodes died in turn while they ran it"
            self._finish(number, self._tasks[number].failed(Outcome.HOST_ERROR, reason))
        for number, reason in list(self._cancelled.items()):
            if not self._dispatcher.cancel(number):
                self._finish(
                    number, self._tasks[number].failed(Outcome.HOST_ERROR, f"{reason}, when its node was lost")
                )

    def _finish(self, number: int, result: Any) -> None:
        """Send a task's result, and forget the task."""
        self._cancelled.pop(number, None)
        if self._tasks.pop(number, None) is not None:
            self._connection.send(Done(number, result))

    def _tell(self) -> None:
        """Tell the pool which nodes grade, where that has changed."""
        if self._nodes.first is None:
            if reasons := self._nodes.hopeless:
                raise ClusterError(f"no node of the Ray cluster can grade:\n{reasons}")
            return
        grading = self._nodes.grading
        jobs, busy_s = sum(node.jobs for node in grading), round(self._nodes.busy_s, 3)
        standing = Standing(self._nodes.first, len(grading), jobs, busy_s)
        if standing != self._standing:
            self._standing = standing
            self._connection.send(standing)


def _raise(error: BaseException) -> None:
    raise error


def main() -> None:
    """Serve the pool at the other end of the socket."""
    connection = Connection(int(sys.argv[1]))
    opening: Opening = connection.recv()
    try:
        with connected(opening.address, opening.settings.jobs) as address:
            connection.send(Connected(address))
            Driver(connection, opening).run()
    except ClusterError as error:
        connection.send(Failed(str(error)))
    except BrokenPipeError:
        pass  # the pool's process is gone


if __name__ == "__main__":
    main()
