"""From graded groups to new weights: advantages, micro-batches, loss, one optimizer step per iteration.

`old_logprobs` are the trainer's own, read in the first iteration before any weight has moved, so no extra forward
pass is needed: with one iteration they are the current log-probs, detached. A group without spread has no policy
gradient; skipping it saves its forward pass and changes the policy gradient by nothing, because the loss weights are
those of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grpo.advantages import ADVANTAGES
from grpo.batching import MicroBatch, Sample, micro_batches
from grpo.errors import HostFailed
from grpo.loss import aggregation_weights, clipped_policy_loss, kl_to_reference, log_ratio
from grpo.model import Policy
from grpo.records import Group
from grpo.rollout import reward_matrix

__all__ = ["NonFiniteLoss", "Objective", "PolicyLoss", "Updater", "learning_rate", "samples_from_groups"]

PolicyLoss = Callable[..., Tensor]  # (logprobs, old_logprobs, advantages, mask, *, clip_low, clip_high) -> [B, T]


class NonFiniteLoss(HostFailed, ArithmeticError):
    """The loss or its gradient is NaN or infinite: training stopped before the weights were touched."""


@dataclass(frozen=True)
class Objective:
    """What is minimised: the policy loss with its bounds, the weight of the KL, and how tokens are averaged."""

    clip_low: float
    clip_high: float
    kl_beta: float
    aggregation: str
    max_tokens: int  # the longest answer sampling allows
    temperature: float  # the sampling temperature
    policy_loss: PolicyLoss = clipped_policy_loss


def samples_from_groups(groups: Sequence[Group], *, advantages: str) -> list[Sample]:
    """Every answer that has a reward with its advantage, in order; one without is data of nothing and left out.

    Args: groups of one size; advantages, a key of `ADVANTAGES`.
    """
    values = ADVANTAGES[advantages](reward_matrix(groups)).tolist()
    return [
        Sample(group.prompt_ids, completion.token_ids, completion.sampler_logprobs, value)
        for group, row in zip(groups, values, strict=True)
        for completion, reward, value in zip(group.completions, group.rewards, row, strict=True)
        if reward is not None
    ]


def learning_rate(update: int, *, num_updates: int, peak: float, warmup: int, schedule: str, floor: float) -> float:
    """The rate of an update, counted from 0: linear warm-up to `peak`, then constant, linear or cosine to `floor`.

    >>> [learning_rate(u, num_updates=4, peak=1.0, warmup=2, schedule="linear", floor=0.0) for u in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    if update < warmup:
        return peak * (update + 1) / warmup
    progress = min(1.0, (update - warmup) / max(1, num_updates - warmup))
    if schedule == "constant":
        return peak
    if schedule == "linear":
        return floor + (peak - floor) * (1 - progress)
    if schedule == "cosine":
        return floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2
    raise ValueError(f"schedule is {schedule!r}; it must be constant, linear or cosine")


class Updater:
    """Owns the optimizer: AdamW on the policy's fp32 parameters, decay on matrices only."""

    def __init__(
        self,
        policy: Policy,
        reference: Policy | None,
        objective: Objective,
        *,
        schedule: Callable[[int], float],
        betas: tuple[float, float],
        weight_decay: float,
        max_grad_norm: float,
        num_iterations: int,
        micro_batch_tokens: int,
        skip_zero_spread: bool,
    ) -> None:
        """Args: reference, needed when `objective.kl_beta` > 0; schedule, update number -> learning rate."""
        if objective.kl_beta > 0 and reference is None:
            raise ValueError(f"kl_beta is {objective.kl_beta}, but there is no reference model to measure the KL to")
        self._policy, self._reference, self._objective = policy, reference, objective
        self._schedule = schedule
        self._max_grad_norm = max_grad_norm
        self._num_iterations = num_iterations
        self._micro_batch_tokens = micro_batch_tokens
        self._skip_zero_spread = skip_zero_spread
        self.updates = 0
        matrices = [p for p in policy.model.parameters() if p.requires_grad and p.ndim >= 2]
        vectors = [p for p in policy.model.parameters() if p.requires_grad and p.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}],
            lr=schedule(0),
            betas=betas,
        )

    def update(self, samples: Sequence[Sample]) -> dict[str, float]:
        """`num_iterations` optimizer steps on one batch.

        Returns: the metrics of the update; without anything to learn from, only its learning rate and count.
        Raises: NonFiniteLoss before the step that would have spoiled the weights.
        """
        lengths = torch.tensor([len(sample.completion_ids) for sample in samples])
        weights = aggregation_weights(
            lengths, aggregation=self._objective.aggregation, max_tokens=self._objective.max_tokens
        ).to(self._policy.device)
        kept = [row for row, sample in enumerate(samples) if self._teaches(sample)]
        batches = micro_batches([samples[row] for row in kept], max_tokens=self._micro_batch_tokens)
        weights = weights[kept]
        old_logprobs: list[Tensor] = []
        totals: list[dict[str, Tensor]] = []
        grad_norm = 0.0
        for _ in range(self._num_iterations if batches else 0):
            parts = []
            for index, batch in enumerate(batches):
                batch = batch.to(self._policy.device)
                logprobs, entropy = self._policy.completion_logprobs(batch, temperature=self._objective.temperature)
                if len(old_logprobs) <= index:
                    old_logprobs.append(logprobs.detach())
                loss, part = self._loss(batch, logprobs, old_logprobs[index], weights[batch.rows])
                loss.backward()
                parts.append({**part, "entropy": torch.where(batch.mask, entropy, 0).sum()})
            grad_norm = self._step(parts)
            totals.extend(parts)
        num_tokens = sum(len(samples[row].completion_ids) for row in kept)
        return {**self._metrics(totals, num_tokens, grad_norm), "optim/updates": self.updates}

    def state_dict(self) -> dict[str, Any]:
        """Adam's moments and the number of updates."""
        return {"optimizer": self.optimizer.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was taken."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]

    def _teaches(self, sample: Sample) -> bool:
        """Whether a sample's gradient can differ from zero."""
        return sample.advantage != 0.0 or self._objective.kl_beta > 0 or not self._skip_zero_spread

    def _loss(
        self, batch: MicroBatch, logprobs: Tensor, old_logprobs: Tensor, row_weights: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """This micro-batch's share of the loss, and its share of the metrics (sums, detached)."""
        objective, mask = self._objective, batch.mask
        weights = row_weights[:, None] * mask  # [B, T]
        per_token = objective.policy_loss(
            logprobs, old_logprobs, batch.advantages, mask, clip_low=objective.clip_low, clip_high=objective.clip_high
        )
        policy_loss = (per_token * weights).sum()
        loss = policy_loss
        ratio = log_ratio(logprobs.detach(), old_logprobs, mask).exp()
        gap = log_ratio(old_logprobs, batch.sampler_logprobs, mask).abs()
        advantage = batch.advantages[:, None]
        part = {
            "policy": policy_loss.detach(),
            "ratio_max": torch.where(mask, ratio, 0).max(),
            "clipped_low": (mask & (ratio < 1 - objective.clip_low) & (advantage < 0)).sum(),
            "clipped_high": (mask & (ratio > 1 + objective.clip_high) & (advantage > 0)).sum(),
            "sampler_gap": gap.sum(),
        }
        if objective.kl_beta > 0:
            assert self._reference is not None
            with torch.no_grad():
                ref_logprobs, _ = self._reference.completion_logprobs(batch, temperature=objective.temperature)
            kl = kl_to_reference(logprobs, ref_logprobs, mask)
            loss = policy_loss + objective.kl_beta * (kl * weights).sum()
            part["kl"] = kl.detach().sum()
        return loss, {**part, "total": loss.detach()}

    def _step(self, parts: Sequence[Mapping[str, Tensor]]) -> float:
        """Clip, check and apply the accumulated gradient; its norm before clipping."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self._max_grad_norm))
        loss = float(sum(part["total"] for part in parts))
        if not (math.isfinite(norm) and math.isfinite(loss)):
            self.optimizer.zero_grad()
            raise NonFiniteLoss(
                f"update {self.updates}: the loss is {loss} and the gradient norm {norm}; the weights were left as "
                "they were. Lower train.lr, or look for extreme ratios in metrics.jsonl (policy/ratio_max)"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self._schedule(self.updates)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.updates += 1
        return norm

    def _metrics(self, parts: Sequence[Mapping[str, Tensor]], num_tokens: int, grad_norm: float) -> dict[str, float]:
        """The batch's metrics out of the sums of its micro-batches and iterations."""
        rate = {"optim/lr": float(self.optimizer.param_groups[0]["lr"])}
        if not parts:
            return rate
        total = {name: sum(float(part[name]) for part in parts) for name in parts[0] if name != "ratio_max"}
        tokens = num_tokens * self._num_iterations
        metrics = {
            **rate,
            "loss/total": total["total"] / self._num_iterations,
            "loss/policy": total["policy"] / self._num_iterations,
            "policy/entropy": total["entropy"] / tokens,
            "policy/ratio_max": max(float(part["ratio_max"]) for part in parts),
            "policy/clipped_low": total["clipped_low"] / tokens,
            "policy/clipped_high": total["clipped_high"] / tokens,
            "policy/sampler_gap": total["sampler_gap"] / tokens,
            "optim/grad_norm": grad_norm,
        }
        if "kl" in total:
            metrics["kl/reference"] = total["kl"] / tokens
        return metrics
