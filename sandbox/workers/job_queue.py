"""What waits to be graded: one line for all workers, from which each takes as much as makes sense at once."""

from __future__ import annotations

import queue
from concurrent.futures import Future
from dataclasses import dataclass, field

from sandbox.grading.backends import BATCH_SIZE
from sandbox.verdict import PHASES, Verdict
from sandbox.workers.handle import WorkerHandle

__all__ = ["Job", "JobQueue"]


@dataclass(eq=False)
class Job:
    """A program that somebody waits for."""

    key: str
    source: str
    phases: tuple[str, ...]
    backend: str
    future: Future[Verdict] = field(default_factory=Future)
    worker: WorkerHandle | None = None  # while it is being graded
    expired: str = ""  # why it is not waited for any longer

    @property
    def may_share(self) -> bool:
        """Whether it may be graded together with others."""
        return self.backend == "batch" and set(self.phases) == set(PHASES)


class JobQueue:
    """Jobs in the order in which they came."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def put(self, job: Job) -> None:
        """Add a job at the end."""
        self._jobs.put(job)

    def end(self) -> None:
        """Let every worker know that there will be no more."""
        for _ in range(self._workers):
            self._jobs.put(None)

    def take(self) -> list[Job]:
        """The next job, once there is one, and a fair part of those that wait if it may share; none at the end."""
        jobs: list[Job] = []
        wanted = 1
        while len(jobs) < wanted:
            try:
                job = self._jobs.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                if jobs:
                    self._jobs.put(None)  # for the next time
                break
            jobs.append(job)
            if job.may_share and len(jobs) == 1:
                wanted = min(BATCH_SIZE, 1 + self._jobs.qsize() // self._workers)
        return jobs
