"""What is minimised: a policy loss with its masks, correction, KL and entropy bonus, for one micro-batch.

    per_token = policy_loss * off_policy_mask * (entropy >= entropy_floor) * mismatch_weights + kl_beta * KL
    loss      = (per_token * weights).sum() - entropy_coefficient * mean entropy

Each factor is a pure function of `grpo.loss`. This module holds their order, which is TRL's, and which of them a run
uses. Left out: forward passes and the optimizer (`grpo.update`), and the settings (`grpo.config`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from grpo.loss.corrections import mismatch_weights, off_policy_mask
from grpo.loss.entropy import entropy_bonus
from grpo.loss.kl import KL_ESTIMATES, ratio_weighted_kl
from grpo.loss.policy import SEQUENCE_GRADIENT, PolicyLoss
from grpo.loss.ratio import broadcast_advantages, log_ratio
from grpo.model.batching import MicroBatch

__all__ = ["Mismatch", "Objective", "bind", "token_gradient"]

TENSORS = ["logprobs", "old_logprobs", "advantages", "mask"]  # what every policy loss takes, in this order
Parts = dict[str, Tensor]  # sums over the tokens of a micro-batch, detached


@dataclass(frozen=True)
class Mismatch:
    """How tokens are reweighted for the gap between trainer and engine: see `grpo.loss.mismatch_weights`."""

    level: str
    bound: str
    low: float
    high: float


@dataclass(frozen=True)
class Objective:
    """The loss of a run. Every default switches something off."""

    policy_loss: PolicyLoss  # its hyper-parameters are bound: see `bind`
    aggregation: str
    max_tokens: int  # the longest completion sampling allows
    temperature: float  # the sampling temperature
    kl_beta: float = 0.0
    kl_estimate: str = "k3"
    kl_in_reward: bool = False  # the KL is part of the reward and not of the loss
    kl_ratio_weighted: bool = False  # multiplied by the ratio, which makes its gradient that of the reverse KL
    mismatch: Mismatch | None = None
    off_policy_max_kl: float = math.inf
    top_entropy_fraction: float = 1.0
    entropy_coefficient: float = 0.0
    mask_truncated: bool = False

    @property
    def needs_reference(self) -> bool:
        """Whether a KL to the starting policy is measured at all."""
        return self.kl_beta > 0

    @property
    def kl_in_loss(self) -> bool:
        """Whether the KL is a term of the loss."""
        return self.kl_beta > 0 and not self.kl_in_reward

    @property
    def has_gradient_without_advantage(self) -> bool:
        """Whether a completion with advantage 0 has a gradient."""
        return self.kl_in_loss or self.entropy_coefficient > 0

    @property
    def mixes_tokens(self) -> bool:
        """Whether a token's gradient depends on the advantages of the other tokens of its completion."""
        return getattr(self.policy_loss, "func", self.policy_loss) in SEQUENCE_GRADIENT

    def loss(
        self,
        batch: MicroBatch,
        logprobs: Tensor,
        entropy: Tensor,
        old_logprobs: Tensor,
        ref_logprobs: Tensor | None,
        weights: Tensor,
        *,
        token_weight: float,
        entropy_floor: float = -math.inf,
    ) -> tuple[Tensor, Parts]:
        """A micro-batch's share of the loss of its optimizer batch, and its share of the metrics.

        Args:
            logprobs, entropy: [B, T] of the current policy, with gradient (entropy: where there is a bonus).
            old_logprobs, ref_logprobs: [B, T] detached; the second is None where there is no KL in the loss.
            weights: [B], from `aggregation_weights` over the whole optimizer batch.
            token_weight: 1 / trained tokens of the optimizer batch, for the entropy bonus.
            entropy_floor: tokens below it, in nats, are left out of the policy loss.
        Returns: the loss, a scalar with gradient; sums over the micro-batch's tokens, detached.
        """
        mask, token_weights = batch.mask, weights[:, None] * batch.mask  # [B, T]
        correction = self._correction(batch, old_logprobs)
        per_token = self._policy_loss(batch, logprobs, old_logprobs, correction)
        parts = self._clipping(batch, logprobs, per_token, correction)
        parts |= self._gaps(batch, logprobs, old_logprobs, correction)
        parts["masked"] = torch.zeros_like(parts["clipped_low"])
        if self.off_policy_max_kl < math.inf or entropy_floor > -math.inf:
            kept = self._kept(batch, logprobs, entropy, entropy_floor)
            per_token = torch.where(kept, per_token, 0.0)
            parts["masked"] = (mask & ~kept).sum()
        policy_loss = (per_token * token_weights).sum()
        loss = policy_loss
        if self.kl_in_loss:
            assert ref_logprobs is not None
            kl = self.kl(logprobs, ref_logprobs, mask)
            parts["kl"] = kl.detach().sum()
            if self.kl_ratio_weighted:
                kl = ratio_weighted_kl(kl, logprobs, old_logprobs, mask)
            loss = loss + self.kl_beta * (kl * token_weights).sum()
        if self.entropy_coefficient:
            loss = loss + entropy_bonus(entropy, mask, coefficient=self.entropy_coefficient).sum() * token_weight
        parts["entropy"] = torch.where(mask, entropy.detach(), 0.0).sum()
        return loss, parts | {"policy": policy_loss.detach(), "total": loss.detach()}

    def kl(self, logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
        """The chosen estimate of KL(policy || reference), [B, T] in nats."""
        return KL_ESTIMATES[self.kl_estimate](logprobs, ref_logprobs, mask)

    def _correction(self, batch: MicroBatch, old_logprobs: Tensor) -> Tensor | None:
        """The correction weight of each token for the engine that sampled it, or None."""
        if self.mismatch is None:
            return None
        return mismatch_weights(old_logprobs, batch.sampler_logprobs, batch.mask, **vars(self.mismatch))

    def _policy_loss(
        self, batch: MicroBatch, logprobs: Tensor, old_logprobs: Tensor, correction: Tensor | None
    ) -> Tensor:
        """The policy loss of each token; the correction is applied inside where the loss takes it, else outside."""
        arguments = (logprobs, old_logprobs, batch.advantages, batch.mask)
        if correction is not None and "mismatch" in inspect.signature(self.policy_loss).parameters:
            return self.policy_loss(*arguments, mismatch=correction)
        per_token = self.policy_loss(*arguments)
        if per_token.shape != batch.mask.shape:
            raise ValueError(
                f"the policy loss is {list(per_token.shape)}; it must be {list(batch.mask.shape)}, one number for each "
                "token of each completion, not summed or averaged"
            )
        return per_token if correction is None else per_token * correction

    def _kept(self, batch: MicroBatch, logprobs: Tensor, entropy: Tensor, entropy_floor: float) -> Tensor:
        """Tokens that the policy loss trains: near enough to the policy, and of enough entropy."""
        sampler_logprobs, advantages, max_kl = batch.sampler_logprobs, batch.advantages, self.off_policy_max_kl
        near = off_policy_mask(logprobs, sampler_logprobs, advantages, batch.mask, max_kl=max_kl)
        return near & (entropy.detach() >= entropy_floor)

    @staticmethod
    def _clipping(batch: MicroBatch, logprobs: Tensor, per_token: Tensor, correction: Tensor | None) -> Parts:
        """Trained tokens without gradient although they have an advantage: the loss is clipped there.

        One that the correction dropped has no gradient either, whatever the loss: it counts as dropped alone.
        """
        gradient = token_gradient(per_token, logprobs)
        still = batch.mask & (gradient == 0)
        if correction is not None:
            still &= correction != 0
        advantage = broadcast_advantages(batch.advantages, batch.mask)
        return {"clipped_low": (still & (advantage < 0)).sum(), "clipped_high": (still & (advantage > 0)).sum()}

    def _gaps(self, batch: MicroBatch, logprobs: Tensor, old_logprobs: Tensor, correction: Tensor | None) -> Parts:
        """The ratio of the policy to the old one, the gap of the old one to the engine, and the correction weights."""
        mask = batch.mask
        moved = torch.where(mask, log_ratio(logprobs.detach(), old_logprobs, mask).exp(), 0.0)
        gap = log_ratio(old_logprobs, batch.sampler_logprobs, mask).abs()
        parts = {"ratio_max": moved.max(), "ratio": moved.sum(), "sampler_gap": gap.nansum()}
        if correction is not None and self.mismatch is not None:
            at_bound = (correction <= self.mismatch.low) | (correction >= self.mismatch.high)
            parts["bounded"] = (mask & at_bound).sum()
            parts["correction"] = torch.where(mask, correction, 0.0).sum()
            parts["dropped"] = (mask & (correction == 0)).sum()
        return parts


def token_gradient(per_token: Tensor, logprobs: Tensor) -> Tensor:
    """The derivative of a loss with respect to each log-probability; 0 where they are not connected.

    Args, Returns: [B, T]; the graph of `per_token` stays usable.

    >>> logprobs = torch.tensor([[1.0, 2.0]], requires_grad=True)
    >>> token_gradient(logprobs.square(), logprobs).tolist()
    [[2.0, 4.0]]
    """
    if not per_token.requires_grad:
        return torch.zeros_like(logprobs)
    (gradient,) = torch.autograd.grad(per_token.sum(), logprobs, retain_graph=True, allow_unused=True)
    return torch.zeros_like(logprobs) if gradient is None else gradient


def bind(loss: Callable[..., Tensor], values: Mapping[str, float]) -> PolicyLoss:
    """A policy loss with those of the named hyper-parameters that its signature has.

    Args:
        loss: A policy loss, see `grpo.loss`.
        values: Hyper-parameters by name.
    Raises:
        ValueError: For a function that does not take the four tensors of a loss, or that has a keyword without
            default that `values` lacks.

    >>> from grpo.loss import clipped_policy_loss
    >>> bind(clipped_policy_loss, {"clip_low": 0.2, "clip_high": 0.3, "max_ratio": 5.0}).keywords
    {'clip_low': 0.2, 'clip_high': 0.3}
    """
    name = getattr(loss, "__name__", "the loss")
    parameters = inspect.signature(loss).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    tensors = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(tensors) != len(TENSORS):
        raise ValueError(
            f"{name} takes {len(tensors)} tensors ({', '.join(tensors)}); a loss takes {len(TENSORS)} "
            f"({', '.join(TENSORS)}), and its hyper-parameters as keywords after a *"
        )
    missing = [p.name for p in keywords if p.default is p.empty and p.name not in values]
    if missing:
        raise ValueError(
            f"{name} wants {', '.join(missing)}, and there are {', '.join(values)}: give its other keywords defaults"
        )
    return partial(loss, **{p.name: values[p.name] for p in keywords if p.name in values})
