"""Work for the cores that a run leaves to the sandbox: real gradings, or processes that only count."""

from __future__ import annotations

import itertools
import os
import time
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Any

from sandbox.errors import SandboxError
from sandbox.workers.pool import SandboxPool

__all__ = ["CpuLoad"]

LEFT_FREE = 3  # cores for the two processes that launch kernels, and for the system
PROGRAM = """// {number}
pub fn add(a: i64, b: i64) -> i64 {{
    a + b
}}

#[cfg(test)]
mod tests {{
    use super::*;

    #[test]
    fn adds() {{
        assert_eq!(add({number}, 1), {number} + 1);
    }}
}}
"""
CHUNK = 100_000


class CpuLoad:
    """Workers on all cores but a few; a context manager. They idle until their rate is asked for."""

    kind: str  # "sandbox" or "counting"

    def __enter__(self) -> CpuLoad:
        jobs = max(1, len(os.sched_getaffinity(0)) - LEFT_FREE)
        self._numbers = itertools.count()
        self._jobs = jobs
        self._pool: SandboxPool | None = None
        try:
            self._pool = SandboxPool(jobs)
            self.kind = "sandbox"
        except (SandboxError, OSError):
            self.kind = "counting"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    def rate(self, seconds: float) -> float:
        """Programs graded a second, or steps counted a second, over some seconds."""
        return self._graded(self._pool, seconds) if self._pool is not None else self._counted(seconds)

    def _graded(self, pool: SandboxPool, seconds: float) -> float:
        """Programs that no cache knows, twice as many waiting as there are workers."""
        started, done = time.monotonic(), 0
        waiting: list[Any] = []
        while time.monotonic() - started < seconds:
            while len(waiting) < 2 * self._jobs:
                waiting.append(pool.submit(PROGRAM.format(number=next(self._numbers))))
            waiting.pop(0).result()
            done += 1
        for future in waiting:
            future.result()
        return round((done + len(waiting)) / (time.monotonic() - started), 3)

    def _counted(self, seconds: float) -> float:
        context = get_context("spawn")
        counter: Synchronized[int] = context.Value("q", 0)
        workers = [context.Process(target=_count, args=(counter, seconds), daemon=True) for _ in range(self._jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return round(counter.value / seconds, 1)


def _count(counter: Synchronized[int], seconds: float) -> None:
    """Count for some seconds, and add what was counted."""
    ends, steps = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        for _ in range(CHUNK):
            steps += 1
    with counter.get_lock():
        counter.value += steps
