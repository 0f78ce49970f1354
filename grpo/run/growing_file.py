"""The new lines of a file that another process appends to, and sometimes cuts short.

Promises: what was read once is not read again, unless the file became another one: a resumed run replaces its logs, and
then they are read from the start. A last line without its end is left for the next time. A file that is not there has
no lines.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["GrowingFile", "NewLines"]

CHUNK = 8 << 20  # bytes read at a time: a long log is read in many calls, between which others have their turn
_TAIL = 256  # bytes before the place reached that are compared with what stood there


class NewLines(NamedTuple):
    """What one reading found."""

    anew: bool  # whether the file became another one, so that what was read before does not count
    lines: list[tuple[int, bytes]]  # byte offset and line, line end included
    more: bool  # whether there is more to read at once


class GrowingFile:
    """A file that is read as it grows.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log"
    >>> log = GrowingFile(path)
    >>> path.write_bytes(b"one\\ntw") and log.read().lines
    [(0, b'one\\n')]
    >>> path.write_bytes(b"one\\ntwo\\n") and log.read().lines
    [(4, b'two\\n')]
    """

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        """
        Args:
            path: The file, which need not exist yet.
            chunk: Bytes to read at a time; a longer line is read whole all the same.
        """
        self.path = path
        self.offset = 0  # of the first byte that is not read yet
        self.size = 0  # of the file when it was last looked at
        self._chunk = chunk
        self._tail = b""
        self._inode: tuple[int, int] | None = None

    def read(self) -> NewLines:
        """The next whole lines. Raises: OSError where the file cannot be read."""
        try:
            file = open(self.path, "rb")
        except FileNotFoundError:
            return NewLines(self._begin(None), [], False)
        with file:
            status = os.fstat(file.fileno())
            inode = (status.st_dev, status.st_ino)
            anew = self._begin(inode) if self._is_another(file.fileno(), inode, status.st_size) else False
            self._inode, self.size = inode, status.st_size
            data = self._whole_lines(file.fileno())
        lines, start = [], self.offset
        for line in data.splitlines(keepends=True) if b"\r" not in data else _split(data):
            lines.append((start, line))
            start += len(line)
        self.offset = start
        self._tail = (self._tail + data)[-_TAIL:]
        return NewLines(anew, lines, bool(data) and start < self.size)

    def _begin(self, inode: tuple[int, int] | None) -> bool:
        """Go back to the start; whether anything had been read."""
        had, self.offset, self.size, self._tail, self._inode = self.offset > 0, 0, 0, b"", inode
        return had

    def _is_another(self, descriptor: int, inode: tuple[int, int], size: int) -> bool:
        """Whether this is not the file that was read, or no longer has what was read of it."""
        if self._inode is None:
            return False
        if inode != self._inode or size < self.offset:
            return True
        return os.pread(descriptor, len(self._tail), self.offset - len(self._tail)) != self._tail

    def _whole_lines(self, descriptor: int) -> bytes:
        """About one chunk of whole lines."""
        wanted = self._chunk
        while True:
            data = os.pread(descriptor, wanted, self.offset)
            end = data.rfind(b"\n") + 1
            if end or len(data) < wanted:
                return data[:end]
            wanted *= 2


def _split(data: bytes) -> list[bytes]:
    """Lines that end in a newline; a carriage return ends none."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
