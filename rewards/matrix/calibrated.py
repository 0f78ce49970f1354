"""The probability that a code, or a suite, is right, given the pass matrix and a model of how it came about.

    code i is right with probability `code_right` (theta_x in the papers), suite j with `suite_right` (theta_y)

    probability to pass   right suite                     wrong suite
    right code            1 - flake                       all of them pass with `right_passes_wrong`, or all fail;
                                                          each result is then turned round with probability `flake`
    wrong code            `wrong_passes_right` (theta_1)  `wrong_passes_wrong` (theta_0), each for itself

Right codes behave alike, so on any suite, right or wrong, they share one result: that is what sets them apart from
wrong codes, and agreement counts for more than passing. Given the set of right codes the suites are independent, so all
2 ** C sets are enumerated exactly: 3 ms for 8 codes and suites, under 2 s for 16. Nothing of the same completion
counts: for a code the suites that only its author wrote are left out, for a suite its only author's code is, and nobody
votes for itself.

Where the papers are not followed: B4 ranks sets of codes that pass the same tests by approximate evidence, with Beta
priors in place of the parameters; here the sets are summed over, with point values that all prompts share. A wrong
test in the papers is one assert, which every right code fails; a suite can also be wrong by asserting too little, which
is `right_passes_wrong` (0 in the papers). The papers have no `flake`; it may not be 0 here, so that one bad result
cannot make anything certain.

What it cannot know: which of two groups that agree among themselves is the right one. Without calibration the larger
group wins, and at a tie neither does: each code is judged without its author's suite, so that its group is the smaller
one. Only parameters that say how often wrong codes fit wrong suites can say otherwise.

Source: B4 (arXiv 2409.08692) for the model; ZeroCoder (arXiv 2604.07864) for fitting it on a few prompts with gold
tests. ZeroCoder fits it again while the policy changes; here it is fitted once, before the training.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rewards.matrix.majority import majority
from rewards.matrix.pass_matrix import PassMatrix

__all__ = ["MAX_CODES", "Calibration", "Posterior", "code_scores", "column_likelihoods", "posterior"]

MAX_CODES = 16  # distinct ones: 65536 sets of right codes


@dataclass(frozen=True)
class Calibration:
    """The parameters of the model, each a probability above 0 and below 1.

    The defaults are guesses for when no prompt has gold tests, and no measurement: nothing is known of codes and
    suites (0.5), a mistake is found by a right suite every second time (the mean of B4's uniform prior), and fits a
    wrong suite rarely (B4 has a prior near 0).

    Args:
        code_right: A code is right; theta_x.
        suite_right: A suite is right; theta_y.
        wrong_passes_right: A wrong code passes a right suite; theta_1.
        wrong_passes_wrong: A wrong code passes a wrong suite; theta_0. High where the wrong codes share a mistake with
            the suites.
        right_passes_wrong: The right codes pass a wrong suite, which can be 0.
        flake: A right code's result comes out the other way; below 0.5.
    Raises: ValueError for a value out of range.

    >>> Calibration(code_right=1.2)
    Traceback (most recent call last):
    ValueError: code_right is 1.2; give a probability above 0 and below 1
    """

    code_right: float = 0.5
    suite_right: float = 0.5
    wrong_passes_right: float = 0.5
    wrong_passes_wrong: float = 0.1
    right_passes_wrong: float = 0.05
    flake: float = 0.01

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 0.5 if field.name == "flake" else 1
            zero = field.name == "right_passes_wrong" and value == 0
            if not (zero or 0 < value < most):
                raise ValueError(f"{field.name} is {value}; give a probability above 0 and below {most}")


class Posterior(NamedTuple):
    """Probabilities that codes [C] and suites [S] are right; NaN where nothing of the others' was run on them."""

    codes: NDArray[np.float64]
    suites: NDArray[np.float64]


def posterior(matrix: PassMatrix, parameters: Calibration) -> Posterior:
    """The probability that each code and each suite is right, given what it did with the others' suites or codes.

    `P(i right | passes) = sum over sets A with i of P(A) * prod_j P(column j | A) / the same sum over all A`, and
    `P(column j | A) = suite_right * P(column j | A, right) + (1 - suite_right) * P(column j | A, wrong)`.

    Args:
        matrix: The results of the group, of at most 16 distinct codes.
        parameters: Of `calibrate`, or the defaults.
    Returns: codes [C] and suites [S].
    Raises: ValueError for more codes than can be enumerated.

    >>> tester = PassMatrix(np.array([[1.0], [1.0]]), np.array([-1]))  # two codes pass the suite of a tester
    >>> even = Calibration(0.5, 0.5, 0.5, 0.5, right_passes_wrong=0, flake=1e-9)
    >>> codes, suites = posterior(tester, even)  # in sixteenths: none is right 1, the one or the other 1 each, both 2
    >>> codes.round(6).tolist(), suites.round(6).tolist()
    ([0.6, 0.6], [0.9])
    """
    texts = matrix.distinct()
    others, soles = texts.others(), texts.sole_authors()
    if len(others) > MAX_CODES:
        raise ValueError(f"{len(others)} distinct codes; all sets of right ones are enumerated for at most {MAX_CODES}")
    codes = _codes(others, soles, parameters)
    suites = np.full(others.shape[1], np.nan)
    for sole in np.unique(soles):  # -1 among them: nobody is left out
        rest = np.delete(others, sole, axis=0) if sole >= 0 else others
        suites[soles == sole] = _suites(rest, parameters)[soles == sole]
    return Posterior(codes[texts.code_of], suites[texts.suite_of])


def code_scores(matrix: PassMatrix, parameters: Calibration) -> NDArray[np.float64]:
    """The probability [C] that each code is right; the majority's share where too many codes differ for that."""
    few = len(matrix.distinct().passes) <= MAX_CODES
    return posterior(matrix, parameters).codes if few else majority(matrix)


def _codes(others: NDArray[np.float64], soles: NDArray[np.int64], parameters: Calibration) -> NDArray[np.float64]:
    """[U] the probability that each code is right, without the suites that only its author wrote."""
    sets = _sets(len(others))
    right, wrong = column_likelihoods(others, sets, parameters)
    counted = soles != np.arange(len(others))[:, None]  # [U, V]
    evidence = _prior(sets, parameters)[:, None] + np.logaddexp(right, wrong) @ counted.T  # [2^U, U]
    found = (_normalised(evidence) * sets).sum(axis=0)
    return np.where((counted & ~np.isnan(others)).any(axis=1), found, np.nan)


def _suites(others: NDArray[np.float64], parameters: Calibration) -> NDArray[np.float64]:
    """[V] the probability that each suite is right."""
    sets = _sets(len(others))
    right, wrong = column_likelihoods(others, sets, parameters)
    column = np.logaddexp(right, wrong)
    weights = _normalised(_prior(sets, parameters) + column.sum(axis=1))
    return np.where(~np.isnan(others).all(axis=0), weights @ np.exp(right - column), np.nan)


def column_likelihoods(
    others: NDArray[np.float64], sets: NDArray[np.float64], parameters: Calibration
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The log-probability [N, V] of each column with its suite being right, and with it being wrong, for N sets.

    Args:
        others: [U, V] the votes.
        sets: [N, U]; 1 where a code is right.
        parameters: Of the model.
    """
    passed, failed = np.nan_to_num(others), (others == 0).astype(np.float64)
    by_right, not_by_right = sets @ passed, sets @ failed  # [N, V], how many right codes pass and fail
    by_wrong, not_by_wrong = passed.sum(axis=0) - by_right, failed.sum(axis=0) - not_by_right
    shared_pass = _power(1 - parameters.flake, by_right) + _power(parameters.flake, not_by_right)
    shared_fail = _power(parameters.flake, by_right) + _power(1 - parameters.flake, not_by_right)
    slipped = _power(parameters.wrong_passes_right, by_wrong) + _power(1 - parameters.wrong_passes_right, not_by_wrong)
    fitted = _power(parameters.wrong_passes_wrong, by_wrong) + _power(1 - parameters.wrong_passes_wrong, not_by_wrong)
    with np.errstate(divide="ignore"):  # right_passes_wrong may be 0
        lucky, unlucky = np.log([parameters.right_passes_wrong, 1 - parameters.right_passes_wrong])
    shared = np.logaddexp(lucky + shared_pass, unlucky + shared_fail)
    right = np.log(parameters.suite_right) + shared_pass + slipped
    return right, np.log(1 - parameters.suite_right) + shared + fitted


def _power(base: float, count: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of `base ** count`."""
    logs: NDArray[np.float64] = count * np.log(base)
    return logs


def _sets(num_codes: int) -> NDArray[np.float64]:
    """[2^U, U] every set of codes, 1 where a code is in it."""
    members: NDArray[np.int64] = np.arange(2**num_codes)[:, None] >> np.arange(num_codes) & 1
    return members.astype(np.float64)


def _prior(sets: NDArray[np.float64], parameters: Calibration) -> NDArray[np.float64]:
    """[N] the log-probability of each set."""
    right: NDArray[np.float64] = sets.sum(axis=1)
    return _power(parameters.code_right, right) + _power(1 - parameters.code_right, sets.shape[1] - right)


def _normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probabilities, which sum to 1 along the first axis."""
    weights = np.exp(logs - logs.max(axis=0))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=0)
    return probabilities
