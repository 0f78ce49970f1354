"""The task to run the test modules of some programs on the code of others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.crossing.cross import cross
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.workers.task import Place, WorkerTask

__all__ = ["CrossingTask"]


@dataclass(frozen=True)
class CrossingTask(WorkerTask[Crossed]):
    """Run test modules on codes."""

    crossing: Crossing

    kind = Crossed

    @property
    def batch(self) -> Hashable:
        return None  # it is a crate of its own

    def run(self, place: Place) -> Crossed:
        isolation, limits, workdir, on_start = place
        return cross(self.crossing, isolation, limits, workdir, on_start=on_start)

    @classmethod
    def run_together(cls, tasks: Sequence[CrossingTask], place: Place) -> Iterator[tuple[int, Crossed | None]]:
        for number, task in enumerate(tasks):
            yield number, None
            yield number, task.run(place)
