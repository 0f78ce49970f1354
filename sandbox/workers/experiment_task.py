"""The task to make one experiment."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.evidence.examine import examine
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import Evidence, Outcome
from sandbox.workers.task import Place, WorkerTask

__all__ = ["ExperimentTask"]


@dataclass(frozen=True)
class ExperimentTask(WorkerTask[Evidence]):
    """Run a program's tests, once as they are and then with one change at a time."""

    experiment: Experiment

    kind = Evidence

    @property
    def batch(self) -> Hashable:
        return True if self.experiment.portable else None

    def run(self, place: Place) -> Evidence:
        isolation, limits, workdir, on_start = place
        found = [e for _, e in examine([self.experiment], isolation, limits, workdir, on_start=on_start) if e]
        return found[0] if found else self.failed(Outcome.HOST_ERROR, "no evidence")

    @classmethod
    def run_together(cls, tasks: Sequence[ExperimentTask], place: Place) -> Iterator[tuple[int, Evidence | None]]:
        isolation, limits, workdir, on_start = place
        return examine([task.experiment for task in tasks], isolation, limits, workdir, on_start=on_start)
