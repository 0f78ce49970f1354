"""Graders, evaluation and the trainer of a recipe."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from grpo.checkpoint import load_trainer_state
from grpo.engines import Engine, SamplingParams
from grpo.evaluate import Evaluation, evaluate
from grpo.model.policy import Policy
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Grader
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo.run.directory import RunDirectory
from grpo.schema import to_toml
from grpo.trainer import Schedule, Trainer
from grpo.update import Updater
from grpo_rust.compose.engine import build_sync, takes_memory_at_sync
from grpo_rust.compose.prompts import Prompts, PromptSet
from grpo_rust.recipe import Recipe
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from sandbox.workers.pool import SandboxPool

__all__ = ["Graders", "build_graders", "build_trainer", "evaluate_policy", "resume"]

NOT_RATES = ("asserts", "length_mean", "reward_mean")  # of an evaluation: amounts


class Graders(NamedTuple):
    """Who scores the training's completions, and who the evaluation's, where gold tests are run."""

    training: Grader
    evaluation: Grader


def build_graders(recipe: Recipe, rubric: Rubric, pool: SandboxPool) -> Graders:
    """Both graders of a recipe, on one pool of sandboxes."""
    grader = partial(RustGrader, rubric, pool, mutation=recipe.guard.mutation, deadline_s=recipe.rewards.deadline_s)
    return Graders(grader(gold=False), grader(gold=True))


def build_trainer(
    recipe: Recipe, prompts: Prompts, updater: Updater, engine: Engine, graders: Graders, run: RunDirectory
) -> Trainer:
    """A trainer for the recipe.

    Args:
        recipe: The settings.
        prompts: To train and to evaluate on.
        updater: The policy and what changes it.
        engine: Samples that policy's completions.
        graders: Score them; a study or a benchmark may bring its own.
        run: Where the run writes.
    """
    policy = updater.policy
    sync = build_sync(recipe, policy, engine, prompts.train.examples)
    frees_cuda_cache = takes_memory_at_sync(recipe, policy)
    schedule = Schedule(
        num_steps=recipe.train.num_steps(len(prompts.train.examples)),
        eval_every=recipe.eval.every,
        checkpoint_every=recipe.checkpoint.every,
        checkpoints_kept=recipe.checkpoint.keep,
    )
    rollouts = RolloutStream(
        RestartingEngine(engine, sync=sync, frees_cuda_cache=frees_cuda_cache, say=print),
        graders.training,
        PromptStream(
            prompts.train.examples,
            seed=recipe.run.seed,
            zero_std_resample_prob=recipe.rollout.zero_std_resample_prob,
        ),
        policy.decode,
        version=lambda: updater.updates,
        settings=_rollout_settings(recipe, schedule.num_steps),
    )

    def evaluation(step: int) -> Evaluation:
        return evaluate_policy(
            recipe, policy, engine, graders.evaluation, prompts.held_out, f"e{step}", version=updater.updates
        )

    return Trainer(
        rollouts=rollouts,
        updater=updater,
        advantages=recipe.loss.advantages,
        schedule=schedule,
        run=run,
        evaluate=evaluation if prompts.held_out.examples else None,
        describe=_describe,
        config_toml=to_toml(recipe),
    )


def evaluate_policy(
    recipe: Recipe,
    policy: Policy,
    engine: Engine,
    grader: Grader,
    held_out: PromptSet,
    id_prefix: str,
    *,
    version: int = 0,
) -> Evaluation:
    """Evaluate a policy on held-out prompts as the recipe's `eval` section says.

    Args:
        recipe: The settings.
        policy: What is evaluated, after so many weight updates: `version`.
        engine: Has its weights.
        grader: Scores the completions.
        held_out: The prompts.
        id_prefix: Begins the completions' ids.
        version: Number of weight updates.
    """
    params = SamplingParams(
        num_samples=recipe.eval.samples,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.eval.temperature,
        seed=recipe.eval.seed,
    )
    return evaluate(
        engine,
        grader,
        policy.decode,
        held_out.examples,
        params,
        id_prefix=id_prefix,
        max_rows=recipe.train.prompts_per_step * recipe.sampling.group_size,
        policy_version=version,
    )


def resume(trainer: Trainer, checkpoint: Path) -> int:
    """Continue a run from a checkpoint that the trainer's policy was loaded from.

    Returns: The next step.
    """
    progress = load_trainer_state(checkpoint, trainer.updater)
    trainer.rollouts.resume(progress)
    trainer.seconds_before = progress["seconds"]
    trainer.run.truncate_after(progress["step"])
    return int(progress["step"]) + 1


def _rollout_settings(recipe: Recipe, num_steps: int) -> RolloutSettings:
    return RolloutSettings(
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


def _describe(evaluation: Evaluation) -> str:
    """The rates of an evaluation in one line."""
    rates = {name: total / count for name, (total, count) in evaluation.counts.items() if name not in NOT_RATES}
    return "  ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
