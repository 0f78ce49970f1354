"""Put sandbox, rewards and algorithm together as a recipe says: the one place that knows all three."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch

from grpo.checkpoint import load_trainer_state
from grpo.engines import Engine
from grpo.engines.hf import HFEngine
from grpo.engines.paged import PagedEngine
from grpo.engines.process import EngineProcess
from grpo.engines.vllm import VLLMEngine, require_vllm
from grpo.engines.weight_sync import WeightSync
from grpo.evaluate import Evaluation, evaluate
from grpo.loss import LOSSES
from grpo.model.policy import Policy, choose_device, load_policy
from grpo.objective import Mismatch, Objective, bind
from grpo.rollout.prefetch import Pipeline
from grpo.rollout.prompts import DataError, PromptStream, encode_prompts, load_examples
from grpo.rollout.records import Example
from grpo.run.directory import RunDirectory
from grpo.schema import ConfigError, to_toml
from grpo.trainer import Trainer
from grpo.update import Scorer, Updater, learning_rate
from grpo_rust.recipe import Recipe
from rewards import SYSTEM_PROMPT, Rubric, RustGrader
from rewards.gold import gold_problem
from rewards.user_functions import load_function
from sandbox import SandboxPool

NUM_PROBES = 4  # prompts that an engine completes after new weights
SYNC_GAPS = {"float32": 1e-4, "bfloat16": 0.02}  # nats; 50 times of what was measured
CACHE_BLOCK = 128  # tokens; vLLM's on a CPU, a multiple of its blocks on a GPU

__all__ = [
    "PromptSet",
    "engine_kind",
    "evaluate_policy",
    "load_prompt_set",
    "load_recipe_policy",
    "load_trained_policy",
    "make_engine",
    "make_objective",
    "make_sync",
    "make_trainer",
    "make_updater",
    "resume",
]


class PromptSet(NamedTuple):
    """Examples, their token ids by example id, and how many more were too long."""

    examples: list[Example]
    ids: Mapping[str, tuple[int, ...]]
    left_out: int = 0

    def __str__(self) -> str:
        """The numbers in words."""
        return f"{len(self.examples)}" + (f" ({self.left_out} too long, left out)" if self.left_out else "")


def load_recipe_policy(recipe: Recipe, path: str | Path) -> Policy:
    """The policy at a path, on the recipe's device; sets torch's threads first.

    Raises: VLLMMissing when the recipe wants an engine that is not there.
    """
    if recipe.sampling.engine == "vllm":
        require_vllm()
    torch.set_num_threads(recipe.train.threads or max(1, len(os.sched_getaffinity(0)) - 1))
    device = choose_device(recipe.train.device)
    return load_policy(str(path), device=device, compute_dtype=recipe.model.dtype)


def load_trained_policy(recipe: Recipe, checkpoint: Path | None) -> Policy:
    """The policy to train: the recipe's model, or a checkpoint's; with LoRA the model and the checkpoint's adapters."""
    if not recipe.lora.rank:
        return load_recipe_policy(recipe, checkpoint or recipe.model.path)
    try:
        from grpo.model.lora import add_adapters, load_adapters  # peft takes seconds to load
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"lora.rank = {recipe.lora.rank} needs peft ({error}): pip install 'grpo-rust[lora]'"
        ) from error
    lora, base = recipe.lora, load_recipe_policy(recipe, recipe.model.path)
    policy = add_adapters(base, rank=lora.rank, alpha=lora.alpha, targets=lora.targets, seed=recipe.run.seed)
    if checkpoint:
        load_adapters(policy, checkpoint)
    return policy


def load_prompt_set(
    recipe: Recipe, policy: Policy, source: str, *, split: str, gold: bool, limit: int | None = None
) -> PromptSet:
    """Read and encode the first `limit` prompts of a source; gold, whether their gold tests are going to be run.

    Raises: DataError for prompts that cannot be used, or gold tests that could not be run.
    """
    system_prompt = SYSTEM_PROMPT if recipe.data.system_prompt == "rust" else ""
    examples = load_examples(source, split=split, system_prompt=system_prompt)[:limit]
    for example in examples if gold else ():
        if problem := gold_problem(example.columns):
            raise DataError(f"{source}: task {example.id!r}: {problem}")
    fitting, ids = encode_prompts(
        examples, policy.encode, max_tokens=recipe.data.max_prompt_tokens, long_prompts=recipe.data.long_prompts
    )
    return PromptSet(fitting, ids, len(examples) - len(fitting))


