"""Random batches and every policy loss with hyper-parameters under which each of its branches is taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from grpo import loss as L

__all__ = ["VARIANTS", "VESPO", "random_batch"]

VESPO = {"k_positive": 2.1, "lambda_positive": 3.3, "k_negative": 3.1, "lambda_negative": 2.3}

VARIANTS: dict[str, Callable[..., Tensor]] = {
    "clipped": partial(L.clipped_policy_loss, clip_low=0.2, clip_high=0.3),
    "clipped with delta": partial(L.clipped_policy_loss, clip_low=0.2, clip_high=0.3, delta=1.4),
    "gspo": partial(L.gspo_loss, clip_low=0.05, clip_high=0.1),
    "gspo_token": partial(L.gspo_token_loss, clip_low=0.05, clip_high=0.1),
    "cispo": partial(L.cispo_loss, max_ratio=1.2),
    "sapo": partial(L.sapo_loss, tau_positive=1.0, tau_negative=1.05),
    "vespo": partial(L.vespo_loss, **VESPO),
}


def random_batch(seed: int, rows: int = 5, tokens: int = 6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Log-probs, old log-probs, advantages and a mask of random lengths, fp64."""
    generator = torch.Generator().manual_seed(seed)
    logprobs = -torch.rand(rows, tokens, generator=generator, dtype=torch.float64) * 2
    old = logprobs + torch.randn(rows, tokens, generator=generator, dtype=torch.float64) * 0.4
    advantages = torch.randn(rows, generator=generator, dtype=torch.float64)
    lengths = torch.randint(1, tokens + 1, (rows,), generator=generator)
    return logprobs, old, advantages, torch.arange(tokens) < lengths[:, None]
