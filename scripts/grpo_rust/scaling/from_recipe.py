"""From a recipe to the flat values that `grpo_rust.scaling` computes with."""

from __future__ import annotations

from grpo_rust.recipe import Recipe
from grpo_rust.scaling.step_settings import StepSettings

__all__ = ["step_settings"]


def step_settings(recipe: Recipe) -> StepSettings:
    """The settings of a recipe that decide what a step costs."""
    train, sampling = recipe.train, recipe.sampling
    return StepSettings(
        prompts=train.prompts_per_step,
        group_size=sampling.group_size,
        max_prompt_tokens=recipe.data.max_prompt_tokens,
        max_completion_tokens=sampling.max_completion_tokens,
        dtype=recipe.model.dtype,
        lora_rank=recipe.lora.rank,
        num_iterations=train.num_iterations,
        num_minibatches=train.num_minibatches,
        micro_batch_tokens=train.micro_batch_tokens,
        gradient_checkpointing=train.gradient_checkpointing,
        overlap=recipe.rollout.overlap,
        kv_cache_gb=sampling.kv_cache_gb,
    )
