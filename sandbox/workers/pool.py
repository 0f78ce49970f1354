"""Grades programs on all cores: a pool of worker processes, a thread for each, and a future for each program.

Start a pool before torch: workers are spawned, and stay small. A worker that dies is replaced and its program graded
again; if three workers die over it, the verdict is HOST_ERROR. A program that is submitted twice is graded once. The
limits of a program count from its start, not from when it was queued. Not covered: `cancel` takes a program away from
all who wait for it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import secrets
import signal
import tempfile
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Self

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.errors import PoolClosed, SandboxError, ToolchainError
from sandbox.evidence.experiment import Experiment
from sandbox.find_rust import find_toolchain
from sandbox.grading.backends import BACKENDS
from sandbox.grading.self_check import SelfCheck, programs
from sandbox.isolation.policy import Isolation
from sandbox.isolation.probe import isolate
from sandbox.limits import Limits
from sandbox.storage import make_work_directory
from sandbox.toolchain import Toolchain
from sandbox.verdict import PHASES, Evidence, Outcome, Verdict
from sandbox.workers.cache import is_lasting, kept_results, task_key
from sandbox.workers.calls_task import CallsTask
from sandbox.workers.crossing_task import CrossingTask
from sandbox.workers.experiment_task import ExperimentTask
from sandbox.workers.handle import WorkerHandle, end_all
from sandbox.workers.job_queue import Job, JobQueue
from sandbox.workers.program_task import ProgramTask
from sandbox.workers.task import R, Result, WorkerTask, settle
from sandbox.workers.worker import serve

__all__ = ["SandboxPool", "TaskPool"]

ATTEMPTS = 3
PROBE = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n        assert_eq!(1 + 1, 2);\n    }\n}\n"
log = logging.getLogger(__name__)
DIED = "workers died"
UNGUARDED = (
    "a script that starts a SandboxPool is imported again by each of its workers, and must not start a pool then: "
    'put the code that starts it under `if __name__ == "__main__":`'
)


class TaskPool(ABC):
    """A pool that runs tasks: with its own workers (`SandboxPool`), or on other machines (`RayPool`)."""

    backend: str  # of its programs

    @abstractmethod
    def submit_task(self, task: WorkerTask[R]) -> Future[R]:
        """Queue a task, unless its result is known or the same task is queued already. Raises: PoolClosed."""

    @abstractmethod
    def cancel(self, future: Future[Any], reason: str) -> None:
        """Stop a task. Its result is TIMEOUT, or HOST_ERROR if it was not started yet.

        Args:
            future: That a method of this pool returned. One that is done is ignored.
            reason: The result's reason.
        """

    @abstractmethod
    def close(self) -> None:
        """End all workers, remove all that they wrote, and cancel the futures of tasks that have no result."""

    def submit(self, source: str, *, phases: Sequence[str] = PHASES, backend: str = "") -> Future[Verdict]:
        """Queue a program. Returns immediately.

        Args:
            source: The program: any text, possibly hostile.
            phases: Those of `PHASES` that are wanted.
            backend: "" for the pool's own, or "cargo", which every pool has.
        Returns: A future of the verdict. While a program is graded, submitting it again returns the same future. Errors
            are reported in the verdict, not as exceptions.
        Raises:
            PoolClosed: The pool is closed.
            ValueError: A phase is unknown, or none is given; or the pool has no such backend.
        """
        unknown = set(phases) - set(PHASES)
        if unknown or not phases:
            raise ValueError(f"phases are {tuple(phases)}; give some of {', '.join(PHASES)}")
        if backend not in ("", "cargo", self.backend):
            raise ValueError(f"the backend is {backend!r}; this pool has {self.backend!r} and 'cargo'")
        return self.submit_task(ProgramTask(source, tuple(phases), backend or self.backend))

    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]:
        """Queue an experiment, as `submit` queues a program."""
        return self.submit_task(ExperimentTask(experiment))

    def submit_calls(self, calls: Calls) -> Future[Answers]:
        """Queue calls of a program's functions. Returns immediately.

        Args:
            calls: The program without its tests, and the calls.
        Returns: A future of the answers. Raises: As `submit`; ValueError without calls.
        """
        if not calls.calls:
            raise ValueError("there are no calls; give at least one")
        return self.submit_task(CallsTask(calls, self.backend))

    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]:
        """Queue test modules to run on codes, as `submit` queues a program."""
        return self.submit_task(CrossingTask(crossing))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SandboxPool(TaskPool):
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
        nice: int = 0,
    ) -> None:
        """Start the workers, and grade one small program to check that grading works.

        Args:
            jobs: Number of workers, 0 for one per core.
            limits: What each program may use; None for `Limits()`.
            backend: One of `BACKENDS`. "batch" grades several programs together when many wait.
            isolation: One of `ISOLATIONS`. "auto" takes the strongest that the host supports, "none" takes none.
            cache_size: Number of verdicts kept in memory.
            keep: Whether verdicts are kept on disk for other runs. Ignored without isolation, since a program could
                then write to that file.
            nice: Added to the niceness of the workers and of all that they run: 0 to 19, where 19 yields to all others.
        Raises:
            ToolchainError: No Rust toolchain is found, or it cannot build the small program.
            IsolationError: The host does not support the isolation.
            SandboxError: There is no room for work directories, or the workers of a script without the line
                `if __name__ == "__main__":` start pools too.
            ValueError: There is no such backend.
        """
        if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker that imports its script
            raise SandboxError(UNGUARDED)
        if backend not in BACKENDS:
            raise ValueError(f"the backend is {backend!r}; it must be one of {', '.join(BACKENDS)}")
        self._directory = Path(tempfile.gettempdir()) / f"sandbox-{secrets.token_hex(8)}"
        self._workers: list[WorkerHandle] = []
        self._finalizer = weakref.finalize(
            self, end_all, self._workers, self._directory
        )  # first, so that an error below cleans up
        make_work_directory(self._directory)
        self.isolation: Isolation = isolate(find_toolchain(), isolation)
        self.toolchain: Toolchain = self.isolation.toolchain
        self.limits = limits or Limits()
        self.backend = backend
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._queue = JobQueue(self.jobs)
        self._lock = threading.Lock()
        self._cache = kept_results(cache_size, on_disk=keep and self.isolation.is_real)
        self._pending: dict[str, Job] = {}
        self._closed = False
        self._busy = [0.0] * self.jobs  # seconds by worker
        self._workers += [
            WorkerHandle(serve, self._directory, self.isolation, self.limits, nice) for _ in range(self.jobs)
        ]
        resource_tracker.ensure_running()  # else starting a worker does it, and unblocks SIGINT for that worker
        self._started = threading.Barrier(self.jobs + 1)
        feeds = enumerate(self._workers)
        self._threads = [threading.Thread(target=self._feed, args=feed, daemon=True) for feed in feeds]
        for thread in self._threads:
            thread.start()
        self._started.wait()
        self._check()
        if self.backend != "cargo":
            self._check_backend(SelfCheck(self.toolchain))

    def submit_task(self, task: WorkerTask[R]) -> Future[R]:
        key = task_key(task, self.isolation, self.limits)
        with self._lock:
            if self._closed:
                raise PoolClosed("the sandbox pool is closed: submit programs inside its `with` block")
            known = self._cache.get(key, task.kind)
            if known is not None:
                future: Future[R] = Future()
                future.set_result(known)
                return future
            if key not in self._pending:
                self._pending[key] = Job(key, task)
                self._queue.put(self._pending[key])
            return self._pending[key].future

    @property
    def worker_pids(self) -> list[int]:
        """The process ids of the running workers."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    @property
    def busy_s(self) -> float:
        """Seconds that the workers have spent on programs so far, summed over workers."""
        return sum(self._busy)

    @property
    def unfinished(self) -> int:
        """Number of programs that were submitted and have no verdict yet."""
        with self._lock:
            return len(self._pending)

    def cancel(self, future: Future[Any], reason: str) -> None:
        with self._lock:
            job = next((job for job in self._pending.values() if job.future is future), None)
            if job is None:
                return
            job.expired = reason
            del self._pending[job.key]
            result = job.task.failed(Outcome.HOST_ERROR, f"{reason}: it was never started")
            if job.stop is not None:
                job.stop()
                result = job.task.failed(Outcome.TIMEOUT, reason)
        settle(job.future, result)

    def close(self) -> None:
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

    def _check(self) -> None:
        """Grade a small program: without this check, a missing linker would look like an error of every program."""
        verdict = self.submit(PROBE).result()
        if verdict.outcome is not Outcome.PASSED:
            self.close()
            if DIED in verdict.reason:
                raise SandboxError(f"{verdict.reason}, an empty program; what they printed says why. Often {UNGUARDED}")
            said = verdict.reason or "; ".join(d.message for d in verdict.diagnostics) or verdict.test_output
            raise ToolchainError(
                f"{self.toolchain.version} cannot build and test an empty program ({verdict.outcome}: {said[:500]}). "
                "Rust needs a C linker: install gcc or clang, and look for room in the temporary directory"
            )

    def _check_backend(self, self_check: SelfCheck) -> None:
        """Compare the backend with cargo, once for each toolchain, and use cargo if they differ."""
        differing = self_check.differing
        if differing is None:
            log.warning("%s is new to the sandbox: comparing its backends on some programs", self.toolchain.version)
            futures = {
                name: [self.submit_task(ProgramTask(source, PHASES, backend)) for backend in ("cargo", self.backend)]
                for name, source in programs().items()
            }
            facts = {name: {future.result().facts for future in both} for name, both in futures.items()}
            differing = sorted(name for name, found in facts.items() if len(found) > 1)
            self_check.keep(differing)
        if differing:
            names = ", ".join(differing)
            log.warning("%s: the backend %r differs from cargo on %s", self.toolchain.version, self.backend, names)
            log.warning("grading by cargo, which is slower")
            self.backend = "cargo"

    def _feed(self, number: int, worker: WorkerHandle) -> None:
        """Run the thread of one worker: take jobs and run them until the queue ends."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            worker.start()
        except OSError:
            pass  # the first job tries again, and its verdict has the error
        self._started.wait()
        while jobs := self._queue.take():
            taken = time.monotonic()
            for job in self._run_batches(worker, jobs):
                if not self._starts(job, worker):
                    continue
                self._resolve(job, self._run(worker, job))
                if job.expired:
                    worker.end()
            self._busy[number] += time.monotonic() - taken

    def _starts(self, job: Job, worker: WorkerHandle) -> bool:
        """Record which worker runs a job; False if the job was cancelled or the pool closed."""
        with self._lock:
            if job.expired or self._closed:
                return False
            job.stop = worker.stop
            return True

    def _run_batches(self, worker: WorkerHandle, jobs: Sequence[Job]) -> list[Job]:
        """Run jobs in batches, one for each kind, and return those that got no result, which have to be run alone."""
        kinds: dict[Hashable, list[Job]] = {}
        for job in jobs:
            if job.batch is not None and not job.expired:
                kinds.setdefault(job.batch, []).append(job)
        done: set[Job] = set()
        for together in kinds.values():
            if len(together) > 1:
                done |= self._run_together(worker, together)
        return [job for job in jobs if job not in done]

    def _run_together(self, worker: WorkerHandle, jobs: Sequence[Job]) -> set[Job]:
        """Run jobs in one batch, and return those that got a result."""
        try:
            worker.start()
        except OSError:
            return set()  # run alone, each tries again, and its result has the error
        done: set[Job] = set()
        unanswered = len(jobs)
        for number, result in worker.ask([job.task for job in jobs]):
            if result is None:
                self._starts(jobs[number], worker)
                continue
            unanswered -= 1
            if result.outcome is not Outcome.HOST_ERROR:
                self._resolve(jobs[number], result)
                done.add(jobs[number])
        if unanswered:
            worker.end()
        for job in jobs:
            if job not in done:
                job.stop = None
        return done

    def _run(self, worker: WorkerHandle, job: Job) -> Result | None:
        """Run one job, again if the worker or the host fails; None if the job was cancelled or the pool closed."""
        failed: Result | None = None
        for _ in range(ATTEMPTS):
            try:
                worker.start()
            except OSError as error:
                failed = job.task.failed(Outcome.HOST_ERROR, f"no worker can be started: {error}")
                continue
            answer = next((result for _, result in worker.ask([job.task]) if result is not None), None)
            if answer is not None and answer.outcome is not Outcome.HOST_ERROR:
                return answer
            if self._closed or job.expired:
                return None
            failed = answer or job.task.failed(Outcome.HOST_ERROR, f"{ATTEMPTS} {DIED} while grading it")
            if answer is None:
                worker.end()
        return failed

    def _resolve(self, job: Job, result: Result | None) -> None:
        """Set the result of a job, and cache it unless it depends on the host or its load."""
        with self._lock:
            job.stop = None
            if self._pending.get(job.key) is job:
                del self._pending[job.key]
            if result is None or job.expired:
                return
            if is_lasting(result):
                self._cache.put(job.key, result)
        settle(job.future, result)
