"""The calls of a row's tests, each as often as it occurs, and in which order a program is asked."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.answers.calls import Call

__all__ = ["Asked", "in_order"]


@dataclass(frozen=True)
class Asked:
    """One occurrence of a call: equal calls that occur twice are two, and may have two answers."""

    text: str  # as the test writes it
    call: Call  # with every name said in full
    test: int  # index of the test that it stands in
    place: int  # among the calls of the test
    is_dropped: bool = False  # a statement of its own, made for what it does: its value goes nowhere
    only_if: str = ""  # a regular expression: programs in which it is not found are not asked

    def is_for(self, source: str) -> bool:
        """Whether a program is asked."""
        return re.search(self.only_if, source) is not None


def in_order(asked: Iterable[Asked]) -> tuple[Asked, ...]:
    """The order in which a program is asked.

    The calls of a test keep their order if one of them shows that they may depend on it: it occurs twice, it has no
    arguments, or its value is dropped. All else is put in an order that tells nothing of the tests, so that a program
    that counts its calls learns nothing about what is expected.
    """
    tests: defaultdict[int, list[Asked]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: (one.test, one.place)):
        tests[one.test].append(one)
    groups: list[list[Asked]] = []
    for found in tests.values():
        groups += [found] if _depend_on_order(found) else [[one] for one in found]
    groups.sort(key=lambda group: hashlib.sha256(repr([one.call for one in group]).encode()).digest())
    return tuple(one for group in groups for one in group)


def _depend_on_order(found: list[Asked]) -> bool:
    """Whether the calls of a test may depend on those before them."""
    times = Counter(one.call for one in found)
    return any(
        one.is_dropped or times[one.call] > 1 or (one.call.value.endswith("()") and not one.call.statements)
        for one in found
    )
