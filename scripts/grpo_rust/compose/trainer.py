"""The trainer of a recipe: GRPO."""

from __future__ import annotations

from grpo.checkpoint.keeping import Keeping
from grpo.engines import Engine
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Graders
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo.run.directory import RunDirectory
from grpo.run.stopping import RunLimits
from grpo.trainer import Trainer
from grpo.training_loop import Schedule
from grpo.update import Updater
from grpo_rust.compose.engine import build_sync, takes_memory_at_sync
from grpo_rust.compose.evaluation import build_evaluation, describe
from grpo_rust.compose.prompts import Prompts
from grpo_rust.compose.turns import build_turns
from grpo_rust.compose.watching import build_rehearsal, build_watch
from grpo_rust.recipe import Recipe
from grpo_rust.resuming.comparing import kept_texts

__all__ = ["build_limits", "build_schedule", "build_trainer"]


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
    restarting = RestartingEngine(engine, sync=sync, frees_cuda_cache=frees_cuda_cache, say=print)
    schedule = build_schedule(recipe, prompts.train.turns)
    rollouts = RolloutStream(
        restarting,
        graders.training,
        PromptStream(
            prompts.train.examples,
            seed=recipe.run.seed,
            shares=prompts.train.shares,
            zero_std_resample_prob=recipe.rollout.zero_std_resample_prob,
            solved_resample_prob=recipe.rollout.solved_resample_prob,
        ),
        policy.decode,
        version=lambda: updater.updates,
        settings=_rollout_settings(recipe, schedule.num_steps),
        turns=build_turns(recipe, policy, graders.training),
    )

    return Trainer(
        rollouts=rollouts,
        updater=updater,
        advantages=recipe.loss.advantages,
        schedule=schedule,
        run=run,
        evaluate=build_evaluation(recipe, updater, restarting, graders.evaluation, prompts.held_out.examples),
        describe=describe,
        kept_texts=kept_texts(recipe, prompts.fingerprints()),
        limits=build_limits(recipe),
        max_unscored=recipe.rewards.max_unscored,
        watch=build_watch(recipe, engine),
        rehearse=build_rehearsal(recipe, updater, prompts.train.examples),
    )


def build_schedule(recipe: Recipe, turns: float) -> Schedule:
    """The length of a run whose passes have so many prompts or demonstrations, and what happens when."""
    return Schedule(
        num_steps=recipe.train.num_steps(turns),
        eval_every=recipe.eval.every,
        checkpoint_every=recipe.checkpoint.every,
        keeping=Keeping(recipe.checkpoint.keep_last, recipe.checkpoint.keep_best, recipe.checkpoint.best_by),
    )


def build_limits(recipe: Recipe) -> RunLimits:
    """How long the run may take, and what it may cost."""
    train = recipe.train
    return RunLimits(max_hours=train.max_hours, max_cost=train.max_cost, usd_per_hour=train.usd_per_hour)


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
        solved_above=recipe.rollout.solved_above,
        refill_rounds=recipe.rollout.refill_rounds,
        testers=recipe.rollout.testers,
        sleeps=recipe.sampling.sleep,
        partial=recipe.rollout.partial,
        deadline_s=recipe.rollout.deadline_s,
    )
