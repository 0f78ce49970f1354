"""A value that is computed from the answers to some calls; a constant without any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tree_sitter import Node

from rewards.gold.asked import Asked
from rewards.gold.literals import NotEvaluable
from rewards.gold.terms import Panic, Term, Unfit

__all__ = ["Expression", "Scope", "Values", "answer", "constant"]

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

    def is_imported(self, name: str) -> bool:
        """Whether the test's module imports a name from the standard library itself."""
