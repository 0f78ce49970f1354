"""What counts as equal, and the record of how close it was."""

from __future__ import annotations

from collections import defaultdict

from torch import Tensor

from oracle import Outcome

__all__ = ["GRADIENT_TOLERANCE", "LOSS_TOLERANCE", "TABLE", "agree", "errors"]

LOSS_TOLERANCE = 1e-6  # relative, fp32
GRADIENT_TOLERANCE = 1e-5  # of the largest entry, fp32
TABLE: dict[str, list[tuple[float, float]]] = defaultdict(list)


def errors(ours: Outcome, trl: Outcome) -> tuple[float, float]:
    """Relative error of the loss, and of the gradients (to log-probs and entropy) against their largest entry."""
    loss = abs(ours.loss - trl.loss) / abs(trl.loss)
    return loss, max(relative(ours.logprobs, trl.logprobs), relative(ours.entropy, trl.entropy))


def agree(ours: Outcome, trl: Outcome) -> bool:
    """Whether loss and gradients are equal within the tolerances."""
    loss, gradient = errors(ours, trl)
    return loss <= LOSS_TOLERANCE and gradient <= GRADIENT_TOLERANCE


def relative(ours: Tensor, trl: Tensor) -> float:
    """Largest difference over the largest entry; NaN in either is an error of infinity."""
    difference = (ours - trl).abs().max().item()
    if difference != difference:
        return float("inf")
    return difference / max(trl.abs().max().item(), 1e-30) if difference else 0.0
