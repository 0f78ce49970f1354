"""Which checkpoints stay: the newest, and those of the best evaluations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Keeping"]


@dataclass(frozen=True)
class Keeping:
    """How many checkpoints stay.

    >>> evaluations = [{"step": 2, "eval/gold": 0.5}, {"step": 4, "eval/gold": 0.3}, {"step": 6, "eval/gold": 0.4}]
    >>> sorted(Keeping(last=1, best=1, best_by="gold").kept([2, 4, 6, 8], evaluations))
    [2, 8]
    """

    last: int = 2  # of the newest
    best: int = 0  # of those whose evaluation is best
    best_by: str = "pass_at_1"  # the evaluations' metric, without its "eval/"; higher is better

    def kept(self, steps: Collection[int], evaluations: Sequence[Mapping[str, Any]]) -> set[int]:
        """The steps whose checkpoints stay.

        Args:
            steps: Those that have a checkpoint.
            evaluations: Lines of evals.jsonl. One without the metric, or of a step without a checkpoint, is not among
                the best; of equal ones the later is the better.
        """
        scores = {line["step"]: line.get(f"eval/{self.best_by}") for line in evaluations}
        scored = [step for step in steps if scores.get(step) is not None]
        best = sorted(scored, key=lambda step: (scores[step], step), reverse=True)[: self.best]
        return {*sorted(steps)[-self.last :], *best}
