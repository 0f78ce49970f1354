"""What takes part in a crossing: codes and suites of completions, of testers, and of a row of the data.

A code takes part if it builds, has no powers and decides nothing by `cfg`. A suite takes part if it compiled with its
own code, ran to its end and has an assert; that of a tester or a row, if it has an assert. A suite is given to a code
in which it means what it means in its own.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property

from rewards.completion import GradedCompletion
from rewards.cross.aligning import aligned
from rewards.cross.meaning import keeps_meaning, shows_results, with_own_types
from rewards.cross.names import CodeNames, names_given
from rewards.cross.parts import Parts, parts_of
from rewards.rust.own_methods import takes_over_methods
from rewards.rust.parse import extract_code, parse
from rewards.rust.program import Program
from rewards.rust.redefinitions import redefines_comparison
from rewards.signature.interface import Interface, interface_of
from rewards.tasks.task import Block
from sandbox.grading.lexer import Token, tokens
from sandbox.verdict import Outcome

__all__ = ["GroupMember", "Suite", "suite_of", "tester_suite"]

RAN = (Outcome.PASSED, Outcome.LINT_ERROR, Outcome.TEST_FAILED)  # its own tests, all to their end
BUILT = (*RAN, Outcome.NO_TESTS, Outcome.TEST_BUILD_ERROR)


@dataclass(frozen=True)
class Suite:
    """A test module, and the code that it was written for."""

    text: str
    interface: Interface
    names: CodeNames

    @cached_property
    def _tokens(self) -> list[Token]:
        return list(tokens(self.text))

    def fitted_to(self, code: GroupMember, named: Set[str] = frozenset()) -> str | None:
        """The suite for a code; None where it does not fit or would say nothing.

        Args:
            code: The code.
            named: As for `rewards.cross.aligning.aligned`.
        """
        assert code.parts is not None
        text = aligned(self.text, self.interface, code.interface, named=named)
        if text is None or code.decides_comparisons or not self._means_the_same(text, code):
            return None
        return None if takes_over_methods(code.parts.code, text) else text

    def _means_the_same(self, text: str, code: GroupMember) -> bool:
        """Whether what it says in its own code is what its text, with another code's names, says there."""
        words = {token.text for token in (self._tokens if text == self.text else tokens(text))}
        given = {place: shape for place, shape in code.interface.functions.items() if place[1] in words}
        used = [(self.interface.functions.get(place), shape) for place, shape in given.items()]
        same = keeps_meaning(self._tokens, self.names, code.names)
        return same and shows_results(used, code.interface, code.names)


@dataclass(frozen=True)
class GroupMember:
    """A completion as far as its group asks about it."""

    graded: GradedCompletion

    @cached_property
    def parts(self) -> Parts | None:
        """Its code and its suite, where the program has just these."""
        code, program = self.graded.code, self.graded.program
        return parts_of(code, program) if code is not None and program is not None else None

    @cached_property
    def names(self) -> CodeNames:
        assert self.parts is not None
        return names_given(self.parts.code)

    @cached_property
    def interface(self) -> Interface:
        assert self.parts is not None
        return with_own_types(interface_of(self.parts.code), self.names)

    @cached_property
    def has_code(self) -> bool:
        """Whether its code can be given other tests."""
        verdict, program = self.graded.verdict, self.graded.program
        if verdict is None or program is None or self.parts is None:
            return False
        return verdict.outcome in BUILT and not program.depends_on_cfg

    @cached_property
    def suite(self) -> Suite | None:
        """Its suite, where that can be given another code."""
        verdict, program = self.graded.verdict, self.graded.program
        if verdict is None or program is None or self.parts is None or not self.has_code:
            return None
        usable = self.parts.suite and verdict.outcome in RAN and _says_something(program)
        return Suite(self.parts.suite, self.interface, self.names) if usable else None

    @cached_property
    def passes(self) -> float:
        """1 where its own suite passes on its own code."""
        verdict = self.graded.verdict
        return float(verdict is not None and bool(verdict.test) and verdict.genuine)

    @cached_property
    def decides_comparisons(self) -> bool:
        """Whether the code gives a meaning of its own to what suites compare with."""
        assert self.parts is not None
        return redefines_comparison(self.parts.code)


def tester_suite(text: str, block: Block) -> Suite | None:
    """The suite of a tester's completion; None where it has none that says something.

    Args:
        text: The completion, with a function that is still to be written before its tests.
        block: Which of its code blocks holds them.
    """
    code = extract_code(text, block)
    return None if code is None else suite_of(code)


def suite_of(code: str) -> Suite | None:
    """The suite of a program that nobody in the group wrote; None where it has none that says something.

    Args:
        code: Functions, whose bodies may be `todo!()`, and a test module.
    """
    program = parse(code)
    parts = parts_of(code, program) if program is not None else None
    if parts is None or program is None or not parts.suite or not _says_something(program):
        return None
    names = names_given(parts.code)
    return Suite(parts.suite, with_own_types(interface_of(parts.code), names), names)


def _says_something(program: Program) -> bool:
    """Whether tests have an assert, implement nothing for what is not their own, and use names for what they are."""
    return bool(program.asserts) and not program.tests_extend_code and not program.shadowed
