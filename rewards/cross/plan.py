"""Which test suites of a group are run on which of its codes, and the pass matrix that this gives.

Equal texts, token by token, are run once. Left out: who takes part (`rewards.cross.members`), and what a pass is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewards.completion import GradedCompletion
from rewards.cross.members import GroupMember, Suite, suite_of, tester_suite
from rewards.cross.result import OTHERS_ALONE
from rewards.matrix.pass_matrix import TESTER, PassMatrix
from rewards.rust.grammar import is_readable
from rewards.tasks.task import Block
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.grading.lexer import tokens
from sandbox.verdict import Outcome

__all__ = ["Plan", "plan"]

RESULTS = {
    Outcome.PASSED: 1.0,
    Outcome.TEST_FAILED: 0.0,
    Outcome.TIMEOUT: 0.0,
    Outcome.OUT_OF_MEMORY: 0.0,
}  # every other outcome says nothing: the suite does not compile with the code, has powers with it, or runs no test


@dataclass(frozen=True)
class Plan:
    """What to run for a group of G completions and T suites of others, and where its results belong."""

    own: NDArray[np.float64]  # [G] what a completion's suite makes of its own code; NaN: nothing that counts
    crossing: Crossing | None  # None where there is nothing to run
    cells: Mapping[tuple[int, int], int]  # by code and suite, those of others last: the place among its pairs
    code_ids: NDArray[np.int64]  # [G] equal numbers are equal programs
    suite_ids: NDArray[np.int64]  # [G + T] equal numbers are equal suites

    def matrix(self, crossed: Crossed | None) -> PassMatrix:
        """The pass matrix [G, G + T]; a completion is an author, and equal completions are one."""
        size, others = len(self.own), len(self.suite_ids) - len(self.own)
        passes = np.full((size, size + others), np.nan)
        np.fill_diagonal(passes, self.own)
        for (code, suite), place in self.cells.items():
            cell = crossed.cells[place] if crossed is not None and crossed.cells else None
            passes[code, suite] = RESULTS.get(cell.outcome, np.nan) if cell is not None else np.nan
        owners = np.array([*range(size), *[TESTER] * others])
        return PassMatrix(passes, owners, self.code_ids, self.suite_ids)


def plan(
    completions: Sequence[GradedCompletion],
    testers: Sequence[str] = (),
    *,
    suites: Sequence[str] = (),
    partners: int = 0,
    block: Block = "first",
) -> Plan:
    """What to run for a group.

    Args:
        completions: The group, graded.
        testers: Completions with tests alone; each code is given the tests of all.
        suites: Programs that the row of the data has for their tests; each code is given these too.
        partners: How many of the others' suites each code is given besides: those of the completions after it, around
            the group; 0: all, `OTHERS_ALONE`: none.
        block: Which of a tester's code blocks holds its tests.
    """
    members = tuple(map(GroupMember, completions))
    tested = [*(member.suite for member in members), *(tester_suite(text, block) for text in testers)]
    tested += map(suite_of, suites)
    programs = [_key(member.graded.code) for member in members]
    most = len(members) if partners == 0 else max(0, partners)
    texts = _Texts(), _Texts()
    pairs: dict[tuple[int, int], int] = {}
    cells: dict[tuple[int, int], int] = {}
    for code, member in enumerate(members):
        if member.parts is None or not member.has_code:
            continue
        others = (n for n in (*range(code + 1, len(members)), *range(code)) if programs[n] != programs[code])
        own_group = [(number, text) for number in others if (text := _fitted(tested[number], member)) is not None]
        theirs = range(len(members), len(tested))
        given = [(number, text) for number in theirs if (text := _fitted(tested[number], member)) is not None]
        for suite, text in [*given, *own_group[:most]]:  # a suite that never ends must not use up what others need
            pair = (texts[0].place(member.parts.code), texts[1].place(text))
            cells[code, suite] = pairs.setdefault(pair, len(pairs))
    own = [np.nan if one.suite is None or partners == OTHERS_ALONE else one.passes for one in members]
    crossing = Crossing(tuple(texts[0].all), tuple(texts[1].all), tuple(pairs)) if pairs else None
    keys = [_key(suite.text) if suite is not None else None for suite in tested]
    return Plan(np.array(own), crossing, cells, _numbers(programs), _numbers(keys))


class _Texts:
    """Distinct texts, in the order in which they come."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[object, int] = {}

    def place(self, text: str) -> int:
        """The place of a text, which is added if it is new."""
        place = self._places.setdefault(_key(text), len(self.all))
        if place == len(self.all):
            self.all.append(text)
        return place


def _fitted(suite: Suite | None, code: GroupMember) -> str | None:
    return None if suite is None else suite.fitted_to(code)


def _key(text: str | None) -> object:
    """What equal texts have in common: their tokens, with neither comments nor white space."""
    if text is None or not is_readable(text):
        return text
    try:
        return tuple(token.text for token in tokens(text))
    except ValueError:
        return text


def _numbers(keys: Sequence[object]) -> NDArray[np.int64]:
    """A number for each key, equal for equal ones; texts that are not there differ."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(place if key is None else key, place) for place, key in enumerate(keys)])
