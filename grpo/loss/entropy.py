"""Entropy of the policy: as a metric, as a bonus in the loss, and a controller for the bonus's weight.

Left out: computing it, which is the business of `grpo.logprobs`; the bonus needs an entropy with gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.ratio import upcast

__all__ = ["adapted_entropy_coefficient", "entropy_bonus", "mean_entropy"]


def mean_entropy(entropy: Tensor, mask: Tensor) -> Tensor:
    """Mean entropy of the trained tokens: `sum(H_t) / sum(mask)`.

    Args: entropy [B, T] in nats; mask [B, T] bool.
    Returns: a scalar in nats, detached; 0 without trained tokens.
    Source: TRL 1.16, the metric `entropy`.

    >>> mean_entropy(torch.tensor([[1.0, 3.0, torch.nan]]), torch.tensor([[True, True, False]])).item()
    2.0
    """
    return torch.where(mask, upcast(entropy.detach()), 0.0).sum() / mask.sum().clamp(min=1)


def entropy_bonus(entropy: Tensor, mask: Tensor, *, coefficient: float) -> Tensor:
    """Loss that pays for entropy, per token: `-coefficient * H_t`.

    Aggregate it with "token" weights whatever the policy loss uses, and the coefficient means the same everywhere:
    `loss = policy loss - coefficient * mean entropy`.

    Args: entropy [B, T] in nats, with gradient; mask [B, T] bool; coefficient, usually 0.0 to 0.01.
    Returns: loss [B, T] to minimise, 0 outside the mask.
    Source: PPO (arXiv 1707.06347), equation 9; TRL 1.16, `entropy_coef`.

    >>> entropy_bonus(torch.tensor([[2.0, torch.nan]]), torch.tensor([[True, False]]), coefficient=0.5).tolist()
    [[-1.0, 0.0]]
    """
    return torch.where(mask, -coefficient * upcast(entropy), 0.0)


def adapted_entropy_coefficient(
    coefficient: float, entropy: float, *, target: float, step: float, low: float, high: float
) -> float:
    """The next coefficient of the bonus: one step up while the entropy is at or below its target, else one down.

    The bonus is to be applied only while the last measured entropy is at or below the target.

    Args: coefficient in use; entropy, the mean over the last optimizer batch, in nats; target in nats; step > 0;
        low, high, the bounds of the coefficient.
    Returns: the coefficient for the next optimizer step.
    Source: Skywork-OR1 (arXiv 2505.22312); TRL 1.16, `use_adaptive_entropy`.

    >>> adapted_entropy_coefficient(0.5, 0.1, target=0.2, step=0.25, low=0.0, high=1.0)
    0.75
    >>> adapted_entropy_coefficient(0.0, 0.3, target=0.2, step=0.25, low=0.0, high=1.0)
    0.0
    """
    if entropy <= target:
        return min(coefficient + step, high)
    return max(coefficient - step, low)
