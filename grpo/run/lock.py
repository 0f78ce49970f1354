"""One process at a time writes a run: two that resume it would train the same steps and remove each other's files."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import BinaryIO

from grpo.errors import BadInput

__all__ = ["RunBusy", "lock_run"]

LOCK = ".lock"


class RunBusy(BadInput):
    """Another process writes the run."""

    recurs = False  # that one ends some day


def lock_run(path: Path) -> BinaryIO:
    """Lock a run's directory until the file that is returned is closed, or this process ends, however it ends.

    Raises:
        RunBusy: While another process has the lock.
        OSError: When the file cannot be made.
    """
    lock = open(path / LOCK, "ab")  # noqa: SIM115 (its owner closes it)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunBusy(f"{path} is being written by another process: wait for it, or stop it") from None
    except RunBusy:
        lock.close()
        raise
    return lock
