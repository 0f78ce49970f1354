"""Rewards that compare the completions of one group: each function maps a graded group to a score for each completion.

A group's codes were run on the tests of the others (`rewards.cross`), so these rewards need no gold tests, and no
result of a completion's own tests on its own code counts in its favour, but where a reward says so. A new one is one
function under `@group_reward`. Promises that a failure of the host, and a completion that nothing can be said of,
scores None and never 0. Left out: rewards of one completion alone (`rewards.builtin`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rewards.completion import GradedCompletion, Part, Score
from rewards.cross.result import OTHERS_ALONE, CrossResult, CrossSettings
from rewards.matrix.calibrated import code_scores
from rewards.matrix.majority import codet, majority, majority_without, unanimous
from rewards.matrix.pass_matrix import PassMatrix
from rewards.matrix.worth import suite_worth
from rewards.strictness.judge import may_be_strict, mutation_score, thoroughness
from sandbox.verdict import Outcome

__all__ = ["GROUP_REWARDS", "GradedGroup", "GroupReward", "group_reward"]

GroupScorer = Callable[["GradedGroup"], list[Score]]


@dataclass(frozen=True)
class GradedGroup:
    """The completions to one prompt with the verdicts on them, and what they say of each other."""

    completions: Sequence[GradedCompletion]
    crossed: CrossResult
    settings: CrossSettings = field(default_factory=CrossSettings)

    @property
    def matrix(self) -> PassMatrix | None:
        """Which code passes which suite; None where nothing is known."""
        return self.crossed.matrix

    @property
    def unjudged(self) -> bool:
        """Whether nobody could judge: the group's own suites are not asked, and the row has none and no testers."""
        alone = self.settings.partners == OTHERS_ALONE
        return alone and self.matrix is not None and self.matrix.passes.shape[1] == len(self.completions)


@dataclass(frozen=True)
class GroupReward:
    """A reward of groups: its function and what `group_reward` was told of it."""

    name: str
    scorer: GroupScorer
    pays: Part | None  # the part of a completion that it judges; None: code and tests together
    published_name: str  # the name of the function that TRL calls
    partners: int  # of `CrossSettings`, where TRL calls it


GROUP_REWARDS: dict[str, GroupReward] = {}  # by name


def group_reward(*, pays: Part | None, partners: int = 0) -> Callable[[GroupScorer], GroupScorer]:
    """Register the decorated function as the group reward of its name.

    Args:
        pays: The part of a completion that the reward judges, and whose tokens it pays where credit is given apart;
            None for a reward that judges code and tests together.
        partners: How many of the group's suites each code is given where TRL, which has no such setting, calls it.
    """

    def register(scorer: GroupScorer) -> GroupScorer:
        name = scorer.__name__
        GROUP_REWARDS[name] = GroupReward(name, scorer, pays, f"{name}_reward_func", partners)
        return scorer

    return register


@group_reward(pays="code")
def cross_agreement(group: GradedGroup) -> list[Score]:
    """The share of the group's test suites that a code passes, its own by proxy: `rewards.matrix.majority.majority`."""
    return _of_codes(group, majority, "passes {:.0%} of the group's test suites")


@group_reward(pays="code", partners=OTHERS_ALONE)
def cross_all(group: GradedGroup) -> list[Score]:
    """Whether a code passes all suites that judge it, those of its row or of testers: `majority.unanimous`.

    0 also where a judge does not fit it; None where nobody judges.
    """
    return _of_codes(group, unanimous, "passes all suites: {:.0f}")


@group_reward(pays=None, partners=OTHERS_ALONE)
def cross_test_thorough(group: GradedGroup) -> list[Score]:
    """`cargo_test_thorough` where the code passes all suites that judge it, 0 where it fails one.

    In the place of `cargo_test_thorough` it leaves nothing to gain by tests that agree with a wrong answer: the tests
    beside a code earn only where suites of others have taken the code for right: 0 also where its judges could not be
    asked. A prompt that nobody judges, as the data may have some, is paid as by `cargo_test_thorough`.
    """
    verdicts = [one.verdict if one.judgement.strict else None for one in group.completions]
    own = np.array([thoroughness(verdict.evidence) if verdict else 0.0 for verdict in verdicts])
    said = "its own tests earn {:.2f}, with all the suites that judge the code"
    return _of_codes(group, lambda matrix: own if group.unjudged else np.where(unanimous(matrix) == 1, own, 0.0), said)


@group_reward(pays="code")
def cross_consensus(group: GradedGroup) -> list[Score]:
    """CodeT's agreement: codes with the same results support each other: `rewards.matrix.majority.codet`."""
    return _of_codes(group, codet, "agrees with the others to {:.2f}")


@group_reward(pays="code")
def cross_calibrated(group: GradedGroup) -> list[Score]:
    """The probability that a code is right, given all results of its group: `rewards.matrix.calibrated.posterior`.

    A group of more than 16 different programs, too many for that, is scored as by `cross_agreement`.
    """
    values = partial(code_scores, parameters=group.settings.calibration)
    return _of_codes(group, values, "is right with probability {:.2f}")


@group_reward(pays="tests")
def cross_tests(group: GradedGroup) -> list[Score]:
    """What a test suite is worth: it accepts the codes that the others take for right, and fails those they do not.

    `rewards.matrix.worth.suite_worth`, where a code is right to the degree to which it passes the suites of completions
    other than this one, and with the changes of its own code that it notices, where these were tried; one that fails
    its own code, or whose pass is not strict for another reason that needs no trial, notices none.
    """
    own = list(map(_noticed, group.completions))

    def worth(matrix: PassMatrix) -> NDArray[np.float64]:
        mutants = np.array(own + [np.nan] * (len(matrix.owners) - len(own)))  # testers have no code
        worths = suite_worth(matrix, majority_without(matrix), tau=group.settings.tau, mutation=mutants)
        return worths[: len(own)]

    return _of_codes(group, worth, "its tests are worth {:.2f} among the group's codes")


def _noticed(completion: GradedCompletion) -> float:
    """The share of the changes of its code that its tests notice; 0 where they cannot be strict, or be examined.

    NaN where there was nothing to change, or nobody asked.
    """
    verdict, program = completion.verdict, completion.program
    if verdict is None or program is None or may_be_strict(program, verdict):
        return 0.0
    evidence = verdict.evidence
    if evidence is None or evidence.waived or evidence.outcome is Outcome.NO_TESTS:
        return np.nan
    if not evidence.runs or not evidence.runs[0].passed:
        return 0.0
    score = mutation_score(evidence)
    if score is None:
        return 0.0 if evidence.reason else np.nan  # the reason is why changes were not tried
    return score


def _of_codes(group: GradedGroup, values: Callable[[PassMatrix], NDArray[np.float64]], said: str) -> list[Score]:
    """Scores from a matrix: None where nothing is known, 0 where the completion has no program that builds."""
    known = values(group.matrix) if group.matrix is not None else np.full(len(group.completions), np.nan)
    return [_score(one, float(value), said, group) for one, value in zip(group.completions, known, strict=True)]


def _score(completion: GradedCompletion, value: float, said: str, group: GradedGroup) -> Score:
    if completion.ungraded or group.crossed.reason:
        return Score(None, group.crossed.reason or "the sandbox failed")
    if completion.verdict is None or not completion.verdict.build:
        return Score(0.0, "no code that builds")
    if np.isnan(value):
        return Score(None, "no tests of others judge it")
    return Score(value, said.format(value))
