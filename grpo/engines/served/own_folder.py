"""A folder that belongs to this process, inside of one that others see, and those that ended processes have left.

A process that is killed removes nothing, and its folder in memory is a whole model. So each holds a lock on a file in
its folder, which the kernel frees when it ends, however it ends. Only folders of the same machine are removed: over a
network not every file system shares its locks. On one without any locks nothing is.
"""

from __future__ import annotations

import contextlib
import fcntl
import platform
import shutil
import tempfile
from pathlib import Path

__all__ = ["MARK", "OwnFolder"]

MARK = "trainer.txt"  # a file of the folder, by which a server shows that it sees the same one; it is locked


class OwnFolder:
    """A new folder, until `remove`."""

    def __init__(self, parent: Path, prefix: str) -> None:
        """
        Args:
            parent: Where it is made.
            prefix: Of its name. What ended processes of this machine have left with this prefix is removed.
        Raises:
            OSError: When it cannot be made.
        """
        prefix = f"{prefix}{platform.node()}-"
        _remove_left(parent, prefix)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=parent))
        try:
            self._lock = open(new / MARK, "w", encoding="utf-8")  # noqa: SIM115 (closed by `remove`)
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.path = new.rename(parent / f"{prefix}{new.name.removeprefix('new-')}")  # with its lock
            self._lock.write(self.path.name)
            self._lock.flush()
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_left(parent: Path, prefix: str) -> None:
    """Remove the folders with a prefix whose file nobody locks. After the prefix no name has a "-".

    One with more belongs to a machine whose name begins like this one's: "gpu-2" and "gpu".
    """
    for folder in parent.iterdir():
        if not folder.name.startswith(prefix) or "-" in folder.name.removeprefix(prefix):
            continue
        with contextlib.suppress(OSError), open(folder / MARK, "r+b") as lock:  # it is gone, or another user's
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
