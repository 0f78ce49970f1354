"""The GRPO loss as pure functions on tensors: ratio, clipped surrogate, KL to a reference, aggregation.

Per-token functions take [B, T] tensors (B answers, T tokens, padded on the right) and a bool mask (True = trained), and
return [B, T] with 0 outside the mask. Nothing is reduced before the last line: `(per_token * weights).sum()` with
weights from `aggregation_weights`, computed once for the whole optimizer batch, so that cutting it into micro-batches
changes nothing. Masking happens before `exp`: done after it, an overflow in the padding is a NaN gradient behind a
finite loss. There are no defaults for what papers argue about.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["AGGREGATIONS", "aggregation_weights", "clipped_policy_loss", "kl_to_reference", "log_ratio"]

AGGREGATIONS = ("token", "sequence", "constant")


def log_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Log importance ratio of each token: `l_t = logprobs - old_logprobs`, 0 outside the mask.

    Args: logprobs [B, T] current policy, with gradient; old_logprobs [B, T] the trainer's policy just before the first
        update on the batch, detached; mask [B, T] bool.
    Returns: [B, T] in nats, with gradient.

    >>> mask = torch.tensor([[True, False]])
    >>> log_ratio(torch.tensor([[-1.0, torch.nan]]), torch.tensor([[-1.5, 0.0]]), mask).tolist()
    [[0.5, 0.0]]
    """
    return torch.where(mask, logprobs, 0.0) - torch.where(mask, old_logprobs, 0.0)


def clipped_policy_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, clip_low: float, clip_high: float
) -> Tensor:
    """PPO's clipped surrogate, per token: `-min(r A, clamp(r, 1 - clip_low, 1 + clip_high) A)` with `r = exp(l_t)`.

    Args:
        logprobs: [B, T] current policy, with gradient.
        old_logprobs: [B, T] detached; pass `logprobs.detach()` on the first update of a batch.
        advantages: [B], one per answer.
        mask: [B, T] bool, True = trained.
        clip_low, clip_high: how far the ratio may fall below and rise above 1 before its gradient stops.
    Returns: loss [B, T] to minimise, 0 outside the mask.
    Source: PPO (arXiv 1707.06347), equation 7; separate bounds from DAPO (arXiv 2503.14476), equation 8.

    >>> logprobs, old = torch.tensor([[-1.0]]), torch.tensor([[-1.0 - 0.6931472]])  # ratio 2
    >>> advantages, mask = torch.tensor([1.0]), torch.tensor([[True]])
    >>> round(clipped_policy_loss(logprobs, old, advantages, mask, clip_low=0.2, clip_high=0.2).item(), 4)
    -1.2
    """
    ratio = log_ratio(logprobs, old_logprobs, mask).exp()
    clipped = ratio.clamp(1 - clip_low, 1 + clip_high)
    advantage = advantages[:, None]  # [B, 1]
    return torch.where(mask, -torch.minimum(ratio * advantage, clipped * advantage), 0.0)


def kl_to_reference(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """The k3 estimate of KL(policy || reference), per token: `exp(d) - d - 1` with `d = ref_logprobs - logprobs`.

    Never negative, and 0 where the two agree.

    Args: logprobs [B, T] with gradient; ref_logprobs [B, T] detached; mask [B, T] bool.
    Returns: [B, T] in nats, 0 outside the mask, with gradient.
    Source: Schulman, "Approximating KL Divergence" (2020); DeepSeekMath (arXiv 2402.03300), equation 4. TRL 1.16
        multiplies by the importance ratio by default; the paper does not, and neither do we.

    >>> kl_to_reference(torch.tensor([[-1.0]]), torch.tensor([[-2.0]]), torch.tensor([[True]])).item()  # e^-1 + 1 - 1
    0.3678794503211975
    """
    difference = log_ratio(ref_logprobs, logprobs, mask)
    return torch.expm1(difference) - difference


def aggregation_weights(lengths: Tensor, *, aggregation: str, max_tokens: int) -> Tensor:
    """The weight of each token of each answer in the loss of the whole optimizer batch.

        token      1 / sum(lengths)       every token counts the same (DAPO)
        sequence   1 / (B * length_i)     every answer counts the same (GRPO)
        constant   1 / (B * max_tokens)   no length bias at all (Dr. GRPO)

    All tokens of one answer weigh the same, so one number per answer is enough: `weights = result[:, None] * mask`.

    Args: lengths [B] int, trained tokens of every answer of the batch; aggregation, one of `AGGREGATIONS`;
        max_tokens, the longest answer that sampling allows (used by "constant").
    Returns: [B] fp32. An answer of no tokens weighs 0.
    Raises: ValueError for an unknown aggregation.
    Source: DAPO (arXiv 2503.14476), equation 8; DeepSeekMath (arXiv 2402.03300), equation 3; Dr. GRPO (arXiv
        2503.20783).

    >>> aggregation_weights(torch.tensor([1, 3]), aggregation="token", max_tokens=4).tolist()
    [0.25, 0.25]
    >>> aggregation_weights(torch.tensor([1, 4]), aggregation="sequence", max_tokens=4).tolist()
    [0.5, 0.125]
    """
    trained = (lengths > 0).float()
    if aggregation == "token":
        return trained / lengths.sum().clamp(min=1)
    if aggregation == "sequence":
        return trained / (len(lengths) * lengths.clamp(min=1))
    if aggregation == "constant":
        return trained / (len(lengths) * max_tokens)
    raise ValueError(f"aggregation is {aggregation!r}; it must be one of {', '.join(AGGREGATIONS)}")
