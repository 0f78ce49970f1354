"""Supervised fine-tuning by a recipe: its trainer, and what evaluates it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grpo.engines import Engine
from grpo.evaluate import Evaluation
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.fingerprints import Fingerprint
from grpo.rollout.records import Graders
from grpo.run.directory import RunDirectory
from grpo.supervised import SupervisedTrainer
from grpo.update import Updater
from grpo_rust.compose.demonstrations import Demonstrations
from grpo_rust.compose.engine import build_sync, takes_memory_at_sync
from grpo_rust.compose.evaluation import build_evaluation, describe
from grpo_rust.compose.prompts import PromptSet
from grpo_rust.compose.trainer import build_limits, build_schedule
from grpo_rust.compose.watching import build_supervised_rehearsal, build_watch
from grpo_rust.recipe import Recipe
from grpo_rust.resuming.comparing import kept_texts

__all__ = ["build_supervised_evaluation", "build_supervised_trainer"]


def build_supervised_evaluation(
    recipe: Recipe, held_out: PromptSet, updater: Updater, engine: Engine, graders: Graders
) -> Callable[[int, Callable[[], bool]], Evaluation] | None:
    """What evaluates as a GRPO run is evaluated, once the engine has the weights.

    Args:
        recipe: The settings.
        held_out: The prompts to evaluate on.
        updater: Has the weights.
        engine: Samples the completions.
        graders: Score them.
    """
    sync = build_sync(recipe, updater.policy, engine, held_out.examples)
    restarting = RestartingEngine(
        engine, sync=sync, frees_cuda_cache=takes_memory_at_sync(recipe, updater.policy), say=print
    )
    return build_evaluation(recipe, updater, restarting, graders.evaluation, held_out.examples, syncs=True)


def build_supervised_trainer(
    recipe: Recipe,
    shown: Demonstrations,
    prompts: Mapping[str, list[Fingerprint]],
    updater: Updater,
    run: RunDirectory,
    evaluate: Callable[[int, Callable[[], bool]], Evaluation] | None,
    engine: Engine | None = None,
) -> SupervisedTrainer:
    """A trainer that imitates demonstrations.

    Args:
        recipe: The settings; `train.prompts_per_step` demonstrations make a step.
        shown: The demonstrations.
        prompts: Fingerprints of the demonstrations and the held-out prompts, for checkpoints.
        updater: The policy and what changes it.
        run: Where the run writes.
        evaluate: Evaluates the weights after a step; None: nothing does.
        engine: What evaluations sample with.
    """
    return SupervisedTrainer(
        samples=shown.samples,
        batch_size=recipe.train.prompts_per_step,
        seed=recipe.run.seed,
        shares=shown.shares,
        updater=updater,
        schedule=build_schedule(recipe, shown.turns),
        run=run,
        evaluate=evaluate,
        describe=describe,
        kept_texts=kept_texts(recipe, prompts),
        limits=build_limits(recipe),
        max_unscored=recipe.rewards.max_unscored,
        watch=build_watch(recipe, engine),
        rehearse=build_supervised_rehearsal(recipe, updater, shown.samples),
    )
