"""Policy losses: the loss of each token of each completion, before aggregation. `grpo.loss` has the conventions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from grpo.loss.ratio import (
    LogRatio,
    broadcast_advantages,
    log_ratio,
    sequence_log_ratio,
    sequence_token_log_ratio,
    upcast,
)

__all__ = [
    "LOSSES",
    "SEQUENCE_GRADIENT",
    "PolicyLoss",
    "cispo_loss",
    "clipped_policy_loss",
    "gspo_loss",
    "gspo_token_loss",
    "sapo_loss",
    "vespo_loss",
]

PolicyLoss = Callable[..., Tensor]  # (logprobs, old_logprobs, advantages, mask, *, hyper-parameters) -> [B, T]

_VESPO_MAX_LOG = 20.0
_VESPO_MIN_LOG = math.log(1e-8)
_VESPO_MIN_LAMBDA = 1e-4


def clipped_policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float,
    clip_high: float,
    delta: float = math.inf,
    ratio: LogRatio = log_ratio,
) -> Tensor:
    """PPO's clipped surrogate: `-min(min(r, delta) A, clamp(r, 1 - clip_low, 1 + clip_high) A)`, `r = exp(l_t)`.

    The loss of GRPO, BNPO, Dr. GRPO and DAPO, which differ in their aggregation, and of GSPO with its ratio.

    Args:
        logprobs: [B, T] current policy, with gradient.
        old_logprobs: [B, T] detached; pass `logprobs.detach()` on the first update of a batch.
        advantages: [B], one per completion, or [B, T].
        mask: [B, T] bool, True = trained.
        clip_low: How far the ratio may fall below 1 before its gradient stops.
        clip_high: How far the ratio may rise above 1 before its gradient stops.
        delta: The highest ratio in the loss of a bad completion, above 1 + clip_high; infinite = PPO, no bound.
        ratio: Of the token (`log_ratio`), or of the sequence.
    Returns: loss [B, T] to minimise, 0 outside the mask.
    Raises: ValueError where shapes differ.
    Source: PPO (arXiv 1707.06347), equation 7; separate bounds from DAPO (arXiv 2503.14476), equation 8; delta from
        INTELLECT-2 (arXiv 2505.07291), two-sided clipping.

    >>> logprobs, old = torch.tensor([[-1.0]]), torch.tensor([[-1.0 - 0.6931472]])  # ratio 2
    >>> advantages, mask = torch.tensor([1.0]), torch.tensor([[True]])
    >>> round(clipped_policy_loss(logprobs, old, advantages, mask, clip_low=0.2, clip_high=0.2).item(), 4)
    -1.2
    >>> round(clipped_policy_loss(logprobs, old, -advantages, mask, clip_low=0.2, clip_high=0.2, delta=1.5).item(), 4)
    1.5
    """
    ratios = ratio(logprobs, old_logprobs, mask).exp()
    clipped = ratios.clamp(1 - clip_low, 1 + clip_high)
    advantage = broadcast_advantages(advantages, mask)
    return torch.where(mask, -torch.minimum(ratios.clamp(max=delta) * advantage, clipped * advantage), 0.0)


def gspo_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, clip_low: float, clip_high: float
) -> Tensor:
    """GSPO: the clipped surrogate of the sequence ratio, `r = exp(mean over tokens of l_t)`, the same on each token.

    With "sequence" weights this is GSPO; with "sum", LUSPO. The bounds are far smaller than those of token ratios (3e-4
    and 4e-4 in the paper), since the mean of many log ratios moves little.

    Every token has the gradient of the one ratio, so advantages that differ from token to token reach each of them as
    their mean: `gspo_token_loss` is for those.

    Args, Returns, Raises: as `clipped_policy_loss`.
    Source: GSPO (arXiv 2507.18071), equation 5; LUSPO (arXiv 2602.05261).

    >>> logprobs, old = torch.tensor([[-1.0, -1.0]]), torch.tensor([[-1.0, -2.3862944]])  # token ratios 1 and 4
    >>> mask = torch.tensor([[True, True]])
    >>> gspo_loss(logprobs, old, torch.tensor([-1.0]), mask, clip_low=0.1, clip_high=0.1).round(decimals=4).tolist()
    [[2.0, 2.0]]
    """
    bounds = {"clip_low": clip_low, "clip_high": clip_high}
    return clipped_policy_loss(logprobs, old_logprobs, advantages, mask, ratio=sequence_log_ratio, **bounds)


def gspo_token_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, clip_low: float, clip_high: float
) -> Tensor:
    """GSPO-token: the value of `gspo_loss` with the gradient of each token, for advantages [B, T].

    Args, Returns, Raises: as `clipped_policy_loss`.
    Source: GSPO (arXiv 2507.18071), equation 13.

    >>> logprobs, old = torch.tensor([[-1.0, -1.0]], requires_grad=True), torch.tensor([[-1.0, -2.3862944]])
    >>> advantages, mask = torch.tensor([[-1.0, 0.0]]), torch.tensor([[True, True]])
    >>> loss = gspo_token_loss(logprobs, old, advantages, mask, clip_low=0.1, clip_high=0.1)
    >>> torch.autograd.grad(loss.sum(), logprobs)[0].round(decimals=4).tolist()
    [[2.0, 0.0]]
    """
    bounds = {"clip_low": clip_low, "clip_high": clip_high}
    return clipped_policy_loss(logprobs, old_logprobs, advantages, mask, ratio=sequence_token_log_ratio, **bounds)


def cispo_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    max_ratio: float,
    ratio: LogRatio = log_ratio,
) -> Tensor:
    """CISPO: REINFORCE with a bounded importance ratio, `-sg[min(r, max_ratio)] A logprobs`.

    No token loses its gradient; only the ratio that multiplies it is bounded.

    Args:
        max_ratio: The bound itself, not 1 + epsilon; 5.0 in ScaleRL.
        logprobs, old_logprobs, advantages, mask, ratio: As in `clipped_policy_loss`.
    Returns, Raises: as `clipped_policy_loss`.
    Source: MiniMax-M1 (arXiv 2506.13585), equations 4 and 5; ScaleRL (arXiv 2510.13786).

    >>> logprobs, old = torch.tensor([[-1.0]], requires_grad=True), torch.tensor([[-3.0]])  # ratio 7.39
    >>> loss = cispo_loss(logprobs, old, torch.tensor([1.0]), torch.tensor([[True]]), max_ratio=5.0)
    >>> loss.item(), torch.autograd.grad(loss, logprobs)[0].item()
    (5.0, -5.0)
    """
    ratios = ratio(logprobs.detach(), old_logprobs, mask).exp().clamp(max=max_ratio)
    advantage = broadcast_advantages(advantages, mask)
    return torch.where(mask, -ratios * advantage * torch.where(mask, upcast(logprobs), 0.0), 0.0)


def sapo_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    tau_positive: float,
    tau_negative: float,
    ratio: LogRatio = log_ratio,
) -> Tensor:
    """SAPO: a smooth gate in place of the clip, `-(4 / tau) sigmoid(tau (r - 1)) A`, tau by the sign of A.

    The gradient is that of `r A` at r = 1 and fades on both sides, faster with a larger tau.

    Args:
        tau_positive: Sharpness of the gate for A > 0, > 0; 1.0 in the paper.
        tau_negative: Sharpness of the gate for A <= 0, > 0; 1.05 in the paper.
        logprobs, old_logprobs, advantages, mask, ratio: As in `clipped_policy_loss`.
    Returns, Raises: as `clipped_policy_loss`.
    Source: SAPO (arXiv 2511.20347).

    >>> logprobs = torch.tensor([[-1.0]], requires_grad=True)
    >>> taus = {"tau_positive": 1.0, "tau_negative": 1.05}
    >>> loss = sapo_loss(logprobs, logprobs.detach(), torch.tensor([3.0]), torch.tensor([[True]]), **taus)
    >>> loss.item(), torch.autograd.grad(loss, logprobs)[0].item()
    (-6.0, -3.0)
    """
    ratios = ratio(logprobs, old_logprobs, mask).exp()
    advantage = broadcast_advantages(advantages, mask)
    tau = _select(advantage > 0, tau_positive, tau_negative, advantage.dtype)
    return torch.where(mask, -torch.sigmoid(tau * (ratios - 1)) * 4 / tau * advantage, 0.0)


def vespo_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    k_positive: float,
    lambda_positive: float,
    k_negative: float,
    lambda_negative: float,
    mismatch: Tensor | None = None,
) -> Tensor:
    """VESPO: REINFORCE weighted by a Gamma kernel of the sequence's ratio w, `-sg[phi(w)] A logprobs`.

        phi(w) = e^lambda w^k e^(-lambda w), phi(1) = 1, highest at w = k / lambda
        log w  = sum over tokens of l_t (+ log c_t), held in [log 1e-8, 20]

    Args:
        k_positive: k for A >= 0; 2.0 in the paper.
        lambda_positive: lambda for A >= 0; 3.0 in the paper.
        k_negative: k for A < 0; 3.0 in the paper.
        lambda_negative: lambda for A < 0; 2.0 in the paper.
        mismatch: [B, T] weights c of `mismatch_weights` at the level "token", or None. VESPO takes them into w: do not
            multiply the loss by them again.
        logprobs, old_logprobs, advantages, mask: As in `clipped_policy_loss`.
    Returns, Raises: as `clipped_policy_loss`.
    Source: VESPO (arXiv 2602.10693); the bounds from TRL 1.16.

    >>> logprobs = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    >>> kernel = {"k_positive": 2.0, "lambda_positive": 3.0, "k_negative": 3.0, "lambda_negative": 2.0}
    >>> vespo_loss(logprobs, logprobs.detach(), torch.tensor([1.0]), torch.tensor([[True, True]]), **kernel).tolist()
    [[1.0, 2.0]]
    """
    token_log_ratios = log_ratio(logprobs.detach(), old_logprobs, mask).clamp(-_VESPO_MAX_LOG, _VESPO_MAX_LOG)
    log_w = token_log_ratios.sum(dim=1, keepdim=True)  # [B, 1]
    if mismatch is not None:
        corrections = torch.where(mask, mismatch, 1.0).log().clamp(_VESPO_MIN_LOG, _VESPO_MAX_LOG)
        log_w = log_w + corrections.sum(dim=1, keepdim=True)
    log_w = log_w.clamp(_VESPO_MIN_LOG, _VESPO_MAX_LOG)
    advantage = broadcast_advantages(advantages, mask)
    k = _select(advantage >= 0, k_positive, k_negative, advantage.dtype)
    rate = _select(advantage >= 0, lambda_positive, lambda_negative, advantage.dtype).clamp(min=_VESPO_MIN_LAMBDA)
    phi = (rate + k * log_w - rate * log_w.exp()).exp()
    return torch.where(mask, -phi * advantage * torch.where(mask, upcast(logprobs), 0.0), 0.0)


LOSSES: dict[str, tuple[PolicyLoss, str]] = {
    "grpo": (clipped_policy_loss, "sequence"),
    "bnpo": (clipped_policy_loss, "token"),
    "dr_grpo": (clipped_policy_loss, "constant"),
    "dapo": (clipped_policy_loss, "token"),
    "gspo": (gspo_loss, "sequence"),
    "gspo_token": (gspo_token_loss, "sequence"),
    "luspo": (gspo_loss, "sum"),
    "cispo": (cispo_loss, "token"),
    "sapo": (sapo_loss, "sequence"),
    "vespo": (vespo_loss, "token"),
}
"""Each published loss by name: its function, and the aggregation it was published with."""

SEQUENCE_GRADIENT: tuple[PolicyLoss, ...] = (gspo_loss,)
"""The losses that give a token the mean advantage of its completion, and not its own."""


def _select(condition: Tensor, yes: float, no: float, dtype: torch.dtype) -> Tensor:
    """`yes` where the condition holds, else `no`, in this dtype: `torch.where` of two floats would round to fp32."""
    return torch.full(condition.shape, no, dtype=dtype, device=condition.device).masked_fill(condition, yes)
