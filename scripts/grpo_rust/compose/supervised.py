"""Supervised fine-tuning by a recipe: the optimizer, and the trainer."""

from __future__ import annotations

from grpo.engines import Engine
from grpo.rollout.engine_restart import RestartingEngine
from grpo.run.directory import RunDirectory
from grpo.schema import to_toml
from grpo.supervised import SupervisedTrainer
from grpo.update import Updater
from grpo_rust.compose.demonstrations import Demonstrations
from grpo_rust.compose.engine import build_sync, takes_memory_at_sync
from grpo_rust.compose.evaluation import Graders, build_evaluation, describe
from grpo_rust.compose.prompts import PromptSet
from grpo_rust.compose.trainer import build_schedule
from grpo_rust.recipe import Recipe

__all__ = ["build_supervised_trainer"]


def build_supervised_trainer(
    recipe: Recipe,
    shown: Demonstrations,
    held_out: PromptSet,
    updater: Updater,
    engine: Engine,
    graders: Graders,
    run: RunDirectory,
) -> SupervisedTrainer:
    """A trainer that imitates demonstrations, and is evaluated as a GRPO run is.

    Args:
        recipe: The settings; `train.prompts_per_step` demonstrations make a step.
        shown: The demonstrations.
        held_out: The prompts to evaluate on.
        updater: The policy and what changes it.
        engine: Samples in evaluations.
        graders: Score the completions of evaluations.
        run: Where the run writes.
    """
    sync = build_sync(recipe, updater.policy, engine, held_out.examples)
    restarting = RestartingEngine(
        engine, sync=sync, frees_cuda_cache=takes_memory_at_sync(recipe, updater.policy), say=print
    )
    return SupervisedTrainer(
        samples=shown.samples,
        batch_size=recipe.train.prompts_per_step,
        seed=recipe.run.seed,
        updater=updater,
        schedule=build_schedule(recipe, len(shown.samples)),
        run=run,
        evaluate=build_evaluation(recipe, updater, restarting, graders.evaluation, held_out.examples, syncs=True),
        describe=describe,
        config_toml=to_toml(recipe),
    )
