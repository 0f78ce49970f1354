"""The task to build, lint and test one program."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.grading.grade import grade
from sandbox.grading.together import grade_together
from sandbox.verdict import PHASES, Verdict
from sandbox.workers.task import Place, WorkerTask

__all__ = ["ProgramTask"]


@dataclass(frozen=True)
class ProgramTask(WorkerTask[Verdict]):
    """Build, lint and test one program."""

    source: str  # any text, possibly hostile
    phases: tuple[str, ...] = PHASES
    backend: str = "batch"

    kind = Verdict

    @property
    def batch(self) -> Hashable:
        return True if self.backend == "batch" and set(self.phases) == set(PHASES) else None

    def run(self, place: Place) -> Verdict:
        isolation, limits, workdir, on_start = place
        return grade(
            self.source, isolation, limits, workdir, backend=self.backend, phases=self.phases, on_start=on_start
        )

    @classmethod
    def run_together(cls, tasks: Sequence[ProgramTask], place: Place) -> Iterator[tuple[int, Verdict | None]]:
        isolation, limits, workdir, on_start = place
        return grade_together([task.source for task in tasks], isolation, limits, workdir, on_start=on_start)
