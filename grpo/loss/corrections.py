"""Corrections for completions that the trained policy did not sample itself.

A completion is sampled by an engine, with its own kernels and often in bf16, and possibly some updates ago. The trainer
scores the same tokens slightly differently. `mismatch_weights` reweights each token by the ratio of the two,
`c = exp(old_logprobs - sampler_logprobs)`, at one of three levels:

    token      exp(l_t)               biased through the token's context; low variance
    sequence   exp(sum of l_t)        unbiased; grows with length, so that a bound hits long completions first
    geometric  exp(mean of l_t)       independent of length; a filter rather than an importance weight

With "sequence" and "mask" the weight of many tokens can be 0 unnoticed: log the share of zero weights (the metric
`policy/mismatch_dropped`). `off_policy_mask` leaves out bad completions that the current policy would hardly write any
more. Both carry no gradient, and neither changes the aggregation weights, as in the papers and in TRL.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.ratio import broadcast_advantages, log_ratio, masked_mean, sequence_log_ratio, upcast

__all__ = ["MISMATCH_BOUNDS", "MISMATCH_LEVELS", "mismatch_weights", "off_policy_mask"]

MISMATCH_LEVELS = ("token", "sequence", "geometric")
MISMATCH_BOUNDS = ("truncate", "mask")


def mismatch_weights(
    old_logprobs: Tensor, sampler_logprobs: Tensor, mask: Tensor, *, level: str, bound: str, low: float, high: float
) -> Tensor:
    """The weight of each token for having been sampled by the engine: `c = exp(old_logprobs - sampler_logprobs)`.

    Args:
        old_logprobs: [B, T] the trainer's policy before the first update on the batch, detached.
        sampler_logprobs: [B, T] what the engine reported; NaN = unknown, which counts as no difference.
        mask: [B, T] bool, True = trained.
        level: "token", "sequence" (the sum over tokens) or "geometric" (the mean over tokens).
        bound: "truncate" clamps the weight into [low, high]; "mask" sets it to 0 outside.
        low: The lower bound; 0.0 for none.
        high: The upper bound; `math.inf` for none. Published: 2.0 or 3.0.
    Returns: [B, T], at least 0, 1 outside the mask; multiply the policy loss (not the KL) by it.
    Raises: ValueError for an unknown level or bound, for low >= high, and where shapes differ.
    Source: Yao et al., "Your Efficient RL Framework Secretly Brings You Off-Policy RL Training" (2025), truncated;
        IcePop (2025), masked; TRL 1.16, `vllm_importance_sampling_mode` (which has no geometric form).

    >>> old, sampler = torch.tensor([[-1.0, -1.0]]), torch.tensor([[-1.0, -1.6931472]])  # token ratios 1 and 2
    >>> bounds = {"mask": torch.tensor([[True, True]]), "low": 0.0, "high": 1.5}
    >>> mismatch_weights(old, sampler, level="token", bound="truncate", **bounds).tolist()
    [[1.0, 1.5]]
    >>> mismatch_weights(old, sampler, level="sequence", bound="mask", **bounds).tolist()
    [[0.0, 0.0]]
    """
    if level not in MISMATCH_LEVELS or bound not in MISMATCH_BOUNDS:
        allowed = f"{', '.join(MISMATCH_LEVELS)} and {', '.join(MISMATCH_BOUNDS)}"
        raise ValueError(f"level and bound are {level!r} and {bound!r}; they must be of {allowed}")
    if not low < high:
        raise ValueError(f"low is {low} and high is {high}; every weight would be dropped: low must be below high")
    old, sampler = upcast(old_logprobs.detach()), upcast(sampler_logprobs.detach())
    sampler = torch.where(sampler.isnan(), old, sampler)
    if level == "token":
        logs = log_ratio(old, sampler, mask)
    elif level == "geometric":
        logs = sequence_log_ratio(old, sampler, mask)
    else:
        logs = log_ratio(old, sampler, mask).sum(dim=1, keepdim=True).expand(mask.shape)
    weights = logs.exp()
    if bound == "truncate":
        weights = weights.clamp(low, high)
    else:
        weights = weights.masked_fill((weights < low) | (weights > high), 0.0)
    return torch.where(mask, weights, 1.0)


def off_policy_mask(
    logprobs: Tensor, sampler_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, max_kl: float
) -> Tensor:
    """Which completions to keep: `A >= 0 or mean over tokens of (sampler_logprobs - logprobs) <= max_kl`.

    A bad completion that the policy would hardly write any more gives a large and useless gradient. Apply the result
    as `torch.where(keep, loss, 0)`. With advantages [B, T] the sign is the token's and the mean the completion's, as
    equation 9 is written: of a completion that is too far off the good tokens stay.

    Args:
        logprobs: [B, T] current policy; its gradient is not used.
        sampler_logprobs: [B, T] of the sampler: the engine, or the old policy where the engine is the trainer.
            NaN = unknown, which counts as no difference.
        advantages: [B] or [B, T].
        mask: [B, T] bool, True = trained.
        max_kl: The bound, > 0, in nats per token.
    Returns: [B, T] bool, True = keep; True outside the mask.
    Raises: ValueError where shapes differ.
    Source: DeepSeek-V3.2 (arXiv 2512.02556), equation 9; TRL 1.16, `off_policy_mask_threshold`.

    >>> logprobs, sampler = torch.tensor([[-3.0], [-3.0]]), torch.tensor([[-1.0], [-1.0]])
    >>> off_policy_mask(logprobs, sampler, torch.tensor([1.0, -1.0]), torch.ones(2, 1).bool(), max_kl=0.5).tolist()
    [[True], [False]]
    """
    gap = upcast(sampler_logprobs) - upcast(logprobs.detach())
    drift = masked_mean(gap.nan_to_num(nan=0.0), mask)[:, None]  # [B, 1]
    return (broadcast_advantages(advantages, mask) >= 0) | (drift <= max_kl) | ~mask