def make_trainer(
    recipe: Recipe,
    rubric: Rubric,
    pool: SandboxPool,
    policy: Policy,
    engine: Engine,
    updater: Updater,
    prompts: PromptSet,
    held_out: PromptSet,
    run: RunDirectory,
) -> Trainer:
    """A trainer for the recipe.

    Args: policy, engine, updater, made for each other; held_out, the evaluation's prompts; none: no evaluation.
    """
    num_steps = recipe.train.num_steps(len(prompts.examples))

    def evaluation(step: int) -> Evaluation:
        version = updater.updates
        return evaluate_policy(recipe, rubric, pool, policy, engine, held_out, name=f"e{step}", policy_version=version)

    pipeline = Pipeline(
        policy=policy,
        engine=engine,
        grader=RustGrader(
            rubric, pool, gold=False, mutation=recipe.guard.mutation, deadline_s=recipe.rewards.deadline_s
        ),
        prompts=PromptStream(prompts.examples, seed=recipe.run.seed, again=recipe.rollout.zero_std_resample_prob),
        prompt_ids=prompts.ids,
        sync=make_sync(recipe, policy, engine, prompts),
        version=lambda: updater.updates,
        seed=recipe.run.seed,
        num_steps=num_steps,
        prompts_per_step=recipe.train.prompts_per_step,
        group_size=recipe.sampling.group_size,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.sampling.temperature,
        ahead=recipe.rollout.overlap,
        max_staleness=recipe.rollout.max_staleness,
        refill_rounds=recipe.rollout.refill_rounds,
        sleeps=recipe.sampling.sleep,
    )
    return Trainer(
        policy=policy,
        pipeline=pipeline,
        updater=updater,
        evaluate=evaluation if held_out.examples else None,
        run=run,
        num_steps=num_steps,
        advantages=recipe.loss.advantages,
        eval_every=recipe.eval.every,
        checkpoint_every=recipe.checkpoint.every,
        checkpoints_kept=recipe.checkpoint.keep,
        config_toml=to_toml(recipe),
        update_threads=0 if recipe.rollout.overlap else recipe.train.threads or len(os.sched_getaffinity(0)),
    )


def evaluate_policy(
    recipe: Recipe,
    rubric: Rubric,
    pool: SandboxPool,
    policy: Policy,
    engine: Engine,
    held_out: PromptSet,
    *,
    name: str,
    policy_version: int = 0,
) -> Evaluation:
    """Ask the policy the held-out prompts as the recipe's `eval` says; name, the prefix of the completions' ids."""
    return evaluate(
        engine,
        RustGrader(rubric, pool, gold=True, mutation=recipe.guard.mutation, deadline_s=recipe.rewards.deadline_s),
        policy,
        held_out.examples,
        held_out.ids,
        name=name,
        num_samples=recipe.eval.samples,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.eval.temperature,
        seed=recipe.eval.seed,
        max_rows=recipe.train.prompts_per_step * recipe.sampling.group_size,
        policy_version=policy_version,
    )


def engine_kind(recipe: Recipe, device: torch.device) -> str:
    """What samples on a device: "hf", which there means the plain loop, "paged" or "vllm"."""
    return "paged" if recipe.sampling.engine == "hf" and device.type == "cuda" else recipe.sampling.engine


def make_engine(recipe: Recipe, policy: Policy, log: Path) -> Engine:
    """What samples for the recipe, to be closed in the end; log, for what a process of its own has to say.

    Raises: EngineDied when it cannot be started.
    """
    kind = engine_kind(recipe, policy.device)
    if kind == "hf":
        return HFEngine(policy)
    tokens = recipe.data.max_prompt_tokens + recipe.sampling.max_completion_tokens
    rows = recipe.train.prompts_per_step * recipe.sampling.group_size
    common: dict[str, Any] = {
        "stop_ids": sorted(policy.stop_ids),
        "dtype": recipe.model.dtype,
        "max_tokens": tokens,
        "max_rows": rows,
    }
    make: Callable[[], Engine] = partial(PagedEngine, recipe.model.path, device=policy.device.type, **common)
    if kind == "vllm":
        cache = int(recipe.sampling.kv_cache_gb * 1e9) or kv_cache_bytes(policy, rows=rows, tokens=tokens)
        sleep = recipe.sampling.sleep
        make = partial(VLLMEngine, recipe.model.path, kv_cache_bytes=cache, can_sleep=sleep, **common)
    if not recipe.sampling.own_process:
        return make()
    return EngineProcess(make, dtype=policy.compute_dtype, log=log, threads=torch.get_num_threads())


