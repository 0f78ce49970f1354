"""What runs in a worker process: take a program, grade it, send the verdict back, until the pool hangs up.

Ended by SIGTERM, or by the end of its pool, however sudden, it takes along every process of the program that it grades
and every file: only SIGKILL leaves something, for the pool to remove.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from sandbox.isolation import Isolation
from sandbox.limits import Limits
from sandbox.paths import grade
from sandbox.process import Told, become_reaper, kill_children, listen_for_the_end
from sandbox.removal import remove_tree
from sandbox.verdict import Outcome, Verdict

__all__ = ["serve"]


def serve(
    connection: Connection,
    process_group: Synchronized[int],
    isolation: Isolation,
    limits: Limits,
    path: str,
    workdir: Path,
) -> None:
    """Answer every (source, phases) on the connection with a verdict.

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
            source, phases = connection.recv()
            try:
                verdict = grade(source, isolation, limits, workdir, path=path, phases=phases, on_start=started)
            except OSError as error:
                verdict = Verdict(Outcome.HOST_ERROR, reason=f"{type(error).__name__}: {error}")
            process_group.value = 0
            connection.send(verdict)
    except (Told, EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody waits any longer
    finally:
        kill_children()
        remove_tree(workdir)
        if not _pool_is_there():
            _remove_if_empty(workdir.parent)


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
