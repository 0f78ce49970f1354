"""This trainer as a contender, composed as `scripts/train.py` composes it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.machine import model_facts, note_device_memory
from bench.rewarding import WEIGHTS, TrivialGrader, UniqueCompletions
from bench.settings import LR, NEVER, BenchSettings
from bench.turns import Turns
from grpo.rollout.records import Grader, Graders
from grpo.run.directory import RunDirectory
from grpo_rust.compose.engine import build_engine
from grpo_rust.compose.graders import build_graders
from grpo_rust.compose.policy import load_trained_policy
from grpo_rust.compose.prompts import load_prompts
from grpo_rust.compose.trainer import build_trainer
from grpo_rust.compose.updater import build_updater
from grpo_rust.recipe import Recipe, load_recipe
from grpo_rust.sandbox_pool import start_pool
from rewards.rubric import Rubric
from sandbox.workers.pool import SandboxPool

__all__ = ["train"]


def train(turns: Turns, *, shared: BenchSettings, rewards: str, engine: str, overlap: int = 0) -> None:
    """Train until there are no more turns.

    Args:
        turns: Keeps the time.
        shared: The settings of both sides.
        rewards: "cargo" or "trivial".
        engine: `sampling.engine`.
        overlap: `rollout.overlap`.
    """
    recipe = _recipe(shared, engine, overlap)
    with tempfile.TemporaryDirectory() as directory, start_pool(recipe) as pool:
        policy = load_trained_policy(recipe)
        prompts = load_prompts(recipe, policy)
        updater = build_updater(recipe, policy, num_steps=NEVER)
        run = RunDirectory.create(Path(directory) / "run", config_toml="", environment={}, completions=False)
        with run, closing(build_engine(recipe, policy, Path(directory) / "engine.log")) as sampler:
            grader = TrivialGrader() if rewards == "trivial" else _unique_grader(recipe, pool)
            trainer = build_trainer(recipe, prompts, updater, sampler, Graders(grader, grader), run)
            turns.settle = lambda: _wait_until_idle(pool)
            turns.facts = model_facts(policy.model, shared.dtype, lora_rank=shared.lora_rank)
            turns.begin()
            on_step = _StepReport(turns, shared.group)
            with closing(trainer.rollouts):
                trainer.train(first_step=1, should_stop=lambda: False, on_step=on_step, say=lambda text: None)


def _recipe(shared: BenchSettings, engine: str, overlap: int) -> Recipe:
    """The recipe with both sides' settings, and TRL's way wherever it would have more or less work."""
    overrides = [
        f"model.path={shared.model}",
        f"model.dtype={shared.dtype}",
        f"lora.rank={shared.lora_rank}",
        f"data.train={shared.tasks}",
        f"sampling.engine={engine}",
        f"sampling.group_size={shared.group}",
        f"sampling.max_completion_tokens={shared.max_tokens}",
        f"rollout.overlap={overlap}",
        f"train.prompts_per_step={shared.prompts}",
        f"train.max_steps={NEVER}",
        f"train.lr={LR}",
        "train.skip_zero_std=false",  # as TRL does, whose work is then the same
        "train.schedule=constant",
        f"train.threads={shared.threads}",
        f"loss.kl_beta={shared.beta}",
        "eval.prompts=0",
        "log.completions=false",
        "sandbox.keep_verdicts=false",
    ]
    others = ("non_empty", "code_block", "test_block", "asserts")  # of the default weights
    weights = {f"cargo_{phase}": weight for phase, weight in WEIGHTS.items()} | dict.fromkeys(others, 0.0)
    return load_recipe(None, [*overrides, *(f"rewards.weights.{name}={weight}" for name, weight in weights.items())])


def _unique_grader(recipe: Recipe, pool: SandboxPool) -> Grader:
    """The recipe's grader, which never sees a completion twice."""
    return UniqueCompletions(build_graders(recipe, Rubric(recipe.rewards.weights), pool).training)


@dataclass(frozen=True)
class _StepReport:
    """Called after every step: hands it in."""

    turns: Turns
    group: int

    def __call__(self, step: int, metrics: Mapping[str, float]) -> None:
        completions = int(metrics["groups/total"]) * self.group
        phases = {
            "decode": metrics["time/generate"],
            "wait_engine": metrics["time/wait_engine"],
            "wait_rewards": metrics["time/wait_rewards"],
            "train": metrics["time/train"],
            "sync": metrics.get("time/sync", 0.0),
        }
        note_device_memory(self.turns)
        self.turns.finish(round(metrics["completion/length_mean"] * completions), completions, phases)


def _wait_until_idle(pool: SandboxPool) -> None:
    """Wait until every program has its verdict."""
    while pool.unfinished:
        time.sleep(0.002)
