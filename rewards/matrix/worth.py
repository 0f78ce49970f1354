"""What a test suite is worth: it accepts the codes that are right, and tells apart those that are wrong.

Neither is enough. A suite that asserts nothing accepts every code (validity 1, discrimination 0), one that fails
everything tells every wrong code apart (validity 0, discrimination 1); their product pays for both at once. Promises
that a suite gets nothing for what it does to its own author's code. Left out: which codes are right. The caller passes
what is believed, and a suite should have no say in the belief by which it is paid: `majority_without` gives a belief
for each suite without it.

Source: UTRL (arXiv 2508.21107), and where it is not followed. UTRL has a true solution for every prompt and looks at
single asserts: its discrimination is the share of sampled codes that fail at least one of the asserts that pass on the
true solution, its validity the share of asserts that pass on it, `valid / max(asserts, tau)`, so that two trivial
asserts do not get full pay. Here there is no true solution, only codes with a weight each, and whole suites: so `tau`
stands under both shares instead, in codes. It keeps a single wrong code from giving full pay to whoever fails it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rewards.matrix.pass_matrix import PassMatrix
from rewards.matrix.shares import share

__all__ = ["discrimination", "suite_worth", "validity"]


def validity(matrix: PassMatrix, right: NDArray[np.float64], *, tau: float) -> NDArray[np.float64]:
    """The share of the others' right codes that each suite accepts: `sum_i w_i p_ij / max(sum_i w_i, tau)`.

    Args:
        matrix: The results of the group.
        right: [C] the belief w_i from 0 to 1 that a code is right, or [C, S] with one for each suite; NaN = no belief,
            and the code is left out.
        tau: How many right codes it takes for full pay; 0 for the plain share.
    Returns: [S] from 0 to 1; NaN where it votes on no code, or, with tau = 0, on none that is right.
    Source: see the module; the bound is UTRL's, in codes and not in asserts.

    >>> passes = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])
    >>> matrix = PassMatrix(passes, np.arange(3))
    >>> right = np.array([1.0, 1.0, 0.0])
    >>> validity(matrix, right, tau=0).tolist(), validity(matrix, right, tau=2).tolist()
    ([1.0, 1.0, 1.0], [0.5, 0.5, 1.0])
    """
    return _bounded_share(matrix, right, tau, of_right=True)


def discrimination(matrix: PassMatrix, right: NDArray[np.float64], *, tau: float) -> NDArray[np.float64]:
    """The share of the others' wrong codes that each suite fails: `sum_i (1-w_i)(1-p_ij) / max(sum_i (1-w_i), tau)`.

    Args:
        matrix: The results of the group.
        right: As in `validity`.
        tau: How many wrong codes it takes for full pay; above 0, a suite among right codes gets 0 and not NaN.
    Returns: [S] from 0 to 1; NaN where it votes on no code, or, with tau = 0, on none that is wrong.
    Source: see the module.

    >>> passes = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])  # the second and the third accept everything
    >>> matrix = PassMatrix(passes, np.arange(3))
    >>> discrimination(matrix, np.array([1.0, 1.0, 0.0]), tau=2).tolist()  # one wrong code, which the first fails
    [0.5, 0.0, 0.0]
    """
    return _bounded_share(matrix, right, tau, of_right=False)


def suite_worth(
    matrix: PassMatrix,
    right: NDArray[np.float64],
    *,
    tau: float,
    mutation: NDArray[np.float64] | None = None,
    mutation_weight: float = 0.5,
) -> NDArray[np.float64]:
    """What each suite tells apart among codes and mutants, if it accepts what is right.

    `validity * ((1 - mutation_weight) * discrimination + mutation_weight * mutation)`

    Mutants are there when all codes of the group are right, and wrong codes show the mistakes that are really made.

    Args:
        matrix: The results of the group.
        right: As in `validity`.
        tau: As in `discrimination`.
        mutation: [S] the share of mutants of its own author's code that each suite kills; NaN, as for a tester's suite,
            leaves that suite to discrimination alone. None: no mutants.
        mutation_weight: From 0 to 1.
    Returns: [S] from 0 to 1; NaN where validity is, or where there is nothing to tell apart.
    Raises: ValueError for a weight out of range, and a mutation score that does not fit.

    >>> passes = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])
    >>> matrix = PassMatrix(passes, np.arange(3))
    >>> right = np.array([1.0, 1.0, 0.0])
    >>> suite_worth(matrix, right, tau=1).tolist()
    [1.0, 0.0, 0.0]
    >>> suite_worth(matrix, right, tau=1, mutation=np.array([0.5, 0.5, np.nan])).tolist()
    [0.75, 0.25, 0.0]
    """
    told = discrimination(matrix, right, tau=tau)
    if mutation is not None:
        if not 0 <= mutation_weight <= 1:
            raise ValueError(f"mutation_weight is {mutation_weight}; give a number from 0 to 1")
        scores = np.asarray(mutation, dtype=np.float64)
        if scores.shape != told.shape:
            raise ValueError(f"mutation has shape {scores.shape}; give {len(told)} scores")
        if ((scores < 0) | (scores > 1)).any():
            raise ValueError("a mutation score is not from 0 to 1; give the share of mutants that the suite kills")
        both = (1 - mutation_weight) * told + mutation_weight * scores
        told = np.where(np.isnan(scores), told, np.where(np.isnan(told), scores, both))
    return validity(matrix, right, tau=tau) * told


def _bounded_share(
    matrix: PassMatrix, belief: NDArray[np.float64], tau: float, *, of_right: bool
) -> NDArray[np.float64]:
    """[S] the share of the right codes that pass, or of the wrong codes that fail, with `tau` under it."""
    if not tau >= 0:
        raise ValueError(f"tau is {tau}; give a number of codes, or 0 for no bound")
    texts = matrix.distinct()
    others, weights = texts.others(), _distinct_weights(matrix, belief, of_right=of_right)
    counted = ~np.isnan(others) & ~np.isnan(weights)
    hits = others if of_right else 1 - others
    hit, mass = (np.where(counted, values, 0).sum(axis=0) for values in (weights * hits, weights))
    bound = np.where(counted.any(axis=0), np.maximum(mass, tau), 0)
    return share(hit, bound)[texts.suite_of]


def _distinct_weights(matrix: PassMatrix, belief: NDArray[np.float64], *, of_right: bool) -> NDArray[np.float64]:
    """[U, V] the weight of each distinct code for each distinct suite: the mean of its copies'."""
    values = np.asarray(belief, dtype=np.float64)
    if values.shape not in (matrix.passes.shape, matrix.passes.shape[:1]):
        codes, suites = matrix.passes.shape
        raise ValueError(f"right has shape {values.shape}; give [{codes}] or [{codes}, {suites}]")
    if ((values < 0) | (values > 1)).any():
        raise ValueError("a belief in `right` is not from 0 to 1; give probabilities, or NaN for none")
    values = np.broadcast_to(values if values.ndim == 2 else values[:, None], matrix.passes.shape)
    texts = matrix.distinct()
    sums, counts = np.zeros((2, *texts.passes.shape))
    cells = (texts.code_of[:, None], texts.suite_of[None, :])
    np.add.at(sums, cells, np.nan_to_num(values))
    np.add.at(counts, cells, ~np.isnan(values))
    means = share(sums, counts)
    return means if of_right else 1 - means
