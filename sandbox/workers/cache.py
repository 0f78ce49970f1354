"""A cache of results, so that the same task is run once: in memory, and on disk if wanted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import astuple
from typing import Any

from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.storage import cache_directory, code_hash
from sandbox.verdict import Outcome
from sandbox.workers.store import VerdictStore
from sandbox.workers.task import Result, WorkerTask

__all__ = ["ResultCache", "is_lasting", "kept_results", "task_key"]

KEPT = 1_000_000  # verdicts on disk, about a kilobyte each
# In the reasons of verdicts that depend on the machine's load or a race of threads.
BY_LOAD = ("wall-clock", "wrote more than", "no thread did anything", "every thread waits")


class ResultCache:
    """At most `size` results in memory, the least recently used removed first, and those of a store if there is one.

    Not safe for threads: the pool holds a lock around every call.

    >>> from sandbox.verdict import Outcome, Verdict
    >>> cache = ResultCache(size=1)
    >>> cache.put("a", Verdict(Outcome.PASSED)); cache.put("b", Verdict(Outcome.NO_TESTS))
    >>> cache.get("a", Verdict), cache.get("b", Verdict).outcome
    (None, <Outcome.NO_TESTS: 'no_tests'>)
    """

    def __init__(self, size: int, store: VerdictStore | None = None) -> None:
        self._size = size
        self._store = store
        self._results: OrderedDict[str, Result] = OrderedDict()

    def get(self, key: str, kind: type[Any]) -> Any:
        """Look up a result of a class; None if there is none. This counts as a use."""
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        found = self._store.get(key, kind) if self._store else None
        if found is not None:
            self._remember(key, found)
        return found

    def put(self, key: str, result: Result) -> None:
        """Keep a result in memory and in the store."""
        self._remember(key, result)
        if self._store:
            self._store.put(key, result)

    def close(self) -> None:
        """Close the store."""
        if self._store:
            self._store.close()

    def _remember(self, key: str, result: Result) -> None:
        """Keep a result in memory, and remove the least recently used ones above `size`."""
        self._results[key] = result
        self._results.move_to_end(key)
        while len(self._results) > self._size:
            self._results.popitem(last=False)


def kept_results(size: int, *, on_disk: bool) -> ResultCache:
    """A cache of `size` results in memory, before the user's store of results on disk where that is wanted."""
    return ResultCache(size, VerdictStore(cache_directory() / "verdicts.sqlite", size=KEPT) if on_disk else None)


def is_lasting(result: Result) -> bool:
    """Whether the same task would have the same result again: a failure of the host or a matter of load is not kept."""
    return result.outcome is not Outcome.HOST_ERROR and not any(part in result.reason for part in BY_LOAD)


def task_key(task: WorkerTask[Any], isolation: Isolation, limits: Limits) -> str:
    """Hash all that a result depends on: every field of the task, toolchain, isolation, limits, and sandbox code."""
    toolchain = isolation.toolchain
    ways = (toolchain.version, toolchain.host, isolation.kind, isolation.landlock, isolation.user is None)
    return hashlib.sha256(repr((ways, astuple(limits), code_hash(), task)).encode()).hexdigest()
