"""The queue of tasks to run: one for all workers. A worker takes one job, or several that form a batch."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sandbox.grading.backends import BATCH_SIZE
from sandbox.workers.task import WorkerTask

__all__ = ["Job", "JobQueue"]


@dataclass(eq=False)
class Job:
    """A task to run, and the future of its result."""

    key: str
    task: WorkerTask[Any]
    future: Future[Any] = field(default_factory=Future)
    stop: Callable[[], None] | None = None  # stops the worker that runs it; None while none does
    expired: str = ""  # why it was cancelled; empty while it is wanted

    @property
    def batch(self) -> tuple[type[Any], Any] | None:
        """Jobs with equal values may be run in one batch; None: it must be run alone."""
        shared = self.task.batch
        return None if shared is None else (type(self.task), shared)


class JobQueue:
    """Jobs, first in, first out."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def put(self, job: Job) -> None:
        """Add a job at the end."""
        self._jobs.put(job)

    def end(self) -> None:
        """Tell every worker that no more jobs follow."""
        for _ in range(self._workers):
            self._jobs.put(None)

    def take(self) -> list[Job]:
        """Wait for a job. If it may share, take 1 / workers of those that wait too. Returns none after `end`."""
        jobs: list[Job] = []
        wanted = 1
        while len(jobs) < wanted:
            try:
                job = self._jobs.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                if jobs:
                    self._jobs.put(None)  # for the next call
                break
            jobs.append(job)
            if job.batch is not None and len(jobs) == 1:
                wanted = min(BATCH_SIZE, 1 + self._jobs.qsize() // self._workers)
        return jobs
