"""Which codes and test modules can share a crate.

A program that `sandbox.grading.separation` finds portable behaves the same as a module of a larger crate. Its
conditions are about the code, or about the test module, so that a code and a test module which are portable each in a
program of its own are portable together, but for one: nothing in the code has the name of the test module.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.grading.lexer import tokens
from sandbox.grading.separation import HAZARDS, find_test_module, is_portable_code
from sandbox.limits import Limits

__all__ = ["PortableSuite", "names_in", "portable_code", "portable_suite"]

ANCHOR = "fn anchor() {}\n"
BRACE = 9  # the place of the first brace among the tokens of `#[cfg(test)] mod NAME {`


@dataclass(frozen=True)
class PortableSuite:
    """A test module that can share a crate."""

    name: str
    body: str  # the text between its braces
    line: int  # of its first brace, from 0
    column: int  # of the body's first character, from 0

    def at(self, line: int) -> str:
        """The body as a file in which it has the lines and columns that it has if the module begins at a line."""
        return "\n" * (line + self.line) + " " * self.column + self.body


def portable_code(code: str, limits: Limits) -> bool:
    """Whether a code can share a crate, with test modules of any name that it does not use."""
    return _fits(code, limits) and is_portable_code(code)


def portable_suite(suite: str, limits: Limits) -> PortableSuite | None:
    """A test module that can share a crate, under another name; None if it cannot."""
    if HAZARDS.search(suite) or not _fits(suite, limits) or not _is_portable(ANCHOR + suite):
        return None
    found = list(tokens(suite))
    name, brace = found[BRACE - 1].text, found[BRACE]
    if sum(token.text == name for token in found) != 1:
        return None  # it names itself
    column = brace.end - (suite.rfind("\n", 0, brace.end) + 1)
    return PortableSuite(name, suite[brace.end : found[-1].end - 1], brace.line - 1, column)


def names_in(code: str) -> frozenset[str]:
    """All words of a portable code."""
    return frozenset(token.text for token in tokens(code))


def _is_portable(program: str) -> bool:
    separation = find_test_module(program)
    return separation is not None and separation.is_portable


def _fits(text: str, limits: Limits) -> bool:
    """Whether a text is so short that two of them are a program within the limit."""
    return len(text.encode("utf-8", "surrogatepass")) < (limits.source_kb << 10) // 2
