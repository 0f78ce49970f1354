"""What every pool takes: a program, an experiment, calls or a crossing becomes a task, which it runs somewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Self

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import PHASES, Evidence, Verdict
from sandbox.workers.calls_task import CallsTask
from sandbox.workers.crossing_task import CrossingTask
from sandbox.workers.experiment_task import ExperimentTask
from sandbox.workers.program_task import ProgramTask
from sandbox.workers.task import R, WorkerTask

__all__ = ["TaskPool"]


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
