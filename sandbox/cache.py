"""Verdicts by content: the same program is graded once. In memory, bounded, least recently used out first."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple

from sandbox.limits import Limits
from sandbox.toolchain import Toolchain
from sandbox.verdict import Verdict

__all__ = ["VerdictCache", "verdict_key"]


class VerdictCache:
    """At most `size` verdicts. Not safe for threads by itself: the pool holds a lock around it.

    >>> from sandbox.verdict import Outcome
    >>> cache = VerdictCache(size=1)
    >>> cache.put("a", Verdict(Outcome.PASSED)); cache.put("b", Verdict(Outcome.NO_TESTS))
    >>> cache.get("a"), cache.get("b").outcome
    (None, <Outcome.NO_TESTS: 'no_tests'>)
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def get(self, key: str) -> Verdict | None:
        """The verdict under a key, which counts as a use."""
        if key in self._verdicts:
            self._verdicts.move_to_end(key)
        return self._verdicts.get(key)

    def put(self, key: str, verdict: Verdict) -> None:
        """Remember a verdict, and forget the one unused for longest if there are too many."""
        self._verdicts[key] = verdict
        self._verdicts.move_to_end(key)
        while len(self._verdicts) > self._size:
            self._verdicts.popitem(last=False)


def verdict_key(source: str, phases: Sequence[str], toolchain: Toolchain, limits: Limits) -> str:
    """A name for everything that decides a verdict: program, phases, toolchain and limits."""
    facts = repr((tuple(phases), toolchain.version, toolchain.host, astuple(limits))).encode()
    return hashlib.sha256(facts + b"\0" + source.encode("utf-8", "surrogatepass")).hexdigest()
