"""Shares of the others: how many suites a code passes, how many codes pass a suite, and how many codes agree.

Promises no parameters to fit and no labels. Left out: how far a vote can be trusted (`rewards.matrix.calibrated`). Both
`majority` and `codet` follow the largest set of codes and suites that agree; they are as right as that set is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rewards.matrix.pass_matrix import DistinctTexts, PassMatrix
from rewards.matrix.shares import share

__all__ = ["acceptance", "codet", "majority", "majority_without", "unanimous"]


def majority(matrix: PassMatrix) -> NDArray[np.float64]:
    """The share of the suites that each code passes, its own by proxy: `(sum_j passes[i, j] + p_i) / (n_i + o_i)`.

    n_i suites vote on code i. What i does on the o_i suites that were written with it alone does not count: it passes
    those p_i of them that one of the others passes. Without these a suite that refuses everybody else would put its
    author first, and above all a text of many copies, on which few suites vote. The price: a wrong code earns a little
    by having a suite that asks little.

    Args:
        matrix: The results of the group.
    Returns: [C] from 0 to 1; NaN where no suite votes.
    Source: the pass rate on generated tests (MaxPass in B4, arXiv 2409.08692); the proxy is this project's.

    >>> passes = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])  # two codes that agree, one that is alone
    >>> majority(PassMatrix(passes, np.arange(3))).round(4).tolist()
    [0.6667, 0.6667, 0.0]
    """
    texts = matrix.distinct()
    return _share_with_own(texts)[texts.code_of]


def unanimous(matrix: PassMatrix) -> NDArray[np.float64]:
    """1 for a code that passes every suite which judges the group, 0 for one that fails a suite.

    For suites that are known to be mostly right and may be weak: a share would pay a wrong code for each that does not
    notice it. A suite of the data judges every group, another one those in which it ran with some code; a judge that
    does not fit a code is not passed, so that no code and no group can choose its judges. Among the suites of a group,
    one that refuses everybody leaves nobody with anything, its author neither.

    Args:
        matrix: The results of the group, in which every code was asked by every suite.
    Returns: [C] 0 or 1; NaN where nobody judges.

    >>> passes = np.array([[1, 1, 0], [1, 1, 1], [0, np.nan, 1], [1, np.nan, 1]])
    >>> unanimous(PassMatrix(passes, np.full(3, -1))).tolist()
    [0.0, 1.0, 0.0, 0.0]
    >>> nobody = np.array([[1, np.nan], [0, np.nan]])  # runs the second suite
    >>> [unanimous(PassMatrix(nobody, np.full(2, owner))).tolist() for owner in (-1, -2)]
    [[1.0, 0.0], [0.0, 0.0]]
    """
    texts = matrix.distinct()
    others = texts.others()
    judges = texts.votes & ((~np.isnan(others)).any(axis=0) | texts.of_row)  # [U, V]
    failed = (judges & (others != 1)).any(axis=1) | (texts.own() & texts.refusing()).any(axis=1)
    return np.where(judges.any(axis=1), np.where(failed, 0.0, 1.0), np.nan)[texts.code_of]


def acceptance(matrix: PassMatrix) -> NDArray[np.float64]:
    """The share of the others' codes that pass each suite. A suite that asserts nothing has 1: see `worth`.

    Args:
        matrix: The results of the group.
    Returns: [S] from 0 to 1; NaN where it votes on no code.

    >>> passes = np.array([[1, 1, 1], [1, 1, 1], [0, 0, 1]])  # the third suite asserts nothing
    >>> acceptance(PassMatrix(passes, np.arange(3))).tolist()
    [0.5, 0.5, 1.0]
    """
    texts = matrix.distinct()
    return _known_share(texts.others(), axis=0)[texts.suite_of]


def majority_without(matrix: PassMatrix) -> NDArray[np.float64]:
    """The majority of each code as it is without one suite: what that suite is judged by.

    With `majority` itself a suite would have a say in which codes it is paid for accepting.

    Args:
        matrix: The results of the group.
    Returns: [C, S]; entry (i, j) is the share that code i passes of the suites that vote on i and are not suite j.

    >>> passes = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> majority_without(PassMatrix(passes, np.arange(3))).tolist()
    [[0.5, 0.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]]
    """
    texts = matrix.distinct()
    others = texts.others()
    known, passed = ~np.isnan(others), np.nan_to_num(others)
    count = known.sum(axis=1, keepdims=True) - known
    rest = passed.sum(axis=1, keepdims=True) - passed
    return share(rest, count)[texts.code_of][:, texts.suite_of]


def codet(matrix: PassMatrix, *, exponent: float = 0.5) -> NDArray[np.float64]:
    """CodeT's agreement: `(|Sx| / U) ** exponent * |Sy| / n_i`; 1 where all codes agree and pass every suite.

    |Sy| / n_i is the share of the suites that code i passes, its own by proxy, as in `majority`. Sx are the codes, i
    included, that have the same results on the suites voting on i; where one of two results is unknown they do not
    differ, and a code that shares no known result with i is not in Sx. Left out for Sx are the suites that only i
    wrote, which would let i choose whom it agrees with, and those that refuse everybody, which would set their author
    apart. U is the number of distinct codes.

    Args:
        matrix: The results of the group.
        exponent: 1 is the paper's score, |Sx| * |Sy|; 0.5 is its published code's, sqrt(|Sx|) * |Sy|.
    Returns: [C] from 0 to 1; NaN where no suite votes. The paper ranks by the product; the division by its highest
        possible value makes it a reward that does not grow with the group.
    Source: CodeT (arXiv 2207.10397), section 2.2; the square root as in its code, and in B4's.

    >>> passes = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> codet(PassMatrix(passes, np.arange(3)), exponent=1).round(4).tolist()  # 2/3 * 2/3 for the two that agree
    [0.4444, 0.4444, 0.0]
    """
    texts = matrix.distinct()
    known, passed = ~np.isnan(texts.passes), np.nan_to_num(texts.passes)
    failed = known - passed  # [U, V] as floats, like `passed`
    votes = texts.votes & ~texts.refusing()
    differ = (votes * passed) @ failed.T + (votes * failed) @ passed.T  # [U, U]: on how many of the row's suites
    shared = (texts.votes & known).astype(np.float64) @ known.T
    agreeing = ((differ == 0) & (shared > 0)).mean(axis=1)
    scores: NDArray[np.float64] = agreeing**exponent * _share_with_own(texts)
    return scores[texts.code_of]


def _share_with_own(texts: DistinctTexts) -> NDArray[np.float64]:
    """[U] the share of the suites that each code passes, its own by proxy: `majority`."""
    others, own = texts.others(), texts.own()
    ran = (~np.isnan(others)).any(axis=0)
    voting = (~np.isnan(others)).sum(axis=1)
    hits = np.nansum(others, axis=1) + (own & ran & ~texts.refusing()).sum(axis=1)
    return share(hits, np.where(voting, voting + (own & ran).sum(axis=1), 0))


def _known_share(passes: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The mean of what is known along an axis, NaN where nothing is."""
    return share(np.nansum(passes, axis=axis), (~np.isnan(passes)).sum(axis=axis))
