"""Corrections for a sampler that is not the trainer: the engine computes other log-probs for the same weights.

Completions are drawn by an engine (its own kernels, often bf16), and trained on by a policy that scores the same tokens
slightly differently. The ratio of the two, `c = exp(old_logprobs - sampler_logprobs)`, reweights the loss; it is a
weight and carries no gradient. Three forms, and two ways to bound each:

    token      exp(l_t)               bias in the context of a token, little variance
    sequence   exp(sum of l_t)        no bias; grows with length, so that long completions are dropped unseen
    geometric  exp(mean of l_t)       no bias from length; a filter rather than an importance weight

Log `dropped_fraction` beside whatever is chosen: with "sequence" and "mask" it is the share of the data that teaches
nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.ratio import log_ratio, sequence_log_ratio, upcast

__all__ = ["MISMATCH_BOUNDS", "MISMATCH_LEVELS", "dropped_fraction", "mismatch_weights"]

MISMATCH_LEVELS = ("token", "sequence", "geometric")
MISMATCH_BOUNDS = ("truncate", "mask")


def mismatch_weights(
    old_logprobs: Tensor, sampler_logprobs: Tensor, mask: Tensor, *, level: str, bound: str, low: float, high: float
) -> Tensor:
    """The weight of each token for having been drawn by the engine: `c = exp(old_logprobs - sampler_logprobs)`.

    Args:
        old_logprobs: [B, T] the trainer's policy before the first update on the batch, detached.
        sampler_logprobs: [B, T] what the engine reported; NaN where it could not say, which counts as no difference.
        mask: [B, T] bool.
        level: "token", "sequence" (the sum over tokens) or "geometric" (the mean over tokens).
        bound: "truncate" clamps the weight into [low, high]; "mask" sets it to 0 outside of it.
        low, high: the bounds; 0.0 and `math.inf` for none. Published: 0.0 and 2.0 or 3.0.
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


def dropped_fraction(weights: Tensor, mask: Tensor) -> Tensor:
    """The share of trained tokens whose weight is 0: data that was paid for and teaches nothing.

    Args: weights [B, T] from `mismatch_weights`, or any mask; mask [B, T] bool.
    Returns: a scalar in 0..1; 0 where there are no trained tokens.

    >>> dropped_fraction(torch.tensor([[0.0, 0.0], [1.2, 1.0]]), torch.tensor([[True, True], [True, False]])).item()
    0.6666666865348816
    """
    return ((weights == 0) & mask).sum() / mask.sum().clamp(min=1)
