"""The policy that a recipe trains, and the reference that its KL is measured to."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from grpo.device import choose_device
from grpo.engines.vllm import require_vllm
from grpo.model.minibatch import LogprobModel
from grpo.model.policy import Policy, load_policy
from grpo.optimizer.adamw import require_optimizer
from grpo.schema import ConfigError
from grpo_rust.recipe import Recipe

__all__ = ["load_reference", "load_starting_policy", "load_trained_policy", "num_cores"]


def num_cores() -> int:
    """The cores that this process may use; of several ranks on this machine each has as many as the others."""
    return max(1, len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def load_starting_policy(recipe: Recipe, path: str | Path | None = None, *, on_cpu: bool = False) -> Policy:
    """The recipe's model, or the one at a path, on the recipe's device; sets torch's threads first.

    Args:
        recipe: The settings.
        path: Of another model than the recipe's.
        on_cpu: As of `load_policy`.

    Raises:
        VLLMMissing: When the recipe wants vLLM and it is not installed.
        ModelError: When there is no usable model, or none that can be asked as `data.infill` says.
    """
    if recipe.sampling.engine == "vllm":
        require_vllm()
    torch.set_num_threads(recipe.train.threads or max(1, num_cores() - 1))
    device = choose_device(recipe.train.device)
    in_tokens = recipe.data.infill == "tokens"
    name, dtype = str(path or recipe.model.path), recipe.model.dtype
    policy = load_policy(name, device=device, compute_dtype=dtype, needs_chat=not in_tokens, on_cpu=on_cpu)
    if in_tokens:
        policy.enable_infill()
    return policy


def load_trained_policy(recipe: Recipe, checkpoint: Path | None = None, *, on_cpu: bool = False) -> Policy:
    """The policy to train: the recipe's model or a checkpoint's; with LoRA the model with the checkpoint's adapters.

    Args:
        recipe: The settings.
        checkpoint: To go on from.
        on_cpu: As of `load_policy`.

    Raises:
        ConfigError: When the package of the recipe's optimizer is missing, before anything is loaded.
    """
    require_optimizer(recipe.train.optimizer)
    if recipe.lora.rank:
        policy = _with_adapters(recipe, checkpoint, on_cpu)
    else:
        policy = load_starting_policy(recipe, checkpoint, on_cpu=on_cpu)
    if recipe.train.gradient_checkpointing:
        policy.enable_gradient_checkpointing()
    if recipe.train.compile_layers:
        policy.compile_layers()
    return policy


def load_reference(recipe: Recipe, policy: Policy, *, on_cpu: bool = False) -> LogprobModel:
    """The policy that training starts from: under the adapters, or loaded once more, `on_cpu` as of `load_policy`."""
    if recipe.lora.rank:
        from grpo.model.lora import Base, LoraPolicy

        assert isinstance(policy, LoraPolicy)
        return Base(policy)
    return load_starting_policy(recipe, on_cpu=on_cpu).frozen()


def _with_adapters(recipe: Recipe, checkpoint: Path | None, on_cpu: bool) -> Policy:
    try:
        from grpo.model.lora import add_adapters, load_adapters  # peft takes seconds to load
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"lora.rank = {recipe.lora.rank} needs peft ({error}): pip install 'grpo-rust[lora]'"
        ) from error
    lora, base = recipe.lora, load_starting_policy(recipe, on_cpu=on_cpu)
    policy = add_adapters(base, rank=lora.rank, alpha=lora.alpha, targets=lora.targets, seed=recipe.run.seed)
    if checkpoint:
        load_adapters(policy, checkpoint)
    return policy
