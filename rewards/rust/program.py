"""The records that `rewards.rust.parse` returns: a Rust program, its functions, tests and asserts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Assert", "Body", "Program", "TestFunction"]


class Assert(NamedTuple):
    """One use of a macro that can end a test."""

    macro: str
    text: str  # macro and what is compared, without a message: equal for asserts that say the same
    start: int  # byte at which the macro's name starts
    arguments: str  # all tokens between its brackets, without space


@dataclass(frozen=True)
class Body:
    """The body of a function."""

    statements: int  # number of expressions and statements, without comments
    macros: frozenset[str]  # names of the macros that it calls


@dataclass(frozen=True)
class TestFunction:
    """A `#[test]` function."""

    name: str
    attributes: tuple[str, ...]  # white space between tokens removed: "test", 'should_panic(expected="x")'

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
    free: set[str] = field(default_factory=set)  # names of those of them that are no methods
    traits: set[str] = field(default_factory=set)  # traits outside tests
    types: set[str] = field(default_factory=set)  # types and traits outside tests
    compares: bool = False  # whether it says itself which values are equal
    num_test_modules: int = 0  # outermost modules marked `#[cfg(test)]`
    test_code: list[tuple[int, int]] = field(default_factory=list)  # disjoint byte ranges: test modules, tests outside
    test_names: set[str] = field(default_factory=set)  # names of the modules and functions in these ranges
    tests: list[TestFunction] = field(default_factory=list)
    asserts: list[Assert] = field(default_factory=list)  # in test code, in order
    depends_on_cfg: bool = False  # whether code outside tests differs with a `cfg`
    tests_extend_code: bool = False  # whether test code implements something for a type that is not its own
    takes_address: bool = False  # whether it looks at the address of a value
    shadowed: str = ""  # a name that means something else than a reader of the tests takes it for; empty for none
