"""How much a program has written, also in deep or locked directories and in removed files that it holds open."""

from __future__ import annotations

import os
import re
import stat
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

    def is_used_up(self, processes: Collection[Collection[str]] = ()) -> bool:
        """Whether there are more files or more bytes than allowed; stops counting as soon as there are.

        Args:
            processes: The processes that write there, which may hold removed files open: for each its threads, as
                folders of /proc.
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
        held = dict(file for threads in processes for thread in threads for file in _removed_files(thread))
        return size + sum(held.values()) + sum(map(self._mapped, processes)) > self.max_bytes

    def _mapped(self, threads: Collection[str]) -> int:
        """Bytes of removed files that a process has mapped; a thread that ended shows none."""
        here = os.fsencode(self.directory)
        maps = next(filter(None, (_read(f"{thread}/maps") for thread in threads)), b"")
        return sum(int(found[2], 16) - int(found[1], 16) for found in DELETED.finditer(maps) if here in found[0])


def _removed_files(thread: str) -> Iterator[tuple[tuple[int, int], int]]:
    """The removed files that a thread holds open: device and number of each, and its bytes.

    Where a file was is not asked: a program opens no file outside its directory that others may remove, and the path of
    one far down cannot be read. Threads may have tables of their own, which only their folders in /proc show.
    """
    try:
        numbers = os.listdir(f"{thread}/fd")
    except OSError:
        return  # it ended in between
    for number in numbers:
        try:
            about = os.stat(f"{thread}/fd/{number}")
        except OSError:
            continue  # it was closed in between
        if stat.S_ISREG(about.st_mode) and not about.st_nlink:
            yield (about.st_dev, about.st_ino), about.st_blocks * BLOCK


def _read(path: str) -> bytes:
    """The content of a file; nothing where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


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
