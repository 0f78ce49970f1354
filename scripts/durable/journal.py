"""A journal: the results of long work, on disk as they come, from which the same work goes on after a stop.

One JSON object a line. The first, the header, says what work it is; work goes on from a journal only if it is the same.
A line that was cut off when the process was killed is dropped. One process at a time writes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from grpo.errors import BadInput
from grpo_rust.rows.well_formed import well_formed

__all__ = ["EntryFormat", "LineJournal", "Slot"]

Slot = tuple[str | int, ...]  # what names an entry, such as a task's id and which of its completions
Header = Mapping[str, Any]
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class EntryFormat(Generic[Entry]):
    """How entries stand in the file."""

    what: str  # they are, in the plural, for messages
    slot: Sequence[str]  # what the parts of an entry's name are called
    write: Callable[[Entry], Mapping[str, Any]]  # to plain JSON values
    read: Callable[[Mapping[str, Any]], Entry]  # from what `write` gave; raises ValueError, LookupError or TypeError


class LineJournal(Generic[Entry]):
    """Entries by their names; a context manager. `add` may be called from several threads."""

    def __init__(
        self,
        path: Path,
        header: Header,
        entries: EntryFormat[Entry],
        differences: Callable[[Header, Header], list[str]],
        *,
        sync_s: float = 0.0,
    ) -> None:
        """Open or begin a journal.

        Args:
            path: Of the file.
            header: What the work is, plain JSON values.
            entries: Their format.
            differences: What two headers, the file's and this one, disagree about, in words; empty where work may go
                on from the file. A LookupError or TypeError says that the file's is none.
            sync_s: How many seconds of entries a crash of the machine may lose, 0 for none. A stop of the process alone
                loses none. Each wait for the disk takes milliseconds, which is much beside quick work.
        Raises:
            BadInput: For a journal of other work, a file that is none, or one that another process writes.
        """
        self.path = path
        self.header = header  # the file's, where it was begun before
        self.entries: dict[Slot, Entry] = {}
        self._format, self._differences = entries, differences
        self._sync_s, self._synced = sync_s, time.monotonic()
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab")  # noqa: SIM115 (closed by close)
        try:
            self._lock_file()
            whole = self._read()
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(whole)
        if not whole:
            self._write(header)

    def add(self, slot: Slot, entry: Entry) -> None:
        """Keep an entry; it outlives this process when this returns, and a crash of the machine as `sync_s` says."""
        with self._lock:
            self._write({**dict(zip(self._format.slot, slot, strict=True)), **self._format.write(entry)})
            self.entries[slot] = entry

    def close(self) -> None:
        """Close the file, with all of it on the disk."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def remove(self) -> None:
        """Remove the file, as the work is done, and close it."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lock_file(self) -> None:
        """Two processes would do the same work. The lock ends with the process, however that ends."""
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(f"{self.path} is being written by another process: wait for it, or stop it") from None

    def _read(self) -> int:
        """Read what is there; returns the length of its whole lines, in bytes."""
        length = 0
        with open(self.path, "rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                try:
                    self._take(number, json.loads(line))
                except (ValueError, LookupError, TypeError, RecursionError) as error:
                    what = f"{self.path} is no journal of {self._format.what}"
                    raise BadInput(f"{what}: line {number + 1}: {error!r}: give another --out, or move it") from None
                length += len(line)
        return length

    def _take(self, number: int, record: dict[str, Any]) -> None:
        """Read a line."""
        if number:
            record = well_formed(record)  # earlier versions kept half of a character, which no other file can hold
            slot = tuple(record.pop(name) for name in self._format.slot)
            self.entries[slot] = self._format.read(record)
            return
        if found := self._differences(record, self.header):
            said = f"{self.path} has {self._format.what} of something else ({'; '.join(found)})"
            raise BadInput(f"{said}: give another --out, or move it")
        self.header = record

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced >= self._sync_s:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()
