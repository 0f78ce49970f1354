"""The parameters of `rewards.matrix.calibrated`, from groups whose codes ran against gold tests.

Promises estimates from a handful of groups that stay inside (0, 1) and lean on the start where there is little data.
Which suites are right is never known. A right code that a suite fails all but proves the suite wrong; where no right
code was run, only how it treats the wrong codes speaks. So the suites' labels are expectations (EM), not counts. A
wrong suite that the right codes pass is told from a right one by the wrong codes alone: where `wrong_passes_right` is
near `wrong_passes_wrong`, `right_passes_wrong` trades against `suite_right`, and few groups settle neither.

Left out: `flake`, which stays as it was; and parameters for each prompt, although prompts differ in how hard they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rewards.matrix.calibrated import Calibration, column_likelihoods
from rewards.matrix.pass_matrix import PassMatrix

__all__ = ["calibrate", "right_and_wrong"]

ROUNDS = 30
ESTIMATED = ("code_right", "suite_right", "wrong_passes_right", "wrong_passes_wrong", "right_passes_wrong")


def calibrate(
    matrices: Sequence[PassMatrix],
    gold: Sequence[NDArray[np.float64]],
    *,
    start: Calibration | None = None,
    strength: float = 2.0,
) -> Calibration:
    """Estimate the model's parameters: `(strength * start + hits) / (strength + trials)` for each, in rounds of EM.

    Hits and trials are those of codes, suites, or results, each weighted by how probable it is that its suite is right
    (or wrong) under the last round's parameters. Distinct texts count once, or copies each, as in the matrices; a code
    that no suite was run on, such as one that does not compile, counts for nothing: it is not scored either.

    Args:
        matrices: The results of the groups.
        gold: For each group [C]; 1 where the code passes the gold tests, 0 where it fails, NaN where it is not known:
            such codes are left out.
        start: Where the rounds begin, and what the estimates lean on. None: the defaults of `Calibration`.
        strength: How many imagined trials the start is worth, above 0.
    Returns: the estimates; the start itself where `matrices` is empty.
    Raises: ValueError for gold results that do not fit the matrices.
    Source: ZeroCoder (arXiv 2604.07864) fits B4's priors again on some ten labelled prompts; the EM is this project's.

    >>> matrix = PassMatrix(np.array([[1.0], [0.0]]), np.array([-1]))  # one suite, of a tester
    >>> found = calibrate([matrix], [np.array([1.0, 0.0])], start=Calibration(flake=1e-9, right_passes_wrong=0))
    >>> found.code_right, round(found.suite_right, 6), round(found.wrong_passes_right, 6)  # 2/4, (1 + 1)/3, (1 + 0)/3
    (0.5, 0.666667, 0.333333)
    """
    if len(matrices) != len(gold):
        raise ValueError(f"{len(matrices)} matrices and {len(gold)} arrays of gold results; give one for each")
    if not strength > 0:
        raise ValueError(f"strength is {strength}; give a number above 0")
    groups = [_labelled(matrix, right) for matrix, right in zip(matrices, gold)]
    found = start = start or Calibration()
    leaning = strength * np.array([getattr(start, name) for name in ESTIMATED])
    for _ in range(ROUNDS):
        hits, trials = sum((_expected(*group, found) for group in groups), np.zeros((2, len(ESTIMATED))))
        values = (leaning + hits) / (strength + trials)
        found = replace(start, **dict(zip(ESTIMATED, values.tolist())))
    return found


def right_and_wrong(matrices: Sequence[PassMatrix], gold: Sequence[NDArray[np.float64]]) -> tuple[int, int]:
    """How many right and how many wrong codes `calibrate` counts: distinct ones, each in its group.

    Without a wrong one `wrong_passes_right` and `wrong_passes_wrong` stay as they were, without a right one
    `right_passes_wrong`.

    Args:
        matrices: As of `calibrate`.
        gold: As of `calibrate`.

    >>> matrix = PassMatrix(np.array([[1.0], [0.0], [np.nan]]), np.array([-1]))  # nothing was run on the third code
    >>> right_and_wrong([matrix], [np.array([1.0, 0.0, 0.0])])
    (1, 1)
    """
    labels = [_labelled(matrix, right)[1] for matrix, right in zip(matrices, gold, strict=True)]
    counts = [sum(int((one == label).sum()) for one in labels) for label in (1, 0)]
    return counts[0], counts[1]


def _labelled(matrix: PassMatrix, gold: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The votes [R, V] on codes whose gold result is known and that some suite was run on, and those results [R]."""
    right = np.asarray(gold, dtype=np.float64)
    if right.shape != matrix.passes.shape[:1]:
        raise ValueError(f"gold results have shape {right.shape} for a matrix of {len(matrix.passes)} codes")
    if strange := sorted({float(value) for value in right[~np.isnan(right)]} - {0.0, 1.0}):
        raise ValueError(f"a gold result is {strange[0]}; give 1 for right, 0 for wrong, NaN for not known")
    as_column = replace(matrix, passes=right[:, None], owners=np.array([-1]), suite_ids=None)
    labels = as_column.distinct().passes[:, 0]  # copies with different gold results are not known
    others = matrix.distinct().others()
    # Who meets no judge is not scored: most of those do not compile, and would make `code_right` their prior as well.
    taken = ~np.isnan(labels) & ~np.isnan(others).all(axis=1)
    return others[taken], labels[taken]


def _expected(others: NDArray[np.float64], right: NDArray[np.float64], last: Calibration) -> NDArray[np.float64]:
    """[2, 5] the expected hits and trials of each estimated parameter in one group."""
    known, passed = ~np.isnan(others), np.nan_to_num(others)
    log_right, log_wrong = (logs[0] for logs in column_likelihoods(others, right[None, :], last))
    suite_right = np.exp(log_right - np.logaddexp(log_right, log_wrong))  # [V]
    suite_wrong = 1 - suite_right
    by_wrong, on_wrong = (1 - right) @ passed, (1 - right) @ known
    by_right, on_right = right @ passed, right @ known
    with np.errstate(divide="ignore"):  # right_passes_wrong may be 0
        lucky = np.log(last.right_passes_wrong) - np.log(1 - last.right_passes_wrong)
    lucky = lucky + (2 * by_right - on_right) * np.log((1 - last.flake) / last.flake)
    luck = np.exp(lucky - np.logaddexp(0, lucky))  # the right codes' shared result is a pass, if the suite is wrong
    ran, met = known.any(axis=0), on_right > 0
    counts = [
        (right.sum(), len(right)),
        (suite_right @ ran, ran.sum()),
        (suite_right @ by_wrong, suite_right @ on_wrong),
        (suite_wrong @ by_wrong, suite_wrong @ on_wrong),
        (suite_wrong @ (luck * met), suite_wrong @ met),
    ]
    return np.array(counts, dtype=np.float64).T
