"""One worker process as the pool sees it: started, asked, ended, replaced by a fresh one after any kind of death."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.verdict import Verdict
from sandbox.workers.worker import serve

__all__ = ["WorkerHandle"]

GRACE_S = 5.0  # for a worker to kill and remove what it runs, before it is killed itself
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class WorkerHandle:
    """Looks after a worker. One thread starts and asks it, always the same; any other may stop or close it."""

    def __init__(self, root: Path, isolation: Isolation, limits: Limits) -> None:
        """Args: root, the pool's directory, in which every process gets one of its own."""
        self._root = root
        self._settings = (isolation, limits)
        self._context = multiprocessing.get_context("spawn")
        self._group: Any = self._context.Value("i", 0, lock=False)  # the process group that the worker is running
        self._lock = threading.RLock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._directory: Path | None = None
        self._stopped_at: float | None = None
        self._closed = False

    def start(self) -> None:
        """Start the process, unless one is running.

        It ends with the thread that calls this, which should block SIGINT: the process inherits that, so that Ctrl-C
        does not meet it before it can ignore it.

        Raises: OSError when the host has no room for it.
        """
        with self._lock:
            if self._process is not None and not self._process.is_alive():
                self.end()
            if self._process is not None or self._closed:
                return
            self._stopped_at = None
            self._directory = Path(tempfile.mkdtemp(dir=self._root))
            self._directory.chmod(0o711)  # guests of another user pass through, and see nothing
            theirs: Connection
            self._connection, theirs = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(theirs, self._group, *self._settings, self._directory), daemon=True
            )
            try:
                process.start()
                self._process = process
            finally:
                theirs.close()

    @property
    def pid(self) -> int | None:
        """The process id, None while there is no process."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def ask(self, sources: Sequence[str], phases: Sequence[str], backend: str) -> Iterator[tuple[int, Verdict | None]]:
        """Grade programs: the place of one and None when its turn comes, the place and its verdict when that is known.

        Ends early when the worker dies or is stopped.
        """
        connection = self._connection
        if connection is None:
            return
        unanswered = len(sources)
        try:
            connection.send((tuple(sources), tuple(phases), backend))
            while unanswered:
                while not connection.poll(LOOK_EVERY_S):
                    if self._stopped_at is not None and time.monotonic() - self._stopped_at > GRACE_S:
                        self._kill()
                number, verdict = connection.recv()
                unanswered -= verdict is not None
                yield number, verdict
        except (EOFError, OSError):
            return

    def stop(self) -> None:
        """Tell the worker to leave what it does; returns at once, and `ask` does soon."""
        with self._lock:
            if self._process is not None and self._stopped_at is None:
                self._stopped_at = time.monotonic()
                self._process.terminate()

    def end(self) -> None:
        """End the process and all that it ran, and remove its files."""
        with self._lock:
            self.stop()
            if self._process is not None:
                self._process.join(GRACE_S)
                self._kill()
                self._process.join()
                if self._process.exitcode != 0:
                    _kill_strays(str(self._directory))
            self._process = None
            self._group.value = 0
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._remove_directory()

    def close(self) -> None:
        """End the process for good."""
        with self._lock:
            self._closed = True
            self.end()

    def _kill(self) -> None:
        """Kill the process, if it still runs, and the process group that it was running."""
        if self._process is None or self._process.exitcode == 0:
            return
        self._process.kill()
        if self._group.value:
            try:
                os.killpg(self._group.value, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _remove_directory(self) -> None:
        """Remove the process's directory, or say loudly why it stays."""
        if self._directory is not None:
            try:
                remove_tree(self._directory)
            except OSError as error:
                log.error("cannot remove the work directory %s: %s", self._directory, error)
            self._directory = None


def _kill_strays(directory: str) -> None:
    """Kill what a killed worker can no longer kill: processes that know its directory, and left its process group."""
    needle = directory.encode()
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdecimal() and needle in Path(entry.path, "environ").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue  # it ended, or is somebody else's
