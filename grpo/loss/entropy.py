"""Entropy of the policy in the loss: a bonus for it, and the tokens that have the most of it.

Left out: computing the entropy (`grpo.logprobs`). The bonus needs an entropy with gradient, the floor needs none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.ratio import upcast

__all__ = ["entropy_bonus", "entropy_floor"]


def entropy_bonus(entropy: Tensor, mask: Tensor, *, coefficient: float) -> Tensor:
    """The loss term of each token that rewards entropy: `-coefficient * H_t`.

    Aggregate it with "token" weights whatever the policy loss uses; then the coefficient means the same everywhere:
    `loss = policy loss - coefficient * mean entropy`.

    Args:
        entropy: [B, T] in nats, with gradient.
        mask: [B, T] bool, True = trained.
        coefficient: Weight of the bonus, usually 0.0 to 0.01.
    Returns: loss [B, T] to minimise, 0 outside the mask.
    Source: PPO (arXiv 1707.06347), equation 9; TRL 1.16, `entropy_coef`.

    >>> entropy_bonus(torch.tensor([[2.0, torch.nan]]), torch.tensor([[True, False]]), coefficient=0.5).tolist()
    [[-1.0, 0.0]]
    """
    return torch.where(mask, -coefficient * upcast(entropy), 0.0)


def entropy_floor(entropy: Tensor, *, fraction: float) -> Tensor:
    """The entropy that the `fraction` of tokens with the highest entropy reach: `quantile(H, 1 - fraction)`.

    The policy loss of these tokens alone is `torch.where(entropy >= floor, loss, 0)`, with the floor taken over the
    whole optimizer batch: taken over a micro-batch, the choice would depend on how the batch is cut.

    Args:
        entropy: [tokens] in nats, of the trained tokens.
        fraction: Share of the tokens to keep, 0..1; 0 keeps the highest only, 1 keeps all.
    Returns: a scalar in nats; minus infinity where there are no tokens.
    Raises: ValueError for a fraction outside 0..1.
    Source: "Beyond the 80/20 Rule" (arXiv 2506.01939); TRL 1.16, `top_entropy_quantile`.

    >>> entropy_floor(torch.tensor([0.1, 0.9, 0.5]), fraction=0.5).item()
    0.5
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction}; it must be from 0 to 1")
    return entropy.quantile(1 - fraction) if len(entropy) else entropy.new_tensor(-torch.inf)
