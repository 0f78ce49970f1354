"""The same optimizer step with this project's functions: TRL's options in, loss and gradients out.

Also the place that says which of our functions an option of TRL is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from grpo import loss as L
from grpo.advantages import batch_advantages, centred_advantages, gdpo_advantages, group_advantages
from oracle import Batch, Outcome, Steps, gradients
from trl_forms import summed_rewards, top_entropy_mask, trl_weights, without_truncated

__all__ = ["advantages_of", "outcome_of_ours", "policy_loss_of"]

SCALES = {"group": group_advantages, "batch": batch_advantages, "none": centred_advantages}
RATIOS = {"token": L.log_ratio, "sequence": L.sequence_log_ratio}


def advantages_of(batch: Batch, options: dict[str, Any]) -> Tensor:
    """[N], by `scale_rewards` and `multi_objective_aggregation`."""
    rewards = batch.rewards.reshape(-1, batch.num_generations, len(batch.weights))
    if options.get("multi_objective_aggregation") == "normalize_then_sum":
        return gdpo_advantages(rewards, batch.weights).flatten()
    return SCALES[options.get("scale_rewards", "group")](summed_rewards(rewards, batch.weights)).flatten()


def policy_loss_of(options: dict[str, Any]) -> Callable[..., Tensor]:
    """The loss function with its hyper-parameters bound, by `loss_type` and `importance_sampling_level`."""
    kind, low = options["loss_type"], options.get("epsilon", 0.2)
    high = options.get("epsilon_high") or low
    ratio = RATIOS[options.get("importance_sampling_level", "token")]
    if kind == "cispo":
        return partial(L.cispo_loss, max_ratio=high, ratio=ratio)
    if kind == "sapo":
        positive, negative = options.get("sapo_temperature_pos", 1.0), options.get("sapo_temperature_neg", 1.05)
        return partial(L.sapo_loss, tau_positive=positive, tau_negative=negative, ratio=ratio)
    if kind == "vespo":
        kernel = {
            "k_positive": options.get("vespo_k_pos", 2.0),
            "lambda_positive": options.get("vespo_lambda_pos", 3.0),
            "k_negative": options.get("vespo_k_neg", 3.0),
            "lambda_negative": options.get("vespo_lambda_neg", 2.0),
        }
        return partial(L.vespo_loss, **kernel)
    delta = options.get("delta") or math.inf
    return partial(L.clipped_policy_loss, clip_low=low, clip_high=high, delta=delta, ratio=ratio)


def mismatch_of(batch: Batch, mask: Tensor, options: dict[str, Any]) -> Tensor | None:
    """[rows, T], by the options of `vllm_importance_sampling_*`."""
    if not options.get("use_vllm") or not options.get("vllm_importance_sampling_correction", True):
        return None
    level, bound = options.get("vllm_importance_sampling_mode", "sequence_mask").split("_")
    low, high = options.get("vllm_importance_sampling_clip_min"), options.get("vllm_importance_sampling_clip_max", 3.0)
    bounds = {"low": 0.0 if low is None else low, "high": math.inf if high is None else high}
    return L.mismatch_weights(batch.old_logprobs, batch.sampler_logprobs, mask, level=level, bound=bound, **bounds)


def per_token_loss(batch: Batch, advantages: Tensor, mask: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Loss of each token of a micro-batch without the bonus, and the mask that the bonus acts on."""
    new, old = batch.logprobs, batch.old_logprobs
    policy_loss, mismatch = policy_loss_of(options), mismatch_of(batch, mask, options)
    if options["loss_type"] == "vespo":
        policy_loss, mismatch = partial(policy_loss, mismatch=mismatch), None
    per_token = policy_loss(new, old, advantages, mask)
    if (max_kl := options.get("off_policy_mask_threshold")) is not None:
        sampler = batch.sampler_logprobs if options.get("use_vllm") else old
        per_token = per_token * L.off_policy_mask(new, sampler, advantages, mask, max_kl=max_kl)
    active = top_entropy_mask(batch.entropy, mask, fraction=options.get("top_entropy_quantile", 1.0))
    per_token = per_token * active
    if mismatch is not None:
        per_token = per_token * mismatch
    if beta := options.get("beta", 0.0):
        kl = L.kl_to_reference(new, batch.ref_logprobs, mask)
        if options.get("use_bias_correction_kl", True):
            ratio = RATIOS[options.get("importance_sampling_level", "token")]
            kl = L.ratio_weighted_kl(kl, new, old, mask, ratio=ratio)
        per_token = per_token + beta * kl
    return per_token, active


def outcome_of_ours(
    batches: list[Batch], steps: Steps, *, weights: str = "trl", aggregation: str = "token", **options: Any
) -> Outcome:
    """Loss and gradients of one optimizer step.

    Args:
        batches, steps, options: As for the oracle.
        weights: "trl" for `trl_weights` of each micro-batch; "batch" for `aggregation_weights` of the whole window.
        aggregation: The aggregation of "batch".
    """
    leaves = [
        replace(b, logprobs=b.logprobs.clone().requires_grad_(), entropy=b.entropy.clone().requires_grad_())
        for b in batches
    ]
    masks = [masked(batch, options) for batch in batches]
    advantages = [advantages_of(batch, options) for batch in batches]
    num_micro_batches = options["steps_per_generation"]
    num_rows = len(batches[0].lengths) // num_micro_batches
    pieces = [(index, slice(micro * num_rows, (micro + 1) * num_rows)) for index, micro in steps]
    lengths = torch.cat([masks[index][rows].sum(dim=1) for index, rows in pieces])
    whole = L.aggregation_weights(lengths, aggregation=aggregation, max_tokens=16)
    total, size = 0.0, 0.0
    for position, (index, rows) in enumerate(pieces):
        micro, mask = row_slice(leaves[index], rows), masks[index][rows]
        per_token, active = per_token_loss(micro, advantages[index][rows], mask, options)
        sizes = {
            "max_tokens": 16,
            "generation_tokens": int(masks[index].sum()),
            "accumulation_steps": len(steps),
            "steps_per_generation": num_micro_batches,
        }
        row_weights = whole[position * num_rows : (position + 1) * num_rows]
        if weights == "trl":
            row_weights = trl_weights(mask.sum(dim=1), loss_type=options["loss_type"], **sizes)
        terms = per_token * row_weights[:, None]
        if coefficient := options.get("entropy_coef", 0.0):
            bonus = L.entropy_bonus(micro.entropy, active, coefficient=coefficient)
            token_mean = trl_weights(active.sum(dim=1), loss_type="bnpo", **sizes)
            terms = terms + bonus * token_mean[:, None]
        loss = terms.sum()
        loss.backward()
        total += loss.item()
        size += terms.abs().sum().item()
    return Outcome(total, *gradients(leaves), torch.cat(advantages), size)


def masked(batch: Batch, options: dict[str, Any]) -> Tensor:
    """[N, T], by `mask_truncated_completions`."""
    if options.get("mask_truncated_completions"):
        return without_truncated(batch.mask, batch.truncated)
    return batch.mask


def row_slice(batch: Batch, rows: slice) -> Batch:
    """Some rows of a batch; gradients flow into the whole."""
    return replace(
        batch,
        logprobs=batch.logprobs[rows],
        old_logprobs=batch.old_logprobs[rows],
        ref_logprobs=batch.ref_logprobs[rows],
        sampler_logprobs=batch.sampler_logprobs[rows],
        entropy=batch.entropy[rows],
    )
