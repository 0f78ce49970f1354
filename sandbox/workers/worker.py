"""What runs in a worker process: take a program, grade it, send the verdict back, until the pool hangs up.

Ended by SIGTERM, or by the end of its pool, however sudden, it takes along every process of the program that it grades
and every file: only SIGKILL leaves something, for the pool to remove.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from sandbox.grading.backends import grade, grade_together
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
    """Answer every (sources, phases, backend) on the connection as `grade_together` does; several sources mean all phases.

    A failure of the host becomes a HOST_ERROR verdict. Args: process_group, where the pool reads which processes to
    kill if this one dies, 0 for none; workdir, this worker's alone, removed at the end.
    """

    def started(pid: int) -> None:
        process_group.value = pid

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pool's owner to act on
    told = listen_for_the_end()
    become_reaper()
    try:
        while _pool_is_there() and told not in wait([connection, told]):
            sources, phases, backend = connection.recv()
            if len(sources) == 1:
                grading = _alone(
                    sources[0], isolation, limits, workdir, backend=backend, phases=phases, on_start=started
                )
            else:
                grading = grade_together(sources, isolation, limits, workdir, on_start=started)
            for answer in _answers(grading, len(sources)):
                process_group.value = 0
                connection.send(answer)
    except (Terminated, EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody waits any longer
    finally:
        kill_children()
        remove_tree(workdir)
        if not _pool_is_there():
            _remove_if_empty(workdir.parent)


def _alone(source: str, *where: Any, **how: Any) -> Iterator[tuple[int, Verdict | None]]:
    """The verdict on one program, as if it were one of several."""
    yield 0, grade(source, *where, **how)


def _answers(grading: Iterator[tuple[int, Verdict | None]], count: int) -> Iterator[tuple[int, Verdict | None]]:
    """Verdicts as they come; once the host has failed, that is the verdict on all that are still without one."""
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
    """Whether the process that started this one still runs."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


def _remove_if_empty(directory: Path) -> None:
    """Remove the pool's directory: the last of its workers succeeds."""
    try:
        directory.rmdir()
    except OSError:
        pass
