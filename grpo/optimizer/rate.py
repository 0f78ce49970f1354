"""The learning rate of every update of a run."""

from __future__ import annotations

import math

__all__ = ["learning_rate"]


def learning_rate(update: int, *, num_updates: int, peak: float, warmup: int, schedule: str, floor: float) -> float:
    """The rate of an update, counted from 0: linear warm-up to `peak`, then constant, linear or cosine to `floor`.

    >>> [learning_rate(u, num_updates=4, peak=1.0, warmup=2, schedule="linear", floor=0.0) for u in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    if update < warmup:
        return peak * (update + 1) / warmup
    progress = min(1.0, (update - warmup) / max(1, num_updates - warmup))
    if schedule == "constant":
        return peak
    if schedule == "linear":
        return floor + (peak - floor) * (1 - progress)
    if schedule == "cosine":
        return floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2
    raise ValueError(f"schedule is {schedule!r}; it must be constant, linear or cosine")
