"""Grade programs on all cores: worker processes, one thread a worker to feed it, futures for whoever waits.

Start it before torch: workers are spawned, and stay small. A worker that dies is replaced and its program graded once
more; if that kills a worker too, the verdict is HOST_ERROR. The same program, asked for twice, is graded once. A
program's limits run from its start, never from when it was queued.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import signal
import tempfile
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sandbox.cache import VerdictCache, verdict_key
from sandbox.errors import PoolClosed, ToolchainError
from sandbox.limits import Limits
from sandbox.paths import choose_path
from sandbox.toolchain import Toolchain, find_toolchain
from sandbox.verdict import PHASES, Outcome, Verdict
from sandbox.worker import serve

__all__ = ["SandboxPool"]

ATTEMPTS = 2
PROBE = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n        assert_eq!(1 + 1, 2);\n    }\n}\n"
WALL_CLOCK = "wall-clock"  # in the reason of verdicts that depend on the machine's load


@dataclass
class _Job:
    """A program that somebody waits for."""

    key: str
    source: str
    phases: tuple[str, ...]
    future: Future[Verdict] = field(default_factory=Future)
    worker: _Worker | None = None  # while it is being graded
    expired: str = ""  # why it is not waited for any longer


class SandboxPool:
    """Worker processes that grade Rust programs.

    >>> with SandboxPool(jobs=1) as pool:
    ...     pool.submit("fn main_is_given() {}").result().outcome
    <Outcome.NO_TESTS: 'no_tests'>
    """

    def __init__(
        self, jobs: int = 0, limits: Limits | None = None, *, path: str = "direct", cache_size: int = 100_000
    ) -> None:
        """Start the workers and grade one empty program, to know that grading works.

        Args: jobs, programs graded at once, 0 for one a core; limits of each program; path, "direct" for the cheap way
            where it is known to equal cargo and "exact" for cargo always; cache_size, verdicts remembered.
        Raises: ToolchainError when there is no Rust to grade with, or it cannot build the empty program.
        """
        self.toolchain: Toolchain = find_toolchain()
        self.limits = limits or Limits()
        self.path = choose_path(path, self.toolchain)
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._cache = VerdictCache(cache_size)
        self._pending: dict[str, _Job] = {}
        self._closed = False
        self._directory = Path(tempfile.mkdtemp(prefix="sandbox-"))
        settings = (self.toolchain, self.limits, self.path)
        self._workers = [_Worker(self._directory / str(i), *settings) for i in range(self.jobs)]
        self._finalizer = weakref.finalize(self, _clean_up, self._workers, self._directory)
        self._threads = [threading.Thread(target=self._feed, args=(worker,), daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()
        self._check()

    def submit(self, source: str, *, phases: Sequence[str] = PHASES) -> Future[Verdict]:
        """Queue a program; returns at once.

        Args: source, the program, hostile text of any kind; phases, those of `PHASES` that are wanted.
        Returns: a future of the verdict; the same one for the same program while it is graded. It never raises: what
            goes wrong is in the verdict.
        Raises: PoolClosed; ValueError for an unknown phase.
        """
        unknown = set(phases) - set(PHASES)
        if unknown or not phases:
            raise ValueError(f"phases are {tuple(phases)}; give some of {', '.join(PHASES)}")
        key = verdict_key(source, phases, self.toolchain, self.limits)
        with self._lock:
            if self._closed:
                raise PoolClosed("the sandbox pool is closed: submit programs inside its `with` block")
            known = self._cache.get(key)
            if known is not None:
                future: Future[Verdict] = Future()
                future.set_result(known)
                return future
            if key not in self._pending:
                self._pending[key] = _Job(key, source, tuple(phases))
                self._queue.put(self._pending[key])
            return self._pending[key].future

    def cancel(self, future: Future[Verdict], reason: str) -> None:
        """Stop waiting for a program: its verdict becomes TIMEOUT with this reason, and what runs of it is killed."""
        with self._lock:
            job = next((job for job in self._pending.values() if job.future is future), None)
            if job is None:
                return
            job.expired = reason
            if job.worker is not None:
                job.worker.kill()
                return
        self._resolve(job, Verdict(Outcome.TIMEOUT, reason=reason))

    def close(self) -> None:
        """End all workers and remove all work directories; programs not yet graded are cancelled."""
        with self._lock:
            self._closed = True
            waiting = [job for job in self._pending.values() if job.worker is None]
            self._pending.clear()
        for job in waiting:
            job.future.cancel()
        for _ in self._threads:
            self._queue.put(None)
        for worker in self._workers:
            worker.kill()
        for thread in self._threads:
            thread.join()
        self._finalizer()

    def __enter__(self) -> SandboxPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        """Grade an empty program, since a missing linker would look like a program that does not build."""
        verdict = self.submit(PROBE).result()
        if verdict.outcome is not Outcome.PASSED:
            self.close()
            said = verdict.reason or "; ".join(d.message for d in verdict.diagnostics) or verdict.test_output
            raise ToolchainError(
                f"{self.toolchain.version} cannot build and test an empty program ({verdict.outcome}: {said[:500]}). "
                "Rust needs a C linker: install gcc or clang, and look for room in the temporary directory"
            )

    def _feed(self, worker: _Worker) -> None:
        """The life of one worker's thread: a job, its verdict, the next."""
        while (job := self._queue.get()) is not None:
            with self._lock:
                if job.expired or self._closed:
                    continue
                job.worker = worker
            verdict = self._grade(worker, job)
            if verdict is not None:
                self._resolve(job, verdict)
            else:
                job.future.cancel()

    def _grade(self, worker: _Worker, job: _Job) -> Verdict | None:
        """The verdict of a job, with a fresh worker and a second try should the first one die; None once closed."""
        for _ in range(ATTEMPTS):
            verdict = worker.ask(job.source, job.phases)
            if verdict is not None:
                return verdict
            if self._closed:
                return None
            worker.replace()
            if job.expired:
                return Verdict(Outcome.TIMEOUT, reason=job.expired)
        return Verdict(Outcome.HOST_ERROR, reason=f"{ATTEMPTS} workers died while grading it")

    def _resolve(self, job: _Job, verdict: Verdict) -> None:
        """Hand a verdict out, and remember it if it would be the same again."""
        repeatable = verdict.outcome is not Outcome.HOST_ERROR and not job.expired and WALL_CLOCK not in verdict.reason
        with self._lock:
            job.worker = None
            self._pending.pop(job.key, None)
            if repeatable:
                self._cache.put(job.key, verdict)
        if not job.future.done():
            job.future.set_result(verdict)


