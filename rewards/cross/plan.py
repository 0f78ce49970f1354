"""Which test suites of a group are run on which of its codes, and the pass matrix that this gives.

A code takes part if it builds, has no powers and decides nothing by `cfg`. A suite takes part if it compiled with its
own code, ran to its end and has an assert. Equal texts, token by token, are run once. Left out: what a pass is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rewards.completion import GradedCompletion
from rewards.cross.aligning import aligned
from rewards.cross.parts import Parts, parts_of
from rewards.cross.pass_matrix import PassMatrix
from rewards.rust.grammar import MAX_PARSED
from rewards.rust.own_methods import takes_over_methods
from rewards.rust.redefinitions import redefines_comparison
from rewards.signature.interface import Interface, interface_of
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.grading.lexer import tokens
from sandbox.verdict import Outcome

__all__ = ["GroupMember", "Plan", "plan"]

RAN = (Outcome.PASSED, Outcome.LINT_ERROR, Outcome.TEST_FAILED)  # its own tests, all to their end
BUILT = (*RAN, Outcome.NO_TESTS, Outcome.TEST_BUILD_ERROR)
RESULTS = {
    Outcome.PASSED: 1.0,
    Outcome.TEST_FAILED: 0.0,
    Outcome.TIMEOUT: 0.0,
    Outcome.OUT_OF_MEMORY: 0.0,
}  # every other outcome says nothing: the suite does not compile with the code, has powers with it, or runs no test


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
    def interface(self) -> Interface:
        assert self.parts is not None
        return interface_of(self.parts.code)

    @cached_property
    def has_code(self) -> bool:
        """Whether its code can be given other tests."""
        verdict, program = self.graded.verdict, self.graded.program
        if verdict is None or program is None or self.parts is None:
            return False
        return bool(verdict.build) and verdict.outcome in BUILT and not program.depends_on_cfg

    @cached_property
    def has_suite(self) -> bool:
        """Whether its suite can be given another code."""
        verdict, program = self.graded.verdict, self.graded.program
        if verdict is None or program is None or not self.has_code:
            return False
        return verdict.outcome in RAN and bool(program.asserts) and not program.tests_extend_code

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


@dataclass(frozen=True)
class Plan:
    """What to run for a group, and where its results belong."""

    members: tuple[GroupMember, ...]
    crossing: Crossing | None  # None where there is nothing to run
    cells: Mapping[tuple[int, int], int]  # by code and suite of completions: the place among the crossing's pairs
    code_ids: NDArray[np.int64]  # [G] equal numbers are equal programs
    suite_ids: NDArray[np.int64]  # [G] equal numbers are equal suites

    def matrix(self, crossed: Crossed | None) -> PassMatrix:
        """The pass matrix [G, G] of completions; a completion is an author, and equal completions are one."""
        size = len(self.members)
        passes = np.full((size, size), np.nan)
        for number, member in enumerate(self.members):
            if member.has_suite:
                passes[number, number] = member.passes
        for (code, suite), place in self.cells.items():
            cell = crossed.cells[place] if crossed is not None and crossed.cells else None
            passes[code, suite] = RESULTS.get(cell.outcome, np.nan) if cell is not None else np.nan
        return PassMatrix(passes, np.arange(size), self.code_ids, self.suite_ids)


def plan(completions: Sequence[GradedCompletion], *, partners: int = 0) -> Plan:
    """What to run for a group.

    Args:
        completions: The group, graded.
        partners: How many of the other suites each code is given: those of the completions after it, around the group;
            0: all.
    """
    members = tuple(map(GroupMember, completions))
    programs, suites_of = [_key(member.graded.code) for member in members], [_suite_key(member) for member in members]
    codes: dict[object, int] = {}
    suites: dict[object, int] = {}
    texts: tuple[list[str], list[str]] = ([], [])
    pairs: dict[tuple[int, int], int] = {}
    cells: dict[tuple[int, int], int] = {}
    for code, member in enumerate(members):
        left = partners or len(members)
        for other in (*range(code + 1, len(members)), *range(code)):
            if not left or not member.has_code or not members[other].has_suite or programs[code] == programs[other]:
                continue
            text = _fitting(members[other], member)
            if text is None:
                continue
            left -= 1
            assert member.parts is not None
            pair = (_place(member.parts.code, codes, texts[0]), _place(text, suites, texts[1]))
            cells[code, other] = pairs.setdefault(pair, len(pairs))
    crossing = Crossing(tuple(texts[0]), tuple(texts[1]), tuple(pairs)) if pairs else None
    return Plan(members, crossing, cells, _numbers(programs), _numbers(suites_of))


def _fitting(author: GroupMember, other: GroupMember) -> str | None:
    """The suite of a completion for the code of another; None where it does not fit or would say nothing."""
    assert author.parts is not None and other.parts is not None
    text = aligned(author.parts.suite, author.interface, other.interface)
    if text is None or other.decides_comparisons or takes_over_methods(other.parts.code, text):
        return None
    return text


def _place(text: str, places: dict[object, int], texts: list[str]) -> int:
    """The place of a text among distinct ones, to which it is added."""
    place = places.setdefault(_key(text), len(texts))
    if place == len(texts):
        texts.append(text)
    return place


def _key(text: str | None) -> object:
    """What equal texts have in common: their tokens, with neither comments nor white space."""
    if text is None or len(text) > MAX_PARSED:
        return text
    try:
        return tuple(token.text for token in tokens(text))
    except ValueError:
        return text


def _suite_key(member: GroupMember) -> object:
    return _key(member.parts.suite) if member.parts is not None and member.parts.suite else None


def _numbers(keys: Sequence[object]) -> NDArray[np.int64]:
    """A number for each key, equal for equal ones; texts that are not there differ."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(place if key is None else key, place) for place, key in enumerate(keys)])
