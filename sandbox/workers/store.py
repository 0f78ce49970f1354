"""Keeps results on disk between runs: one SQLite file in the user's cache directory, shared by all processes.

SQLite is atomic, safe for several processes, a single file, and part of the standard library. An error of the store
does not stop a grading: it is logged once, and the store is no longer used.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.workers.task import Result

__all__ = ["VerdictStore"]

TABLE = "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, verdict TEXT NOT NULL, kept REAL NOT NULL)"
BUSY_S = 2.0  # how long to wait for another process
LOOK_EVERY = 500  # puts between two checks of the size

log = logging.getLogger(__name__)


class VerdictStore:
    """About `size` results at most, the oldest removed first. Not safe for threads.

    >>> import tempfile
    >>> from sandbox.verdict import Outcome, Verdict
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     VerdictStore(Path(directory) / "verdicts", size=9).put("a", Verdict(Outcome.PASSED))
    ...     VerdictStore(Path(directory) / "verdicts", size=9).get("a", Verdict).outcome
    <Outcome.PASSED: 'passed'>
    """

    def __init__(self, path: Path, *, size: int) -> None:
        self._path = path
        self._size = size
        self._kept = 0
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")  # a lost result is made again
            self._connection.execute(TABLE)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, key: str, kind: type[Any]) -> Any:
        """Look up a result of a class; None if it is missing or cannot be read."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT verdict FROM verdicts WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        try:
            return kind.from_json(json.loads(row[0])) if row else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None  # damaged, or of another version: the next `put` overwrites it

    def put(self, key: str, result: Result) -> None:
        """Write a result, and now and then remove the oldest ones above `size`."""
        if self._connection is None:
            return
        row = (key, json.dumps(result.to_json()), time.time())
        try:
            self._connection.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", row)
            self._kept += 1
            if self._kept % min(LOOK_EVERY, self._size) == 0:
                newest = "SELECT key FROM verdicts ORDER BY kept DESC LIMIT ?"
                self._connection.execute(f"DELETE FROM verdicts WHERE key NOT IN ({newest})", (self._size,))
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with closing(self._connection):
                self._connection = None

    def _give_up(self, error: Exception) -> None:
        """Log an error, and stop using the file."""
        log.warning("verdicts are not kept on disk: %s: %s", self._path, error)
        self.close()
