"""What is left out of the policy loss: truncated completions, completions too far off policy, tokens of low entropy.

`without_truncated` changes what is trained, so lengths and weights are made after it. The other two keep the weights
as they are and only set losses to 0, as their papers and TRL do: multiply, or `torch.where(keep, loss, 0)`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.ratio import masked_mean, per_token, upcast

__all__ = ["entropy_floor", "off_policy_mask", "top_entropy_mask", "without_truncated"]


def without_truncated(mask: Tensor, truncated: Tensor) -> Tensor:
    """The mask without completions that ran out of tokens: their reward says nothing about what they would have become.

    Args: mask [B, T] bool; truncated [B] bool, True = ended without an end token.
    Returns: [B, T] bool. A truncated completion has length 0 and still counts as a completion of the batch.
    Raises: ValueError where `truncated` is not one per row.
    Source: DAPO (arXiv 2503.14476), section 3.4 (overlong filtering); TRL 1.16, `mask_truncated_completions`.

    >>> without_truncated(torch.tensor([[True, True], [True, False]]), torch.tensor([True, False])).tolist()
    [[False, False], [True, False]]
    """
    if truncated.shape != mask.shape[:1]:
        raise ValueError(f"truncated is {list(truncated.shape)}; give one for each of the {len(mask)} completions")
    return mask & ~truncated[:, None]


def off_policy_mask(
    logprobs: Tensor, sampler_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, max_kl: float
) -> Tensor:
    """Which completions to keep: `A >= 0 or mean over tokens of (sampler_logprobs - logprobs) <= max_kl`.

    A bad completion that the policy would hardly write any more gives a large and useless gradient.

    Args: logprobs [B, T], its gradient is not used; sampler_logprobs [B, T] of whoever sampled (the engine, or the old
        policy where the engine is the trainer), NaN = unknown, no evidence; advantages [B] or [B, T]; mask [B, T]
        bool; max_kl > 0 in nats per token.
    Returns: [B, T] bool, True = keep; True outside the mask.
    Raises: ValueError where shapes differ.
    Source: DeepSeek-V3.2 (arXiv 2512.02556), equation 9; TRL 1.16, `off_policy_mask_threshold`.

    >>> logprobs, sampler = torch.tensor([[-3.0], [-3.0]]), torch.tensor([[-1.0], [-1.0]])
    >>> off_policy_mask(logprobs, sampler, torch.tensor([1.0, -1.0]), torch.ones(2, 1).bool(), max_kl=0.5).tolist()
    [[True], [False]]
    """
    gap = upcast(sampler_logprobs) - upcast(logprobs.detach())
    drift = masked_mean(gap.nan_to_num(nan=0.0), mask)[:, None]  # [B, 1]
    return (per_token(advantages, mask) >= 0) | (drift <= max_kl) | ~mask


def top_entropy_mask(entropy: Tensor, mask: Tensor, *, fraction: float) -> Tensor:
    """The tokens where the policy really decides: the `fraction` of trained tokens with the highest entropy.

    `H_t >= quantile(H, 1 - fraction)` over the tokens that are given: pass the whole optimizer batch, or the choice
    depends on how it was cut.

    Args: entropy [B, T] in nats; mask [B, T] bool; fraction in 0..1; 0 keeps the highest only, 1 keeps all.
    Returns: [B, T] bool, False outside the mask.
    Raises: ValueError for a fraction outside 0..1.
    Source: "Beyond the 80/20 Rule" (arXiv 2506.01939); TRL 1.16, `top_entropy_quantile`.

    >>> entropy, mask = torch.tensor([[0.1, 0.9, 0.5, 9.0]]), torch.tensor([[True, True, True, False]])
    >>> top_entropy_mask(entropy, mask, fraction=0.5).tolist()
    [[False, True, True, False]]
    """
    known = upcast(entropy.detach())
    return mask & (known >= entropy_floor(known[mask], fraction=fraction))


def entropy_floor(entropy: Tensor, *, fraction: float) -> Tensor:
    """The entropy at or above which the `fraction` of tokens with the highest lie: `quantile(H, 1 - fraction)`.

    For a batch that is cut into micro-batches: the floor of the whole, then `entropy >= floor` in each.

    Args: entropy [tokens] in nats, of trained tokens; fraction in 0..1.
    Returns: a scalar in nats; minus infinity without tokens.
    Raises: ValueError for a fraction outside 0..1.
    Source: as `top_entropy_mask`.

    >>> entropy_floor(torch.tensor([0.1, 0.9, 0.5]), fraction=0.5).item()
    0.5
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction}; it must be from 0 to 1")
    return entropy.quantile(1 - fraction) if len(entropy) else entropy.new_tensor(-torch.inf)
