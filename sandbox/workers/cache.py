"""A cache of verdicts, so that the same program is graded once: in memory, and on disk if wanted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple

from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.storage import code_hash
from sandbox.verdict import Verdict
from sandbox.workers.store import VerdictStore

__all__ = ["VerdictCache", "verdict_key"]


class VerdictCache:
    """At most `size` verdicts in memory, the least recently used removed first, and those of a store if there is one.

    Not safe for threads: the pool holds a lock around every call.

    >>> from sandbox.verdict import Outcome
    >>> cache = VerdictCache(size=1)
    >>> cache.put("a", Verdict(Outcome.PASSED)); cache.put("b", Verdict(Outcome.NO_TESTS))
    >>> cache.get("a"), cache.get("b").outcome
    (None, <Outcome.NO_TESTS: 'no_tests'>)
    """

    def __init__(self, size: int, store: VerdictStore | None = None) -> None:
        self._size = size
        self._store = store
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def get(self, key: str) -> Verdict | None:
        """Look up a verdict. This counts as a use."""
        if key in self._verdicts:
            self._verdicts.move_to_end(key)
            return self._verdicts[key]
        found = self._store.get(key) if self._store else None
        if found is not None:
            self._remember(key, found)
        return found

    def put(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict in memory and in the store."""
        self._remember(key, verdict)
        if self._store:
            self._store.put(key, verdict)

    def close(self) -> None:
        """Close the store."""
        if self._store:
            self._store.close()

    def _remember(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict in memory, and remove the least recently used ones above `size`."""
        self._verdicts[key] = verdict
        self._verdicts.move_to_end(key)
        while len(self._verdicts) > self._size:
            self._verdicts.popitem(last=False)


def verdict_key(source: str, phases: Sequence[str], isolation: Isolation, limits: Limits, backend: str) -> str:
    """Hash all that a verdict depends on: program, phases, toolchain, isolation, limits, backend, and sandbox code."""
    toolchain = isolation.toolchain
    ways = (toolchain.version, toolchain.host, isolation.kind, isolation.landlock, isolation.user is None, backend)
    facts = repr((tuple(phases), ways, astuple(limits), code_hash())).encode()
    return hashlib.sha256(facts + b"\0" + source.encode("utf-8", "surrogatepass")).hexdigest()
