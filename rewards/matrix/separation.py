"""How well a score tells right codes from wrong ones: the area under the ROC curve, within groups.

Within groups, because advantages compare the completions of one group only: a score that knows which prompts are easy,
and nothing else, has 0.5 here and teaches nothing. Left out: how sure one can be of the figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["separation"]


def separation(scores: Sequence[NDArray[np.float64]], right: Sequence[NDArray[np.float64]]) -> float:
    """The share of pairs of a right and a wrong code of one group in which the right one scores higher; ties are half.

    Args:
        scores: For each group [C]; pairs with a NaN do not count.
        right: For each group [C]; 1 right, 0 wrong, NaN not known.
    Returns: 0.5 for chance, 1 for a score that knows; NaN where no group has such a pair.
    Raises: ValueError for shapes that do not fit.

    >>> groups = [np.array([0.9, 0.5, 0.5]), np.array([0.1, 0.2])]
    >>> separation(groups, [np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0])])  # one pair won, one tied
    0.75
    """
    won = pairs = 0.0
    for score, label in zip(scores, right, strict=True):
        if score.shape != label.shape:
            raise ValueError(f"scores have shape {score.shape} and labels {label.shape}; give one label for each")
        known = ~np.isnan(score)
        apart = score[known & (label == 1)][:, None] - score[known & (label == 0)]
        won, pairs = won + (apart > 0).sum() + 0.5 * (apart == 0).sum(), pairs + apart.size
    return float(won / pairs) if pairs else float("nan")
