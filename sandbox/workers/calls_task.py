"""The task to call a program's functions and report the values."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.answers.alone import answers_of
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.answers.together import answers_together
from sandbox.workers.task import Place, WorkerTask

__all__ = ["CallsTask"]


@dataclass(frozen=True)
class CallsTask(WorkerTask[Answers]):
    """Call a program's functions."""

    calls: Calls
    backend: str = "batch"

    kind = Answers

    @property
    def batch(self) -> Hashable:
        return True if self.backend == "batch" else None

    def run(self, place: Place) -> Answers:
        isolation, limits, workdir, on_start = place
        return answers_of(self.calls, isolation, limits, workdir, on_start=on_start)

    @classmethod
    def run_together(cls, tasks: Sequence[CallsTask], place: Place) -> Iterator[tuple[int, Answers | None]]:
        isolation, limits, workdir, on_start = place
        return answers_together([task.calls for task in tasks], isolation, limits, workdir, on_start=on_start)