def kv_cache_bytes(policy: Policy, *, rows: int, tokens: int) -> int:
    """The cache that so many sequences of so many tokens need, in whole blocks."""
    config = policy.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * width * policy.compute_dtype.itemsize
    blocks = rows * math.ceil(tokens / CACHE_BLOCK) + 1
    return int(blocks * CACHE_BLOCK * per_token)


def make_sync(recipe: Recipe, policy: Policy, engine: Engine, prompts: PromptSet) -> WeightSync | None:
    """What brings the policy's weights to the engine; None where they are the same."""
    if engine_kind(recipe, policy.device) == "hf":
        return None
    max_gap = recipe.sampling.max_sync_gap or SYNC_GAPS[recipe.model.dtype]
    return WeightSync(policy, engine, list(islice(prompts.ids.values(), NUM_PROBES)), max_gap)


def resume(trainer: Trainer, checkpoint: Path) -> int:
    """Put a new trainer, its policy loaded from the checkpoint, where that checkpoint was taken; the next step."""
    progress = load_trainer_state(checkpoint, trainer.updater)
    trainer.pipeline.resume(progress)
    trainer.seconds_before = progress["seconds"]
    trainer.run.truncate_after(progress["step"])
    return int(progress["step"]) + 1


def make_objective(recipe: Recipe) -> Objective:
    """What the recipe's `loss` says is to be minimised.

    Raises: ConfigError for a loss of the user's own that cannot be loaded or wants what no setting gives.
    """
    loss = recipe.loss
    try:
        function, published = LOSSES[loss.name] if loss.name in LOSSES else (load_function(loss.name), "token")
        numbers = {name: value for name, value in vars(loss).items() if isinstance(value, float)}
        policy_loss = bind(function, {**numbers, "delta": loss.delta or math.inf})
    except ValueError as error:
        raise ConfigError(f"loss.name: {error}") from error
    mismatch = loss.mismatch
    if mismatch == "auto":
        own_weights = engine_kind(recipe, choose_device(recipe.train.device)) != "hf"
        mismatch = "token" if own_weights or recipe.rollout.overlap else "none"
    bounds = (loss.mismatch_bound, loss.mismatch_low, loss.mismatch_high)
    return Objective(
        aggregation=published if loss.aggregation == "published" else loss.aggregation,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.sampling.temperature,
        policy_loss=policy_loss,
        kl_beta=loss.kl_beta,
        kl_estimate=loss.kl_estimate,
        kl_in_reward=loss.kl_in == "reward" and loss.kl_beta > 0,
        kl_ratio_weighted=loss.kl_ratio_weighted,
        mismatch=None if mismatch == "none" else Mismatch(mismatch, *bounds),
        off_policy_max_kl=loss.off_policy_max_kl or math.inf,
        top_entropy_fraction=loss.top_entropy_fraction,
        entropy_coefficient=loss.entropy_coefficient,
        mask_truncated=loss.mask_truncated,
    )


def make_updater(recipe: Recipe, policy: Policy, prompts: PromptSet) -> Updater:
    """The optimizer side of the recipe; `policy` may come from a checkpoint, the reference is always where it began.

    Raises: ConfigError for a loss that cannot be used, ModelError for a reference that cannot be loaded.
    """
    train = recipe.train
    num_steps = train.num_steps(len(prompts.examples))
    objective = make_objective(recipe)
    if train.gradient_checkpointing:
        policy.gradient_checkpointing()
    reference = _reference(recipe, policy) if objective.needs_reference else None
    return Updater(
        policy,
        reference,
        objective,
        schedule=_schedule(recipe, num_updates=num_steps * train.num_iterations * train.num_minibatches),
        betas=(train.adam_beta1, train.adam_beta2),
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        num_iterations=train.num_iterations,
        num_minibatches=train.num_minibatches,
        micro_batch_tokens=train.micro_batch_tokens,
        skip_zero_std=train.skip_zero_std,
    )


def _reference(recipe: Recipe, policy: Policy) -> Scorer:
    """The policy that training starts from: under the adapters, or loaded once more."""
    if recipe.lora.rank:
        from grpo.model.lora import Base, LoraPolicy

        assert isinstance(policy, LoraPolicy)
        return Base(policy)
    return load_recipe_policy(recipe, recipe.model.path).frozen()


def _schedule(recipe: Recipe, *, num_updates: int) -> Callable[[int], float]:
    """The learning rate of every update."""
    train = recipe.train

    def rate(update: int) -> float:
        return learning_rate(
            update,
            num_updates=num_updates,
            peak=train.lr,
            warmup=round(train.warmup_fraction * num_updates),
            schedule=train.schedule,
            floor=train.lr * train.min_lr_fraction,
        )

    return rate
