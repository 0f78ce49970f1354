"""TRL's forms of what this project computes in another way or not at all; needed to reproduce TRL, not to train.

trl_weights                   here: `aggregation_weights`, once for the whole optimizer batch
top_entropy_mask              here: `entropy_floor` of the whole optimizer batch
without_truncated             here: the trainer gives truncated completions the length 0
summed_rewards                here: the rollout adds up the rewards of each completion
mean_entropy                  here: the trainer sums over micro-batches and divides once
adapted_entropy_coefficient   here: none, the coefficient is constant
"""

from __future__ import annotations

import torch
from torch import Tensor

from grpo.loss.aggregation import aggregation_weights
from grpo.loss.entropy import entropy_floor

__all__ = [
    "adapted_entropy_coefficient",
    "mean_entropy",
    "summed_rewards",
    "top_entropy_mask",
    "trl_weights",
    "without_truncated",
]

AGGREGATIONS = {
    "grpo": "sequence",
    "sapo": "sequence",
    "bnpo": "token",
    "dr_grpo": "constant",
    "luspo": "sum",
    "dapo": "generation",
    "cispo": "generation",
    "vespo": "generation",
}


def trl_weights(
    lengths: Tensor,
    *,
    loss_type: str,
    max_tokens: int,
    generation_tokens: int,
    accumulation_steps: int,
    steps_per_generation: int,
) -> Tensor:
    """The weights of one micro-batch exactly as TRL 1.16 divides.

        grpo, sapo          1 / (rows * length_i * accumulation)
        bnpo                1 / (tokens of the micro-batch * accumulation)
        dr_grpo             1 / (rows * max_tokens * accumulation)
        luspo               1 / (rows * accumulation)
        dapo, cispo, vespo  steps_per_generation / (generation_tokens * accumulation)

    The last equals "token" only where an optimizer step consumes exactly one generation batch; otherwise it is right
    on average and wrong for each step.

    Args:
        lengths: [rows] int, trained tokens of the completions of this micro-batch.
        loss_type: TRL's name of the loss.
        max_tokens: TRL's `max_completion_length`.
        generation_tokens: Trained tokens of the whole generation batch (`num_items_in_batch`).
        accumulation_steps: Micro-batches per optimizer step.
        steps_per_generation: Micro-batches per generation batch.
    Returns: [rows] fp32; the sum of `per_token * weights` over all micro-batches of a step is TRL's loss.
    Source: TRL 1.16, the end of `GRPOTrainer._compute_loss`.
    """
    aggregation = AGGREGATIONS[loss_type]
    if aggregation == "generation":
        per_window = max(generation_tokens, 1) * accumulation_steps / steps_per_generation
        return (lengths > 0).float() / per_window
    return aggregation_weights(lengths, aggregation=aggregation, max_tokens=max_tokens) / accumulation_steps


def summed_rewards(rewards: Tensor, weights: Tensor) -> Tensor:
    """`sum of weight_k r_k` over the rewards that apply, [P, G] from [P, G, K]; NaN where none does.

    Source: TRL 1.16, `multi_objective_aggregation="sum_then_normalize"`.
    """
    return (rewards * weights).nansum(dim=2).masked_fill(rewards.isnan().all(dim=2), torch.nan)


def without_truncated(mask: Tensor, truncated: Tensor) -> Tensor:
    """The mask [B, T] without the completions that ran out of tokens; they still count as completions of the batch.

    Source: TRL 1.16, `mask_truncated_completions`.
    """
    return mask & ~truncated[:, None]


def top_entropy_mask(entropy: Tensor, mask: Tensor, *, fraction: float) -> Tensor:
    """The trained tokens among these whose entropy is in the highest `fraction`, [B, T] bool.

    Source: TRL 1.16, `top_entropy_quantile`, of each micro-batch.
    """
    return mask & (entropy.detach() >= entropy_floor(entropy.detach()[mask], fraction=fraction))


def mean_entropy(entropy: Tensor, mask: Tensor) -> Tensor:
    """`sum(H_t) / sum(mask)` over the trained tokens, detached. Source: TRL 1.16, the metric `entropy`."""
    return torch.where(mask, entropy.detach(), 0.0).sum() / mask.sum().clamp(min=1)


def adapted_entropy_coefficient(
    coefficient: float, entropy: float, *, target: float, step: float, low: float, high: float
) -> float:
    """The next coefficient of the bonus: one step up while the mean entropy is at or below its target, else one down.

    Source: Skywork-OR1 (arXiv 2505.22312); TRL 1.16, `use_adaptive_entropy`.
    """
    if entropy <= target:
        return min(coefficient + step, high)
    return max(coefficient - step, low)
