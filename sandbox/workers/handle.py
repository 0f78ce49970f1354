"""The pool's side of one worker process: starts it, sends it tasks, ends it, replaces it after it died or hung."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.workers.hanging import SILENT_S, HangWatch, stacks_of
from sandbox.workers.task import Result, WorkerTask
from sandbox.workers.toolchain_files import ToolchainFiles

__all__ = ["WorkerHandle", "end_all"]

GRACE_S = 5.0  # time for a worker to end its commands and remove its files, before it is killed
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class WorkerHandle:
    """Controls one worker process at a time.

    Only one thread may call `start` and `ask`, always the same. Any thread may call `stop`, `end` and `close`.
    """

    def __init__(
        self, serve: Callable[..., None], root: Path, isolation: Isolation, limits: Limits, nice: int = 0
    ) -> None:
        """Keep what every process of this handle is started with.

        Args:
            serve: The function that a process runs: `sandbox.workers.worker.serve`.
            root: The pool's directory, in which each process gets a directory of its own.
            isolation: How a process starts the commands of programs.
            limits: What each program may use.
            nice: Added to the niceness of a process.
        """
        self._serve = serve
        self._root = root
        self._settings = (isolation, limits, ToolchainFiles.of(isolation.toolchain))
        self._command_s = float(limits.wall_s)
        self._nice = nice
        self._context = multiprocessing.get_context("spawn")
        self._group: Any = self._context.Value("i", 0, lock=False)  # the process group that the worker is running
        self._beats: Any = self._context.Value("Q", 0, lock=False)  # the heartbeats of the worker
        self._answers = 0
        self._lock = threading.RLock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._directory: Path | None = None
        self._stopped_at: float | None = None
        self._closed = False

    def start(self) -> None:
        """Start the process, unless one is running.

        The process ends when the calling thread ends. That thread should block SIGINT: the process inherits the block,
        so that Ctrl-C cannot end it before it ignores SIGINT itself.

        Raises:
            OSError: The host has no room for a process or its directory.
        """
        with self._lock:
            if self._process is not None and not self._process.is_alive():
                self.end()
            if self._process is not None or self._closed:
                return
            self._stopped_at = None
            self._directory = Path(tempfile.mkdtemp(dir=self._root))
            try:
                self._directory.chmod(0o711)  # programs run as another user, who may pass through but not list it
                self._connection, theirs = self._context.Pipe()
                with theirs:
                    process = self._context.Process(
                        target=self._serve,
                        args=(theirs, self._group, self._beats, *self._settings, self._directory, self._nice),
                        daemon=True,
                    )
                    process.start()
                    self._process = process
            except BaseException:
                self.end()
                raise

    @property
    def pid(self) -> int | None:
        """The process id; None while no process runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def ask(self, tasks: Sequence[WorkerTask[Any]]) -> Iterator[tuple[int, Result | None]]:
        """Run tasks.

        Args:
            tasks: One, or several that may share a batch.
        Returns: An iterator of pairs: a task's index and None when its run starts, its index and its result when it is
            done. It ends early if the worker dies or is stopped, or hangs: then it is killed, and that is logged.
        """
        connection = self._connection
        if connection is None:
            return
        unanswered = len(tasks)
        watch = HangWatch(lambda: self._beats.value, lambda: (self._group.value, self._answers), self._command_s)
        try:
            self._send(connection, tasks)
            while unanswered:
                while not connection.poll(LOOK_EVERY_S):
                    if self._stopped_at is not None and time.monotonic() - self._stopped_at > GRACE_S:
                        self._kill()
                    elif why := watch.hangs():
                        self._give_up(why)
                number, result = connection.recv()
                self._answers += 1
                unanswered -= result is not None
                yield number, result
        except (EOFError, OSError):
            return

    def _send(self, connection: Connection, tasks: Sequence[WorkerTask[Any]]) -> None:
        """Send tasks. A worker that does not read them is killed: more than a pipe holds would never be sent."""
        unread = threading.Timer(SILENT_S, self._give_up, args=("it does not read its tasks",))
        unread.daemon = True
        unread.start()
        try:
            connection.send(tuple(tasks))
        finally:
            unread.cancel()

    def _give_up(self, why: str) -> None:
        """Kill a worker that hangs."""
        process, directory = self._process, self._directory
        if process is None or process.pid is None or directory is None:
            return
        about = stacks_of(process.pid, directory)
        log.warning("sandbox worker %d hangs (%s): killed, what it ran is run again; %s", process.pid, why, about)
        self._kill()

    def stop(self) -> None:
        """Tell the worker to end. Returns immediately; a running `ask` ends soon, after about `GRACE_S` at most."""
        with self._lock:
            if self._process is not None and self._stopped_at is None:
                self._stopped_at = time.monotonic()
                self._process.terminate()

    def end(self) -> None:
        """End the process and every command that it started, and remove its files."""
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
            if self._directory is not None:
                _remove(self._directory)
                self._directory = None

    def close(self) -> None:
        """End the process, and start no other one."""
        with self._lock:
            self._closed = True
            self.end()

    def _kill(self) -> None:
        """Kill the process, unless it ended by itself, and the process group that it was running."""
        if self._process is None or self._process.exitcode == 0:
            return
        self._process.kill()
        if self._group.value:
            try:
                os.killpg(self._group.value, signal.SIGKILL)
            except ProcessLookupError:
                pass


def end_all(workers: Sequence[WorkerHandle], directory: Path) -> None:
    """End the workers of a pool and remove every file, at its `close` or when the interpreter ends.

    A file that cannot be removed is logged as an error.
    """
    # A second Ctrl-C must not interrupt this. Python raises KeyboardInterrupt in its main thread only.
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.close()
        _remove(directory)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _remove(directory: Path) -> None:
    """Remove a directory, or log an error if that fails: what else is to be ended does not wait for it."""
    try:
        remove_tree(directory)
    except OSError as error:
        log.error("cannot remove the work directory %s: %s", directory, error)


def _kill_strays(directory: str) -> None:
    """Kill the processes that a killed worker left: those with its directory in their environment."""
    needle = directory.encode()
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdecimal() and needle in Path(entry.path, "environ").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue  # it ended, or belongs to another user
