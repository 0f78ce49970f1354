"""The pool of workers that grade programs: first in, first out, several at once in a batch where many wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulating.costs import PipelineCosts
from simulating.events import Lane, Meter, Simulation

__all__ = ["GradingWorkers"]


@dataclass
class _Program:
    """A program that waits for a worker: CPU seconds of what is asked now, and of what a strict pass is asked then."""

    seconds: float
    later: float
    graded: Callable[[], None]
    kind: int = 0  # 0: the program, 1: what its tests depend on, 2: a group's codes on tests that they share


class GradingWorkers:
    """Workers on some cores. As `sandbox.workers.job_queue` a worker takes 1 / workers of those that wait."""

    def __init__(
        self,
        simulation: Simulation,
        cores: Lane,
        costs: PipelineCosts,
        random: np.random.Generator,
        *,
        jobs: int,
        batch_size: int,
        occupy: Callable[[float], None],
    ) -> None:
        """
        Args:
            simulation: The time.
            cores: Where the programs run.
            costs: What a program takes.
            random: Draws the programs.
            jobs: Number of workers.
            batch_size: The most programs that are graded together.
            occupy: Told how many cores more, or less, are asked for.
        """
        self.busy = Meter()
        self._simulation, self._cores, self._costs, self._random = simulation, cores, costs, random
        self._jobs, self._batch_size, self._occupy = jobs, batch_size, occupy
        self._waiting: deque[_Program] = deque()
        self._idle = jobs

    def submit(self, graded: Callable[[], None]) -> None:
        """Grade a program, drawn from those that were seen."""
        seconds, later = self._costs.programs[self._random.integers(len(self._costs.programs))]
        self._queue(_Program(seconds, later, graded))

    def cross(self, seconds: float, crossed: Callable[[], None]) -> None:
        """Run the codes of a group, which are graded, on tests that they share."""
        self._queue(_Program(seconds, 0.0, crossed, kind=2))

    def _queue(self, program: _Program) -> None:
        self._waiting.append(program)
        if self._idle:
            self._idle -= 1
            self._use(1)
            self._take()

    def _take(self) -> None:
        """Give a worker what it takes next, or let it rest."""
        if not self._waiting:
            self._idle += 1
            self._use(-1)
            return
        wanted = min(self._batch_size, 1 + (len(self._waiting) - 1) // self._jobs)
        taken = [self._waiting.popleft() for _ in range(wanted)]
        seconds = sum(program.seconds for program in taken)
        seconds += self._costs.batch_s * len({program.kind for program in taken if program.kind < 2})
        self._simulation.after(self._cores, seconds, lambda: self._ended(taken))

    def _ended(self, programs: list[_Program]) -> None:
        for program in programs:
            if program.later:
                self._queue(_Program(program.later, 0.0, program.graded, kind=1))
            else:
                program.graded()
        self._take()

    def _use(self, workers: int) -> None:
        self.busy.change(workers, self._simulation.now)
        self._occupy(workers * self._costs.worker_load)
