"""What training changed: differences paired by prompt and averaged over seeds, with an interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from study.completions import ByPrompt

__all__ = ["Gain", "paired_gain"]


@dataclass(frozen=True)
class Gain:
    """Means before and after, the half width of the difference's 95 % interval, and the difference of each seed."""

    before: float
    after: float
    half_width: float
    by_seed: tuple[float, ...]
    num_prompts: int

    @property
    def points(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return abs(self.points) > self.half_width


def paired_gain(before: ByPrompt, after: Sequence[ByPrompt]) -> Gain:
    """The mean over prompts of (mean after, over seeds and completions) - (mean before).

    All completions to a prompt, before and after, are one observation. The half width of the interval is
    `1.96 * std_p(d_p) / sqrt(P)` with `d_p = mean_s(after_sp) - before_p` and the sample standard deviation. Seeds are
    averaged and not treated as a sample: how much they differ is in `by_seed`.

    Args:
        before: Values by prompt.
        after: The same for each seed. Prompts that are not in all of them do not count.

    Raises:
        ValueError: Where fewer than two prompts are left, or there is no seed.

    >>> gain = paired_gain({"p": (0.0, 0.0), "q": (1.0,)}, [{"p": (1.0, 0.0), "q": (1.0,)}])
    >>> gain.points, round(gain.half_width, 3)  # differences 0.5 and 0: mean 0.25, std 0.354, / sqrt(2) * 1.96
    (0.25, 0.49)
    """
    shared = [prompt for prompt in before if all(prompt in seed for seed in after)]
    if len(shared) < 2 or not after:
        raise ValueError(f"{len(shared)} prompts in common of {len(after)} seeds: at least 2 and 1 are needed")
    start = {prompt: statistics.fmean(before[prompt]) for prompt in shared}
    ends = [{prompt: statistics.fmean(seed[prompt]) for prompt in shared} for seed in after]
    differences = [statistics.fmean(end[prompt] for end in ends) - start[prompt] for prompt in shared]
    mean_before = statistics.fmean(start.values())
    by_seed = tuple(statistics.fmean(end.values()) - mean_before for end in ends)
    half_width = 1.96 * statistics.stdev(differences) / math.sqrt(len(shared))
    return Gain(mean_before, mean_before + statistics.fmean(differences), half_width, by_seed, len(shared))
