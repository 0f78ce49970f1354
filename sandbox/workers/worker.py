"""The code of a worker process: receives programs, grades them and sends verdicts back, until the pool closes.

A worker ends on SIGTERM, and when its pool ends for any reason. It then kills every process of the program that it
grades, and removes all its files. Only after SIGKILL do some remain, which the pool removes.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from sandbox.grading.grade import grade, grade_together
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Terminated, become_reaper, kill_children, listen_for_the_end
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict

__all__ = ["serve"]


def serve(
    connection: Connection,
    process_group: Synchronized[int],
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
) -> None:
    """Answer requests on a connection until it is closed.

    A request is a tuple (sources, phases, backend). The answers are the pairs of `grade_together`. One source is graded
    by the phases and the backend of the request, several in one batch by all phases. A failure of the host becomes a
    verdict HOST_ERROR.

    Args:
        connection: To the pool.
        process_group: Shared with the pool: the process group of the running command, 0 for none. The pool kills it if
            this process dies.
        isolation: How commands are started.
        limits: What each program may use.
        workdir: A directory of this worker alone, removed at the end.
    """

    def started(pid: int) -> None:
        process_group.value = pid

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that owns the pool handles Ctrl-C
    terminated = listen_for_the_end()
    become_reaper()
    try:
        while _pool_is_there() and terminated not in wait([connection, terminated]):
            sources, phases, backend = connection.recv()
            if len(sources) == 1:
                grading = _alone(
                    sources[0], isolation, limits, workdir, backend=backend, phases=phases, on_start=started
                )
            else:
                grading = grade_together(sources, isolation, limits, workdir, on_start=started)
            for pair in _pairs(grading, len(sources)):
                process_group.value = 0
                connection.send(pair)
    except (Terminated, EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the pool ended, or ended this worker
    finally:
        kill_children()
        remove_tree(workdir)
        if not _pool_is_there():
            _remove_if_empty(workdir.parent)


def _alone(source: str, *where: Any, **how: Any) -> Iterator[tuple[int, Verdict | None]]:
    """Grade one program, with the result in the form of `grade_together`."""
    yield 0, grade(source, *where, **how)


def _pairs(grading: Iterator[tuple[int, Verdict | None]], count: int) -> Iterator[tuple[int, Verdict | None]]:
    """Pass on the pairs of a grading. If the host fails, every program without a verdict gets HOST_ERROR."""
    waiting = set(range(count))
    try:
        for number, verdict in grading:
            if verdict is not None:
                waiting.remove(number)
            yield number, verdict
    except OSError as error:
        for number in waiting:
            yield number, Verdict(Outcome.HOST_ERROR, reason=f"{type(error).__name__}: {error}")


def _pool_is_there() -> bool:
    """Whether the process that started this one is alive."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


def _remove_if_empty(directory: Path) -> None:
    """Remove the pool's directory, in which the last worker to end succeeds."""
    try:
        directory.rmdir()
    except OSError:
        pass