class _Worker:
    """A worker process, replaceable, with a directory of its own."""

    def __init__(self, directory: Path, toolchain: Toolchain, limits: Limits, path: str) -> None:
        self._directory = directory
        self._settings = (toolchain, limits, path)
        self._context = multiprocessing.get_context("spawn")
        self._group: Any = self._context.Value("i", 0, lock=False)
        self._start()

    def ask(self, source: str, phases: tuple[str, ...]) -> Verdict | None:
        """Grade a program; None when the worker died."""
        try:
            self._connection.send((source, phases))
            verdict: Verdict = self._connection.recv()
            return verdict
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """End the process and what it runs."""
        self._process.kill()
        self._kill_group()

    def replace(self) -> None:
        """Put a fresh process in the place of a dead one, and remove what that left."""
        self.end()
        self._start()

    def end(self) -> None:
        """Kill, reap and clean up."""
        self.kill()
        self._process.join()
        self._kill_group()
        self._connection.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self) -> None:
        """Start the process."""
        self._directory.mkdir()
        self._group.value = 0
        theirs: Connection
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(theirs, self._group, *self._settings, self._directory), daemon=True
        )
        self._process.start()
        theirs.close()

    def _kill_group(self) -> None:
        """Kill the command that the process was running."""
        if self._group.value:
            try:
                os.killpg(self._group.value, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _clean_up(workers: list[_Worker], directory: Path) -> None:
    """End every worker and remove every file: at close, or when the pool or the interpreter goes."""
    for worker in workers:
        worker.end()
    shutil.rmtree(directory, ignore_errors=True)
