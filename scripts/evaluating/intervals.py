"""Rates with intervals that are not empty where the spread between prompts says nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grpo.evaluate import clustered_mean

__all__ = ["rate_interval", "wilson"]

Z = 1.96  # of a 95 % interval
SMALLEST = 1e-12  # a half width below it is rounding


def rate_interval(prompts: Sequence[Sequence[float]]) -> tuple[float, float]:
    """A rate, and the half width of its 95 % interval.

    It is `clustered_mean`'s, but where all prompts have the same rate, as at 0 and at 1: there the spread that it is
    computed from is 0, although the rate of other prompts may well differ. There it is the longer side of Wilson's
    interval with prompts, and not completions, for observations.

    Args:
        prompts: The values of each prompt's completions, from 0 to 1; empty ones are ignored.
    Returns: (rate, half width); NaN without values.

    >>> rate_interval([[1.0, 1.0]] * 6)  # at least 0.61
    (1.0, 0.39034...)
    """
    rate, half_width = clustered_mean(prompts)
    number = sum(map(bool, prompts))
    if not number or half_width > SMALLEST or (number == 1 and 0 < rate < 1):
        return rate, half_width
    low, high = wilson(rate, number)
    return rate, max(rate - low, high - rate)


def wilson(rate: float, number: int) -> tuple[float, float]:
    """The 95 % interval of a rate in independent observations.

    `(p + z^2/2n ± z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n)`; at p = 1 the lower end is `n / (n + z^2)`.

    Args:
        rate: Of the observations that are 1.
        number: Of observations, at least 1.
    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    >>> wilson(0.0, 10)
    (0.0, 0.27754...)
    """
    scale = 1 + Z**2 / number
    middle = (rate + Z**2 / (2 * number)) / scale
    half = Z * math.sqrt(rate * (1 - rate) / number + Z**2 / (4 * number**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)
