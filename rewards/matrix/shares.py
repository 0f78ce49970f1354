"""Shares: a quotient of two arrays that is NaN where there is nothing to divide by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["share"]


def share(hits: NDArray[Any], trials: NDArray[Any]) -> NDArray[np.float64]:
    """`hits / trials`, NaN where trials are 0.

    >>> share(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    quotients: NDArray[np.float64] = np.divide(hits, trials, out=np.full(trials.shape, np.nan), where=trials > 0)
    return quotients
