"""What runs in a worker process: take a program, grade it, send the verdict back, until the pool hangs up."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from sandbox.limits import Limits
from sandbox.paths import grade
from sandbox.process import become_reaper
from sandbox.toolchain import Toolchain
from sandbox.verdict import Outcome, Verdict

__all__ = ["serve"]


def serve(
    connection: Connection,
    process_group: Synchronized[int],
    toolchain: Toolchain,
    limits: Limits,
    path: str,
    workdir: Path,
) -> None:
    """Answer every (source, phases) on the connection with a verdict.

    A failure of the host becomes a HOST_ERROR verdict. Args: process_group, where the pool reads which processes to
    kill if this one dies, 0 for none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pool's owner to act on
    become_reaper()

    def started(pid: int) -> None:
        process_group.value = pid

    while True:
        try:
            source, phases = connection.recv()
        except EOFError:
            return
        try:
            verdict = grade(source, toolchain, limits, workdir, path=path, phases=phases, on_start=started)
        except OSError as error:
            verdict = Verdict(Outcome.HOST_ERROR, reason=f"{type(error).__name__}: {error}")
        process_group.value = 0
        try:
            connection.send(verdict)
        except BrokenPipeError:
            return
