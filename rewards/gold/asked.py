"""The calls of a row's tests, each as often as it occurs, in which order a program is asked, and what answers make."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tree_sitter import Node

from rewards.gold.terms import NotEvaluable, Panic, Term, Unfit
from sandbox.answers.calls import Call

__all__ = ["Asked", "Expression", "Scope", "Values", "answer", "constant", "in_order"]


@dataclass(frozen=True)
class Asked:
    """One occurrence of a call: equal calls that occur twice are two, and may have two answers."""

    text: str  # as the test writes it
    call: Call  # with every name said in full
    test: int  # index of the test that it stands in
    place: int  # among the calls of the test
    again: tuple[Asked, ...] = ()  # earlier calls that it makes once more, so that what they change is the same
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


Values = Mapping[Asked, "Term | Panic"]


@dataclass(frozen=True)
class Expression:
    """A value that is computed from the answers to some calls; a constant without any."""

    run: Callable[[Values], Term]
    calls: frozenset[Asked] = frozenset()

    @classmethod
    def of(cls, function: Callable[..., Term], *parts: Expression) -> Expression:
        """A function of the values of expressions; computed at once where they are constant."""
        calls = frozenset[Asked]().union(*(part.calls for part in parts))
        found = cls(lambda values: function(*(part.run(values) for part in parts)), calls)
        return found if calls else found.at_once()

    def at_once(self) -> Expression:
        """The same without calls, as a constant. Raises: NotEvaluable where it panics or does not compile."""
        try:
            return constant(self.run({}))
        except (Panic, Unfit) as error:
            raise NotEvaluable(str(error)) from None


def constant(term: Term) -> Expression:
    return Expression(lambda _: term)


def answer(asked: Asked) -> Expression:
    """The answer to a call."""

    def run(values: Values) -> Term:
        found = values[asked]
        if isinstance(found, Panic):
            raise found
        return found

    return Expression(run, frozenset((asked,)))


class Scope(Protocol):
    """What an expression's names mean."""

    def value_of(self, name: str) -> Expression | None:
        """What a variable of the test holds; None for a name that is no variable."""

    def call(self, value: Node) -> Asked:
        """The call that computes an expression, with the statements that it needs."""

    def said(self, value: Node) -> Asked:
        """The call that computes an operator or a method, for programs that define it. It changes nothing."""

    def is_imported(self, name: str) -> bool:
        """Whether the test's module imports a name from the standard library itself."""
