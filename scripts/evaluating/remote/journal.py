"""The journal of an evaluation: every answer that was paid for, on disk before anything else is done with it.

One JSON object a line. The first says what was asked of whom; an evaluation goes on from a journal only if it asks the
same. A line that was cut off when the process was killed is dropped.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evaluating.agreement import differences
from evaluating.remote.endpoint import Answer
from grpo.errors import BadInput

__all__ = ["Journal"]

Slot = tuple[str, int]  # a task's id, and which of its completions


class Journal:
    """The answers of one evaluation; a context manager. `add` may be called from several threads."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        """Open or begin a journal.

        Args:
            path: Of the file.
            header: {"model", "base_url", "body", "protocol"}, plain JSON values: what is asked of whom.
        Raises:
            BadInput: For a journal of another evaluation, or a file that is none.
        """
        self.path = path
        self.answers: dict[Slot, Answer] = {}
        self._lock = threading.Lock()
        whole = self._read(header) if path.exists() else 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab")  # noqa: SIM115 (closed by close)
        self._file.truncate(whole)
        if not whole:
            self._write(header)

    def add(self, slot: Slot, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        with self._lock:
            self._write({"task_id": slot[0], "sample": slot[1], **dataclasses.asdict(answer)})
            self.answers[slot] = answer

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self, header: Mapping[str, Any]) -> int:
        """Read what is there; returns the length of its whole lines, in bytes."""
        length = 0
        for number, line in enumerate(self.path.read_bytes().splitlines(keepends=True)):
            if not line.endswith(b"\n"):
                break
            try:
                record = json.loads(line)
                if number == 0:
                    self._check(record, header)
                else:
                    slot = (record.pop("task_id"), record.pop("sample"))
                    self.answers[slot] = Answer(**record)
            except (ValueError, LookupError, TypeError) as error:
                raise BadInput(f"{self.path} is no journal of answers: line {number + 1}: {error!r}") from None
            length += len(line)
        return length

    def _check(self, before: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        """Check that the journal is of this evaluation."""
        found = [
            f"{key}: {before[key]} and {header[key]}"
            for key in ("model", "base_url", "body")
            if before[key] != header[key]
        ]
        found += differences(before["protocol"], header["protocol"])
        if found:
            raise BadInput(
                f"{self.path} has answers of another evaluation ({'; '.join(found)}): give another --out, or move it"
            )

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
