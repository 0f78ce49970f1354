"""Numbers for a reader: rounded, smoothed, thinned, and the round values that an axis shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["MOST_POINTS", "Points", "compact", "rolling_mean", "thinned", "ticks"]

Points = Sequence[tuple[float, float]]
MOST_POINTS = 400  # a picture has 250 pixels across: more points only cost bytes


def compact(value: float) -> str:
    """A number with three significant digits, in few characters.

    >>> [compact(v) for v in (0, 0.4567, 12.0, 1234, 56_789, 0.00012)]
    ['0', '0.457', '12', '1,234', '56.8k', '1.2e-4']
    """
    if value < 0:
        return "−" + compact(-value)
    if value == 0:
        return "0"
    if value < 0.001 or value >= 1e9:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if value >= 1e4:
        return compact(value / 1e6) + "M" if value >= 1e6 else compact(value / 1e3) + "k"
    text = f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` round numbers from `low` to `high`, 1, 2 or 5 times a power of ten apart.

    >>> ticks(0, 1), ticks(0, 87)
    ([0.0, 0.5, 1.0], [0.0, 20.0, 40.0, 60.0, 80.0])
    """
    span = high - low
    if span <= 0:
        return [low]
    step = 10.0 ** math.floor(math.log10(span / most))
    while math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1 > most:
        lead = round(step / 10.0 ** math.floor(math.log10(step) + 1e-9))
        step *= 2.5 if lead == 2 else 2
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def rolling_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean of each value and up to `window - 1` before it.

    >>> rolling_mean([1, 3, 5], 2)
    [1.0, 2.0, 4.0]
    """
    means = []
    for index in range(len(values)):
        recent = values[max(0, index - window + 1) : index + 1]
        means.append(math.fsum(recent) / len(recent))
    return means


def thinned(points: Points) -> Points:
    """At most `MOST_POINTS` points: neighbours are averaged, none is dropped.

    Args:
        points: Pairs of x and y, in x order.
    """
    size = math.ceil(len(points) / MOST_POINTS)
    if size <= 1:
        return points
    bins = [points[start : start + size] for start in range(0, len(points), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in bins]
