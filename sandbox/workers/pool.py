"""Grade programs on all cores: worker processes, one thread a worker to feed it, futures for whoever waits.

Start it before torch: workers are spawned, and stay small. A worker that dies is replaced and its program graded again;
if that kills three workers, the verdict is HOST_ERROR. The same program, asked for twice, is graded once. A
program's limits run from its start, never from when it was queued. Left out: whoever gives a program up gives it up for
all who wait for the same one.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import tempfile
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from multiprocessing import resource_tracker
from pathlib import Path

from sandbox.errors import PoolClosed, SandboxError, ToolchainError
from sandbox.grading.backends import BACKENDS
from sandbox.grading.self_check import SelfCheck, programs
from sandbox.isolation.policy import Isolation, isolate
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.storage import cache_directory
from sandbox.toolchain import Toolchain, find_toolchain
from sandbox.verdict import PHASES, Outcome, Verdict
from sandbox.workers.cache import VerdictCache, verdict_key
from sandbox.workers.handle import WorkerHandle
from sandbox.workers.job_queue import Job, JobQueue
from sandbox.workers.store import VerdictStore

__all__ = ["SandboxPool"]

ATTEMPTS = 3
KEPT = 1_000_000  # verdicts on disk, about a kilobyte each
PROBE = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n        assert_eq!(1 + 1, 2);\n    }\n}\n"
log = logging.getLogger(__name__)
BY_LOAD = ("wall-clock", "wrote more than")  # in the reasons of verdicts that depend on the machine's load


class SandboxPool:
    """Worker processes that grade Rust programs.

    >>> with SandboxPool(jobs=1) as pool:
    ...     pool.submit("fn main_is_given() {}").result().outcome
    <Outcome.NO_TESTS: 'no_tests'>
    """

    def __init__(
        self,
        jobs: int = 0,
        limits: Limits | None = None,
        *,
        backend: str = "batch",
        isolation: str = "auto",
        cache_size: int = 100_000,
        keep: bool = False,
    ) -> None:
        """Start the workers and grade one empty program, to know that grading works.

        Args: jobs, programs graded at once, 0 for one a core; limits of each program; backend, "cargo" for cargo itself,
            "direct" for its compilers, "batch" for the same with several programs at once when many wait; isolation,
            of `ISOLATIONS`, "auto" for the strongest that the host can give and "none" for none; cache_size, verdicts
            remembered; keep, whether they are kept on disk for other runs (never without isolation: a program could
            write there).
        Raises: ToolchainError when there is no Rust to grade with, or it cannot build the empty program; IsolationError
            when guests cannot be isolated as asked; SandboxError when there is no room for work directories; ValueError
            for a backend that does not exist.
        """
        if backend not in BACKENDS:
            raise ValueError(f"the backend is {backend!r}; it must be one of {', '.join(BACKENDS)}")
        self._directory = Path(tempfile.gettempdir()) / f"sandbox-{secrets.token_hex(8)}"
        self._workers: list[WorkerHandle] = []
        self._finalizer = weakref.finalize(self, _clean_up, self._workers, self._directory)  # before there is anything
        _make(self._directory)
        self.isolation: Isolation = isolate(find_toolchain(), isolation)
        self.toolchain: Toolchain = self.isolation.toolchain
        self.limits = limits or Limits()
        self.backend = backend
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._queue = JobQueue(self.jobs)
        self._lock = threading.Lock()
        store = (
            VerdictStore(cache_directory() / "verdicts.sqlite", size=KEPT) if keep and self.isolation.is_real else None
        )
        self._cache = VerdictCache(cache_size, store)
        self._pending: dict[str, Job] = {}
        self._closed = False
        self._busy = [0.0] * self.jobs  # seconds, by worker
        self._workers += [WorkerHandle(self._directory, self.isolation, self.limits) for _ in range(self.jobs)]
        resource_tracker.ensure_running()  # else a worker's start does it, and lets SIGINT through to the worker
        self._started = threading.Barrier(self.jobs + 1)
        feeds = enumerate(self._workers)
        self._threads = [threading.Thread(target=self._feed, args=feed, daemon=True) for feed in feeds]
        for thread in self._threads:
            thread.start()
        self._started.wait()
        self._check()
        if self.backend != "cargo":
            self._prove(SelfCheck(self.toolchain))

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
        return self._submit(source, tuple(phases), self.backend)

    def _submit(self, source: str, phases: tuple[str, ...], backend: str) -> Future[Verdict]:
        """Queue a program for a backend."""
        key = verdict_key(source, phases, self.isolation, self.limits, backend)
        with self._lock:
            if self._closed:
                raise PoolClosed("the sandbox pool is closed: submit programs inside its `with` block")
            known = self._cache.get(key)
            if known is not None:
                future: Future[Verdict] = Future()
                future.set_result(known)
                return future
            if key not in self._pending:
                self._pending[key] = Job(key, source, phases, backend)
                self._queue.put(self._pending[key])
            return self._pending[key].future

    @property
    def worker_pids(self) -> list[int]:
        """The process ids of the workers that are running, for whoever watches or kills them."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    @property
    def busy_s(self) -> float:
        """Seconds that workers have spent on programs so far, summed over the workers."""
        return sum(self._busy)

    @property
    def unfinished(self) -> int:
        """Programs that were submitted and have no verdict yet."""
        with self._lock:
            return len(self._pending)

    def cancel(self, future: Future[Verdict], reason: str) -> None:
        """Stop waiting for a program: its verdict is TIMEOUT with this reason, and what runs of it ends.

        One that was never started has done nothing wrong: its verdict is HOST_ERROR.
        """
        with self._lock:
            job = next((job for job in self._pending.values() if job.future is future), None)
            if job is None:
                return
            job.expired = reason
            del self._pending[job.key]
            verdict = Verdict(Outcome.HOST_ERROR, reason=f"{reason}: it was never started")
            if job.worker is not None:
                job.worker.stop()
                verdict = Verdict(Outcome.TIMEOUT, reason=reason)
        _settle(job.future, verdict)

    def close(self) -> None:
        """End all workers and remove all work directories; programs not yet graded are cancelled."""
        with self._lock:
            self._closed = True
            unfinished = list(self._pending.values())
            self._pending.clear()
        self._queue.end()
        self._finalizer()
        for thread in self._threads:
            thread.join()
        with self._lock:
            self._cache.close()
        for job in unfinished:
            job.future.cancel()

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

    def _prove(self, proof: SelfCheck) -> None:
        """Fall back to cargo where the backend differs from it, after comparing the two where that was never done."""
        differing = proof.differing
        if differing is None:
            log.warning("%s is new to the sandbox: comparing its backends on some programs", self.toolchain.version)
            both = {
                name: [self._submit(source, PHASES, backend) for backend in ("cargo", self.backend)]
                for name, source in programs().items()
            }
            facts = {name: {future.result().facts for future in futures} for name, futures in both.items()}
            differing = sorted(name for name, said in facts.items() if len(said) > 1)
            proof.keep(differing)
        if differing:
            names = ", ".join(differing)
            log.warning("%s: the backend %r differs from cargo on %s", self.toolchain.version, self.backend, names)
            log.warning("grading exactly, which is slower")
            self.backend = "cargo"

    def _feed(self, number: int, worker: WorkerHandle) -> None:
        """The life of one worker's thread: a job, its verdict, the next."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            worker.start()
        except OSError:
            pass  # the first job tries again, and says why
        self._started.wait()
        while jobs := self._queue.take():
            taken = time.monotonic()
            for job in self._grade_together(worker, jobs) if len(jobs) > 1 else jobs:
                if not self._starts(job, worker):
                    continue
                self._resolve(job, self._grade(worker, job))
                if job.expired:
                    worker.end()
            self._busy[number] += time.monotonic() - taken

    def _starts(self, job: Job, worker: WorkerHandle) -> bool:
        """Note who grades a job from now on; False when nobody waits for it any longer."""
        with self._lock:
            if job.expired or self._closed:
                return False
            job.worker = worker
            return True

    def _grade_together(self, worker: WorkerHandle, jobs: Sequence[Job]) -> list[Job]:
        """Grade jobs in one go; those that came out of it without a verdict, to be graded alone."""
        together = [job for job in jobs if job.may_share and not job.expired]
        others = [job for job in jobs if job not in together]
        try:
            worker.start()
        except OSError:
            return list(jobs)  # alone, each tries again and says why
        left = dict(enumerate(together))
        unanswered = len(left)
        for number, verdict in worker.ask([job.source for job in together], PHASES, "batch"):
            if verdict is None:
                self._starts(left[number], worker)
                continue
            unanswered -= 1
            if verdict.outcome is not Outcome.HOST_ERROR:
                self._resolve(left.pop(number), verdict)
        if unanswered:
            worker.end()
        for job in left.values():
            job.worker = None
        return [*left.values(), *others]

    def _grade(self, worker: WorkerHandle, job: Job) -> Verdict | None:
        """The verdict of a job, with a fresh worker and another try should one die; None: nobody waits."""
        failure = ""
        for _ in range(ATTEMPTS):
            try:
                worker.start()
            except OSError as error:
                failure = f"no worker can be started: {error}"
                continue
            for _, verdict in worker.ask([job.source], job.phases, job.backend):
                return verdict
            if self._closed or job.expired:
                return None
            worker.end()
            failure = f"{ATTEMPTS} workers died while grading it"
        return Verdict(Outcome.HOST_ERROR, reason=failure)

    def _resolve(self, job: Job, verdict: Verdict | None) -> None:
        """Hand a verdict out, and remember it if it would be the same again."""
        with self._lock:
            job.worker = None
            if self._pending.get(job.key) is job:
                del self._pending[job.key]
            if verdict is None or job.expired:
                return
            if verdict.outcome is not Outcome.HOST_ERROR and not any(part in verdict.reason for part in BY_LOAD):
                self._cache.put(job.key, verdict)
        _settle(job.future, verdict)


def _settle(future: Future[Verdict], verdict: Verdict) -> None:
    """Answer a future, unless whoever waited has cancelled it."""
    try:
        future.set_result(verdict)
    except InvalidStateError:
        pass


def _make(directory: Path) -> None:
    """Make the directory below which everything happens."""
    try:
        directory.mkdir(mode=0o700)
        directory.chmod(0o711)  # guests of another user pass through, and see nothing
    except OSError as error:
        raise SandboxError(
            f"no work directory can be made ({error}); free some space or name another TMPDIR"
        ) from error


def _clean_up(workers: list[WorkerHandle], directory: Path) -> None:
    """End every worker and remove every file: at close, or when the interpreter ends."""
    # A second Ctrl-C may not interrupt this. Python interrupts its main thread only, whichever thread got the signal.
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.close()
        remove_tree(directory)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
