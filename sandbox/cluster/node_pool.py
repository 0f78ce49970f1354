"""What runs on each node: an actor that holds an ordinary pool of this machine, with its isolation and its batches.

Ray makes an actor of the class; nothing here knows Ray. The pool keeps no results: each task comes once, and the store
of whoever sends them stands before all nodes.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import Future
from typing import Any

from sandbox.cluster.facts import NodeFacts, limits_here
from sandbox.cluster.messages import NodeSettings
from sandbox.errors import SandboxError
from sandbox.storage import code_hash
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool
from sandbox.workers.task import WorkerTask

__all__ = ["NodePool"]


class NodePool:
    """The pool of one node. All methods are of one event loop, and none blocks it."""

    def __init__(self) -> None:
        self._pool: SandboxPool | None = None
        self._running: dict[int, Future[Any]] = {}
        self._starting = asyncio.Lock()  # held while there is half a pool, which nobody could clean up after

    async def start(self, name: str, jobs: int, settings: NodeSettings) -> NodeFacts | str:
        """Start the pool.

        Args:
            name: The node's, for people.
            jobs: Number of workers.
            settings: Everything else.
        Returns: What its verdicts depend on; or, where no pool can be had here, why.
        """
        _start_small()
        try:
            async with self._starting:
                self._pool = await asyncio.to_thread(_pool, jobs, settings)
        except SandboxError as error:
            return f"{type(error).__name__}: {error}"
        limits = limits_here(settings.limits)
        return NodeFacts(name, self._pool.isolation, limits, self._pool.backend, code_hash())

    async def run(self, number: int, task: WorkerTask[Any]) -> tuple[Any, float]:
        """Run a task beside others. Returns: Its result, and the seconds that the workers were busy until now."""
        assert self._pool is not None
        future = self._running[number] = self._pool.submit_task(task)
        try:
            return await asyncio.wrap_future(future), self._pool.busy_s
        except asyncio.CancelledError:
            return task.failed(Outcome.HOST_ERROR, "the pool of its node was closed"), self._pool.busy_s
        finally:
            del self._running[number]

    async def cancel(self, number: int, reason: str) -> None:
        """Stop a task, unless it is done: `run` returns its result at once."""
        if self._pool is not None and number in self._running:
            self._pool.cancel(self._running[number], reason)

    async def busy_s(self) -> float:
        """The seconds that the workers were busy; that it answers shows that this node lives."""
        return self._pool.busy_s if self._pool is not None else 0.0

    async def close(self) -> None:
        """End the workers and remove all their files."""
        async with self._starting:
            if self._pool is not None:
                await asyncio.to_thread(self._pool.close)


def _pool(jobs: int, settings: NodeSettings) -> SandboxPool:
    """The pool of this machine."""
    return SandboxPool(
        jobs,
        settings.limits,
        backend=settings.backend,
        isolation=settings.isolation,
        nice=settings.nice,
        cache_size=0,
    )


def _start_small() -> None:
    """Let the pool's workers not import the main script of this process: it is Ray's, with all of Ray."""
    main = sys.modules["__main__"]
    if getattr(main, "__file__", "").endswith("default_worker.py"):
        del main.__file__
