"""Policy losses: what each token of each completion contributes, before aggregation. See `grpo.loss`."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from grpo.loss.ratio import LogRatio, log_ratio, per_token, sequence_log_ratio, sequence_token_log_ratio, upcast

__all__ = [
    "LOSSES",
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
        clip_low, clip_high: how far the ratio may fall below and rise above 1 before its gradient stops.
        delta: the highest ratio that a bad completion is pushed down with, above 1 + clip_high; infinite = PPO, no bound.
        ratio: of the token, or one of the sequence.
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
    weight = ratio(logprobs, old_logprobs, mask).exp()
    clipped = weight.clamp(1 - clip_low, 1 + clip_high)
    advantage = per_token(advantages, mask)
    return torch.where(mask, -torch.minimum(weight.clamp(max=delta) * advantage, clipped * advantage), 0.0)


def gspo_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, *, clip_low: float, clip_high: float
) -> Tensor:
    """GSPO: the clipped surrogate of the sequence ratio, `r = exp(mean over tokens of l_t)`, the same on each token.

    With "sequence" weights this is GSPO; with "sum", LUSPO. The bounds are far smaller than those of tokens (3e-4 and
    4e-4 in the paper), since the mean of many log ratios moves little.

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
    """GSPO-token: the value of `gspo_loss`, with each token's own gradient, for advantages [B, T].

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
    """CISPO: REINFORCE with a bounded importance weight, `-sg[min(r, max_ratio)] A logprobs`.

    No token loses its gradient; only its weight is bounded. `max_ratio` is the bound itself, not 1 + epsilon.

    Args: max_ratio, 5.0 in ScaleRL; the others, Returns and Raises as `clipped_policy_loss`.
    Source: MiniMax-M1 (arXiv 2506.13585), equations 4 and 5; ScaleRL (arXiv 2510.13786).

    >>> logprobs, old = torch.tensor([[-1.0]], requires_grad=True), torch.tensor([[-3.0]])  # ratio 7.39
    >>> loss = cispo_loss(logprobs, old, torch.tensor([1.0]), torch.tensor([[True]]), max_ratio=5.0)
    >>> loss.item(), torch.autograd.grad(loss, logprobs)[0].item()
    (5.0, -5.0)
    """
    weight = ratio(logprobs.detach(), old_logprobs, mask).exp().clamp(max=max_ratio)
    return torch.where(mask, -weight * per_token(advantages, mask) * torch.where(mask, upcast(logprobs), 0.0), 0.0)


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

    Args: tau_positive, tau_negative > 0, the sharpness for A > 0 and for A <= 0 (1.0 and 1.05 in the paper); the
        others, Returns and Raises as `clipped_policy_loss`.
    Source: SAPO (arXiv 2511.20347).

    >>> logprobs = torch.tensor([[-1.0]], requires_grad=True)
    >>> taus = {"tau_positive": 1.0, "tau_negative": 1.05}
    >>> loss = sapo_loss(logprobs, logprobs.detach(), torch.tensor([3.0]), torch.tensor([[True]]), **taus)
    >>> loss.item(), torch.autograd.grad(loss, logprobs)[0].item()
    (-6.0, -3.0)
    """
    weight = ratio(logprobs, old_logprobs, mask).exp()
    advantage = per_token(advantages, mask)
    tau = _choose(advantage > 0, tau_positive, tau_negative, advantage.dtype)
    return torch.where(mask, -torch.sigmoid(tau * (weight - 1)) * 4 / tau * advantage, 0.0)


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
    """VESPO: REINFORCE weighted by a Gamma kernel of the sequence's ratio, `-sg[phi(w)] A logprobs`.

        phi(w) = e^lambda w^k e^(-lambda w), phi(1) = 1, highest at w = k / lambda
        log w  = sum over tokens of l_t (+ log c_t), held in [log 1e-8, 20]

    Args: k_positive, lambda_positive for A >= 0 (2.0 and 3.0 in the paper), k_negative, lambda_negative for A < 0
        (3.0 and 2.0); mismatch, weights c [B, T] of `mismatch_weights` at the level "token": VESPO takes them into w,
        do not multiply the loss by them again; None = none. The others, Returns, Raises as `clipped_policy_loss`.
    Source: VESPO (arXiv 2602.10693); the bounds from TRL 1.16.

    >>> logprobs = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    >>> shape = {"k_positive": 2.0, "lambda_positive": 3.0, "k_negative": 3.0, "lambda_negative": 2.0}
    >>> vespo_loss(logprobs, logprobs.detach(), torch.tensor([1.0]), torch.tensor([[True, True]]), **shape).tolist()
    [[1.0, 2.0]]
    """
    logs = log_ratio(logprobs.detach(), old_logprobs, mask).clamp(-_VESPO_MAX_LOG, _VESPO_MAX_LOG)
    log_weight = logs.sum(dim=1, keepdim=True)  # [B, 1]
    if mismatch is not None:
        corrections = torch.where(mask, mismatch, 1.0).log().clamp(_VESPO_MIN_LOG, _VESPO_MAX_LOG)
        log_weight = log_weight + corrections.sum(dim=1, keepdim=True)
    log_weight = log_weight.clamp(_VESPO_MIN_LOG, _VESPO_MAX_LOG)
    advantage = per_token(advantages, mask)
    k = _choose(advantage >= 0, k_positive, k_negative, advantage.dtype)
    rate = _choose(advantage >= 0, lambda_positive, lambda_negative, advantage.dtype).clamp(min=_VESPO_MIN_LAMBDA)
    phi = (rate + k * log_weight - rate * log_weight.exp()).exp()
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


def _choose(condition: Tensor, yes: float, no: float, dtype: torch.dtype) -> Tensor:
    """One of two numbers in this dtype: `torch.where` of two floats rounds them to fp32, whatever it meets later."""
    return torch.full(condition.shape, no, dtype=dtype, device=condition.device).masked_fill(condition, yes)
