"""From a recipe to the flat values that `grpo_rust.scaling` computes with."""

from __future__ import annotations

from grpo.schema import ConfigError
from grpo_rust.recipe import Recipe
from grpo_rust.scaling.step_settings import StepSettings

__all__ = ["engine_gpus", "step_settings"]


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


def engine_gpus(recipe: Recipe, given: int = 0) -> tuple[int, int]:
    """How many GPUs only sample, and how many of them share an engine.

    Args:
        recipe: The recipe. A server that it names counts as one GPU, unless `given` says how many all have.
        given: As on the command line; 0: what the recipe says.

    Raises:
        ConfigError: Where the two differ, or servers would have no GPU.
    """
    sampling = recipe.sampling
    if sampling.data_parallel:
        own = sampling.data_parallel * sampling.tensor_parallel
        if given not in (0, own):
            raise ConfigError(
                f"--engine-gpus {given}, and sampling.data_parallel times sampling.tensor_parallel is {own}: give one"
            )
        return own, sampling.tensor_parallel
    servers = len(sampling.addresses())
    if 0 < given < servers:
        raise ConfigError(f"--engine-gpus {given}, and sampling.servers has {servers} servers: give at least {servers}")
    return given or servers, 1
