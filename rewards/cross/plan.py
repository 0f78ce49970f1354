"""Which test suites of a group are run on which of its codes, and the pass matrix that this gives.

Equal texts are run once. Texts that differ in comments and white space alone are copies, and one author. Left out: who
takes part (`rewards.cross.members`), and what a pass is worth.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from rewards.completion import GradedCompletion
from rewards.cross.members import GroupMember, Suite, suite_of, tester_suite
from rewards.cross.result import OTHERS_ALONE
from rewards.matrix.pass_matrix import ROW, TESTER, PassMatrix
from rewards.rust.grammar import is_readable
from rewards.tasks.task import Block
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.grading.lexer import tokens
from sandbox.verdict import Outcome

__all__ = ["Plan", "plan"]

log = logging.getLogger(__name__)
JOINT = ("&&", "||")  # `a & &b` is another operation; of no other two marks rustc takes both ways of writing
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
    others: NDArray[np.int64]  # [T] whose the suites of others are: `TESTER` or `ROW`
    crossing: Crossing | None  # None where there is nothing to run
    cells: Mapping[tuple[int, int], int]  # by code and suite, those of others last: the place among its pairs
    code_ids: NDArray[np.int64]  # [G] equal numbers are equal programs
    suite_ids: NDArray[np.int64]  # [G + T] equal numbers are equal suites

    def matrix(self, crossed: Crossed | None) -> PassMatrix:
        """The pass matrix [G, G + T]; a completion is an author, and equal completions are one."""
        size = len(self.own)
        passes = np.full((size, size + len(self.others)), np.nan)
        np.fill_diagonal(passes, self.own)
        for (code, suite), place in self.cells.items():
            cell = crossed.cells[place] if crossed is not None and crossed.cells else None
            passes[code, suite] = RESULTS.get(cell.outcome, np.nan) if cell is not None else np.nan
        owners = np.array([*range(size), *self.others])
        return PassMatrix(passes, owners, self.code_ids, self.suite_ids)


def plan(
    completions: Sequence[GradedCompletion],
    testers: Sequence[str] = (),
    *,
    suites: Sequence[str] = (),
    named: Set[str] = frozenset(),
    partners: int = 0,
    block: Block = "first",
) -> Plan:
    """What to run for a group.

    Args:
        completions: The group, graded.
        testers: Completions with tests alone; each code is given the tests of all.
        suites: Programs that the row of the data has for their tests; each code is given these too.
        named: Names that the prompt gives, as of `rewards.cross.aligning.aligned`.
        partners: How many of the others' suites each code is given besides: those of the completions after it, around
            the group; 0: all, `OTHERS_ALONE`: none.
        block: Which of a tester's code blocks holds its tests.
    """
    members = tuple(map(GroupMember, completions))
    alone = partners == OTHERS_ALONE  # nobody's tests are read then, so that nobody's can be in the others' way
    tested = [None if alone else member.suite for member in members]
    tested += [tester_suite(text, block) for text in testers]
    of_row = [found for text in suites if (found := suite_of(text)) is not None]  # one without an assert is none
    tested += of_row
    programs = [_key(member.graded.code) for member in members]
    most = len(members) if partners == 0 else max(0, partners)
    codes, modules = dict[str, int](), dict[str, int]()  # distinct texts, by their places
    pairs: dict[tuple[int, int], int] = {}
    cells: dict[tuple[int, int], int] = {}
    for code, member in enumerate(members):
        if member.parts is None or not member.has_code:
            continue
        others = (n for n in (*range(code + 1, len(members)), *range(code)) if programs[n] != programs[code])
        theirs = _fitted(range(len(members), len(tested)), tested, member, named)
        own_group = islice(_fitted(others, tested, member, named), most)
        for suite, text in [*theirs, *own_group]:  # the order in which cells are run alone, of which no code has many
            pair = (codes.setdefault(member.parts.code, len(codes)), modules.setdefault(text, len(modules)))
            cells[code, suite] = pairs.setdefault(pair, len(pairs))
    own = [np.nan if suite is None else one.passes for one, suite in zip(members, tested, strict=False)]
    crossing = Crossing(tuple(codes), tuple(modules), tuple(pairs)) if pairs else None
    keys = [_key(suite.text) if suite is not None else None for suite in tested]
    by_row = [TESTER] * len(testers) + [ROW] * len(of_row)
    ids = _numbers(programs), _numbers(keys)
    return Plan(np.array(own), np.array(by_row, dtype=np.int64), crossing, cells, *ids)


def _fitted(
    numbers: Iterable[int], tested: Sequence[Suite | None], code: GroupMember, named: Set[str]
) -> Iterator[tuple[int, str]]:
    """The suites that fit a code, by their numbers, and their texts for it."""
    for number in numbers:
        suite = tested[number]
        if suite is None:
            continue
        try:
            text = suite.fitted_to(code, named)
        except Exception as error:  # whatever hostile programs do to their reader costs the pair alone
            log.warning("whether a suite fits a code cannot be read: %s: %s", type(error).__name__, error)
            continue
        if text is not None:
            yield number, text


def _key(text: str | None) -> object:
    """What copies have in common: their tokens, and which marks are one operator; neither comments nor white space.

    >>> _key("f( x )") == _key("f(x) // 1"), _key("a & & b") == _key("a && b")
    (True, False)
    """
    if text is None or not is_readable(text):
        return text
    try:
        found = list(tokens(text))
    except ValueError:
        return text
    joint = [a.text + b.text in JOINT and b.end - len(b.text) == a.end for a, b in pairwise(found)]
    return tuple(zip((token.text for token in found), [False, *joint], strict=False))


def _numbers(keys: Sequence[object]) -> NDArray[np.int64]:
    """A number for each key, equal for equal ones; texts that are not there differ."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(place if key is None else key, place) for place, key in enumerate(keys)])
