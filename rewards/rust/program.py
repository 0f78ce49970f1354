"""The records that `rewards.rust.parse` returns: a Rust program, its tests, function bodies and asserts.

They hold facts about syntax; `rewards.strictness.judge` draws the conclusions from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["ASSERTS", "Assert", "Body", "Program", "TestFunction"]

ASSERTS = ("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne")


@dataclass(frozen=True)
class Assert:
    """One use of an assert macro. Expressions are tokens joined by single spaces."""

    macro: str
    arguments: tuple[str, ...]  # the compared ones, without the message
    expanded: tuple[str, ...]  # the arguments, with the variables of plain lets replaced by their values
    names: frozenset[str]  # identifiers in the arguments
    reachable: bool  # False where the syntax shows that the assert never runs

    @property
    def text(self) -> str:
        """The assert as normalised text: equal for asserts that compare the same."""
        return f"{self.macro}({' , '.join(self.arguments)})"


@dataclass
class Body:
    """The body of a function or closure."""

    names: frozenset[str]  # every identifier, including those of inner functions
    parameters: frozenset[str] = frozenset()
    mentions: set[str] = field(default_factory=set)  # identifiers outside inner functions
    statements: int = 0  # number of expressions and statements, without comments
    asserts: list[Assert] = field(default_factory=list)
    macros: set[str] = field(default_factory=set)
    bound: dict[str, frozenset[str]] = field(default_factory=dict)  # variable -> names that its value is made of
    hidden: set[str] = field(default_factory=set)  # names defined here, which hide items of that name outside
    calls: dict[str, frozenset[str]] = field(default_factory=dict)  # called function -> names in its arguments
    inner: dict[str, Body] = field(default_factory=dict)  # nested functions, and closures that a let names

    def all_asserts(self) -> Iterator[Assert]:
        """Every assert: first those outside inner functions, then those inside."""
        yield from self.asserts
        for body in self.inner.values():
            yield from body.all_asserts()


@dataclass(frozen=True)
class TestFunction:
    """A `#[test]` function."""

    name: str
    attributes: tuple[str, ...]  # white space between tokens removed: "test", 'should_panic(expected="x")'
    body: Body
    conditional: bool  # whether a `cfg` other than `cfg(test)` decides if it is compiled

    @property
    def ignored(self) -> bool:
        return any(re.match(r"ignore\b", attribute) for attribute in self.attributes)

    @property
    def should_panic(self) -> bool:
        return any(re.match(r"should_panic\b", attribute) for attribute in self.attributes)


@dataclass
class Program:
    """A whole program. "Outside tests" means outside test modules and `#[test]` functions."""

    functions: dict[str, Body] = field(default_factory=dict)  # outside tests, methods included
    constants: set[str] = field(default_factory=set)  # const, static and macro names outside tests
    types: set[str] = field(default_factory=set)  # types outside tests that have an impl or that a macro may define
    num_test_modules: int = 0  # outermost modules marked `#[cfg(test)]`
    test_code: list[tuple[int, int]] = field(default_factory=list)  # disjoint byte ranges: test modules, tests outside
    tests: list[TestFunction] = field(default_factory=list)
    helpers: dict[str, Body] = field(default_factory=dict)  # functions in test code that are not tests
    imports: dict[str, frozenset[str]] = field(default_factory=dict)  # `imported_names` of the `use`s in test code
    test_items: set[str] = field(default_factory=set)  # types, constants and macros in test code
    redefined: set[str] = field(default_factory=set)  # macros it defines, aliases of `use ... as`, asserts it imports
    redefines_equality: bool = False  # whether tests implement a comparison, or one does not use both its sides

    @property
    def asserts(self) -> list[Assert]:
        """Every assert in test code."""
        bodies = [test.body for test in self.tests] + list(self.helpers.values())
        return [found for body in bodies for found in body.all_asserts()]
