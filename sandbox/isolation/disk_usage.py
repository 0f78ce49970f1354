"""How much a program has written, also in deep or locked directories and in removed files that it holds open."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Disk"]

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LONG = 2000  # bytes of a path, half of the kernel's limit: longer ones become relative to a directory further down
BLOCK = 512
DELETED = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) .* \(deleted\)$", re.MULTILINE)


@dataclass(frozen=True)
class Disk:
    """How much a command and all that it starts may write below a directory."""

    directory: Path
    max_files: int
    max_bytes: int

    def is_used_up(self, pids: Collection[int] = ()) -> bool:
        """Whether there are more files or more bytes than allowed; stops counting as soon as there are.

        Args:
            pids: The processes that write there, which may hold removed files open.
        """
        files = size = 0
        try:
            for blocks in _entries(self.directory):
                files += 1
                size += blocks * BLOCK
                if files > self.max_files or size > self.max_bytes:
                    return True
        except OSError:
            return True  # a locked directory: a program may not hide what it writes
        return size + sum(map(self._held, pids)) > self.max_bytes

    def _held(self, pid: int) -> int:
        """Bytes of removed files that a process holds open or has mapped."""
        here = os.fsencode(self.directory)
        size = 0
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                name = f"/proc/{pid}/fd/{number}"
                if os.fsencode(os.readlink(name)).startswith(here) and not (about := os.stat(name)).st_nlink:
                    size += about.st_blocks * BLOCK
            maps = Path(f"/proc/{pid}/maps").read_bytes()
        except OSError:
            return size  # it ended in between
        return size + sum(int(found[2], 16) - int(found[1], 16) for found in DELETED.finditer(maps) if here in found[0])


def _entries(top: Path) -> Iterator[int]:
    """The number of blocks of every file and directory below a directory; follows no link.

    Raises: OSError when a directory cannot be read.
    """
    anchors = [os.open(top, DIRECTORY)]
    try:
        waiting = [(anchors[0], ".")]
        while waiting:
            anchor, path = waiting.pop()
            try:
                here = os.open(path, DIRECTORY, dir_fd=anchor)
            except (FileNotFoundError, NotADirectoryError):
                continue  # it was removed in between
            try:
                if len(path) > LONG:
                    anchor, path = os.dup(here), "."
                    anchors.append(anchor)
                with os.scandir(here) as entries:
                    for entry in entries:
                        try:
                            yield entry.stat(follow_symlinks=False).st_blocks
                        except FileNotFoundError:
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append((anchor, f"{path}/{entry.name}"))
            finally:
                os.close(here)
    finally:
        for anchor in anchors:
            os.close(anchor)
