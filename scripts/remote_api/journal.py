"""The journal: every answer that was paid for, on disk before anything else is done with it.

One JSON object a line. The first says what was asked of whom; work goes on from a journal only if it asks the same. A
line that was cut off when the process was killed is dropped. One process at a time writes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grpo.errors import BadInput
from remote_api.endpoint import Answer

__all__ = ["Journal", "Slot"]

Slot = tuple[str | int, ...]  # what names a question, such as a task's id and which of its completions
Header = Mapping[str, Any]


class Journal:
    """Answers by the names of their questions; a context manager. `add` may be called from several threads."""

    def __init__(
        self, path: Path, header: Header, slot: Sequence[str], differences: Callable[[Header, Header], list[str]]
    ) -> None:
        """Open or begin a journal.

        Args:
            path: Of the file.
            header: What is asked of whom, plain JSON values.
            slot: What the parts of a question's name are called in the file.
            differences: What two headers, the file's and this one, disagree about, in words; empty where work may go
                on from the file. A LookupError or TypeError says that the file's is none.
        Raises:
            BadInput: For a journal of other work, a file that is none, or one that another process writes.
        """
        self.path = path
        self.header = header  # the file's, where it was begun before
        self.answers: dict[Slot, Answer] = {}
        self._slot, self._differences = tuple(slot), differences
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab")  # noqa: SIM115 (closed by close)
        try:
            self._lock_file()
            whole = self._read()
        except BaseException:
            self.close()
            raise
        self._file.truncate(whole)
        if not whole:
            self._write(header)

    def add(self, slot: Slot, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        with self._lock:
            self._write({**dict(zip(self._slot, slot, strict=True)), **dataclasses.asdict(answer)})
            self.answers[slot] = answer

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lock_file(self) -> None:
        """Two processes would pay for the same answers. The lock ends with the process, however that ends."""
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(f"{self.path} is being written by another process: wait for it, or stop it") from None

    def _read(self) -> int:
        """Read what is there; returns the length of its whole lines, in bytes."""
        length = 0
        for number, line in enumerate(self.path.read_bytes().splitlines(keepends=True)):
            if not line.endswith(b"\n"):
                break
            try:
                record = json.loads(line)
                if number == 0:
                    self._check(record)
                    self.header = record
                else:
                    slot = tuple(record.pop(name) for name in self._slot)
                    self.answers[slot] = Answer(**record)
            except (ValueError, LookupError, TypeError) as error:
                raise BadInput(f"{self.path} is no journal of answers: line {number + 1}: {error!r}") from None
            length += len(line)
        return length

    def _check(self, before: Header) -> None:
        """Check that the journal is of this work."""
        if found := self._differences(before, self.header):
            raise BadInput(
                f"{self.path} has answers to something else ({'; '.join(found)}): give another --out, or move it"
            )

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
