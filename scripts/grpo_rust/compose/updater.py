"""What a recipe minimises, and the optimizer that does it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from grpo.device import choose_device
from grpo.loss.policy import LOSSES
from grpo.model.minibatch import LogprobModel
from grpo.model.policy import Policy
from grpo.objective import Mismatch, Objective, bind
from grpo.optimizer.rate import learning_rate
from grpo.schema import ConfigError
from grpo.update import Updater
from grpo_rust.compose.policy import load_reference, num_cores
from grpo_rust.engine_choice import choose_engine
from grpo_rust.recipe import Recipe
from rewards.user_functions import load_function

__all__ = ["build_objective", "build_updater"]


def build_updater(
    recipe: Recipe,
    policy: Policy,
    *,
    num_steps: int,
    objective: Objective | None = None,
    make: Callable[..., Updater] = Updater,
    load: Callable[[Recipe, Policy], LogprobModel] = load_reference,
) -> Updater:
    """The optimizer side of the recipe.

    Args:
        recipe: The settings.
        policy: What is trained; it may come from a checkpoint, the reference is always the recipe's model.
        num_steps: Of the whole run, for the learning rate's schedule.
        objective: What is minimised; None: what the recipe's `loss` section says.
        make, load: Of the updater and of its reference, where several ranks train.
    Raises:
        ConfigError: For a loss that cannot be used.
        ModelError: For a reference that cannot be loaded.
    """
    train = recipe.train
    objective = objective or build_objective(recipe)
    # On CUDA a new number of threads would have torch compile the head's kernels once more.
    keeps_threads = recipe.rollout.overlap or policy.device.type == "cuda"
    num_updates = num_steps * train.num_iterations * train.num_minibatches
    return make(
        policy,
        load(recipe, policy) if objective.needs_reference else None,
        objective,
        schedule=partial(
            learning_rate,
            num_updates=num_updates,
            peak=train.lr,
            warmup=round(train.warmup_fraction * num_updates),
            schedule=train.schedule,
            floor=train.lr * train.min_lr_fraction,
        ),
        betas=(train.adam_beta1, train.adam_beta2),
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        num_iterations=train.num_iterations,
        num_minibatches=train.num_minibatches,
        micro_batch_tokens=train.micro_batch_tokens,
        skip_zero_std=train.skip_zero_std,
        optimizer=train.optimizer,
        threads=0 if keeps_threads else train.threads or num_cores(),
    )


def build_objective(recipe: Recipe) -> Objective:
    """What the recipe's `loss` section minimises.

    Raises:
        ConfigError: For a loss of the user's own that cannot be loaded, or wants a value that no setting gives.
    """
    loss = recipe.loss
    try:
        function, published = LOSSES[loss.name] if loss.name in LOSSES else (load_function(loss.name), "token")
        numbers = {name: value for name, value in vars(loss).items() if isinstance(value, float)}
        policy_loss = bind(function, {**numbers, "delta": loss.delta or math.inf})
    except ValueError as error:
        raise ConfigError(f"loss.name: {error}") from error
    return Objective(
        aggregation=published if loss.aggregation == "published" else loss.aggregation,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.sampling.temperature,
        policy_loss=policy_loss,
        kl_beta=loss.kl_beta,
        kl_estimate=loss.kl_estimate,
        kl_in_reward=loss.kl_in == "reward" and loss.kl_beta > 0,
        kl_ratio_weighted=loss.kl_ratio_weighted,
        mismatch=_mismatch(recipe),
        off_policy_max_kl=loss.off_policy_max_kl or math.inf,
        top_entropy_fraction=loss.top_entropy_fraction,
        entropy_coefficient=loss.entropy_coefficient,
        mask_truncated=loss.mask_truncated,
    )


def _mismatch(recipe: Recipe) -> Mismatch | None:
    """The correction for the sampler. "auto": per token where the engine has weights of its own or samples ahead."""
    loss, level = recipe.loss, recipe.loss.mismatch
    if level == "auto":
        on_gpu = choose_device(recipe.train.device).type == "cuda"
        own_weights = choose_engine(recipe.sampling.engine, on_gpu=on_gpu) != "hf"
        level = "token" if own_weights or recipe.rollout.overlap else "none"
    if level == "none":
        return None
    return Mismatch(level, loss.mismatch_bound, loss.mismatch_low, loss.mismatch_high)
