"""The code of a worker process: receives tasks, runs them and sends results back, until the pool closes.

A worker ends on SIGTERM, and when its pool ends for any reason. It then kills every process of the program that it
runs, and removes all its files. Only after SIGKILL do some remain, which the pool removes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from sandbox.errors import ToolchainError
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Terminated, become_reaper, kill_children, listen_for_the_end
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.verdict import Outcome
from sandbox.workers.hanging import beat
from sandbox.workers.task import Place, WorkerTask
from sandbox.workers.toolchain_files import ToolchainFiles

__all__ = ["serve"]

GOES_S = 5.0  # for a process to be gone once its threads are
PIPE_BYTES = 1 << 16


def serve(
    connection: Connection,
    process_group: Synchronized[int],
    heartbeats: Synchronized[int],
    isolation: Isolation,
    limits: Limits,
    toolchain: ToolchainFiles,
    workdir: Path,
    nice: int = 0,
) -> None:
    """Answer requests on a connection until it is closed.

    A request is a tuple of tasks: one, or several to run in one batch. The answers are the pairs of
    `WorkerTask.run_together`. A failure of the host becomes a result HOST_ERROR.

    Args:
        connection: To the pool.
        process_group: Shared with the pool: the process group of the running command, 0 for none. The pool kills it if
            this process dies.
        heartbeats: Shared with the pool, which kills this process when they stop.
        isolation: How commands are started.
        limits: What each program may use.
        toolchain: As it was when the pool started. What another one says is no verdict, but a failure of the host.
        workdir: A directory of this worker alone, removed at the end.
        nice: Added to the niceness of this process, which every command inherits. Limits of CPU time do not notice it.
    """

    def started(pid: int) -> None:
        process_group.value = pid

    os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that owns the pool handles Ctrl-C
    ended = listen_for_the_end()
    become_reaper()
    beat(heartbeats, workdir)
    try:
        while _pool_is_there() and ended not in wait([connection, ended]):
            for pair in _results(connection.recv(), Place(isolation, limits, workdir, started), toolchain):
                process_group.value = 0
                connection.send(pair)
    except (Terminated, EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the pool ended, or ended this worker
    finally:
        kill_children()
        remove_tree(workdir)
        if _pool_goes(ended):
            _remove_if_empty(workdir.parent)


def _results(tasks: Sequence[WorkerTask[Any]], place: Place, toolchain: ToolchainFiles) -> Iterator[tuple[int, Any]]:
    """Run tasks, and pass on their pairs. If the host fails, every task without a result gets HOST_ERROR."""
    waiting = set(range(len(tasks)))
    try:
        toolchain.check()
        for number, result in _run(tasks, place):
            if result is not None:
                toolchain.check()  # it may have changed in the meantime
                waiting.remove(number)
            yield number, result
    except (OSError, ToolchainError) as error:
        for number in waiting:
            yield number, tasks[number].failed(Outcome.HOST_ERROR, f"{type(error).__name__}: {error}")


def _run(tasks: Sequence[WorkerTask[Any]], place: Place) -> Iterator[tuple[int, Any]]:
    """Run one task alone, or several in one batch."""
    if len(tasks) == 1:
        yield 0, tasks[0].run(place)
    else:
        yield from tasks[0].run_together(tasks, place)


def _pool_is_there() -> bool:
    """Whether the process that started this one is alive."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


def _pool_goes(ended: int) -> bool:
    """Whether nobody is there to remove the pool's directory.

    The thread that started this process ends first when its process is killed, seconds before it where that has to
    give back much memory; it ends alone when a pool closes, which says so by SIGTERM.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return True
    while ready := wait([parent.sentinel, ended], GOES_S):
        if parent.sentinel in ready:
            return True
        if signal.SIGTERM in os.read(ended, PIPE_BYTES):
            return False
    return False


def _remove_if_empty(directory: Path) -> None:
    """Remove the pool's directory, in which the last worker to end succeeds."""
    try:
        directory.rmdir()
    except OSError:
        pass
