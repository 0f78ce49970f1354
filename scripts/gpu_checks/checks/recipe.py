"""Real training on the device: the quickstart's recipe with a stop and a resume, and a model of the user's."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpu_checks.outcome import CheckFailed, CheckSettings, Figures, Skipped
from sandbox.errors import SandboxError
from sandbox.find_rust import find_toolchain

if TYPE_CHECKING:
    from grpo.model.policy import Policy
    from grpo_rust.compose.prompts import Prompts
    from grpo_rust.recipe import Recipe

__all__ = ["pretrained", "recipe"]

ROOT = Path(__file__).resolve().parents[3]
RECIPES = ROOT / "scripts" / "recipes"
FIRST_STEPS, ALL_STEPS = 2, 3
ENDING_S = 30.0  # for a run that was asked to stop: to finish its step and write a checkpoint
LEAST_S = 60.0
SMALL = (
    *("train.prompts_per_step=2", "sampling.group_size=4", "sampling.max_completion_tokens=24", "train.threads=1"),
    "model.dtype=float32",
)


def recipe(settings: CheckSettings) -> Figures:
    """Train two steps one batch ahead, stop with a checkpoint, go on from it for one more.

    Completions are graded by the sandbox where Rust is installed; with --small, and without Rust, by a score that costs
    nothing.
    """
    from gpu_checks.models import use_device

    use_device(settings)
    real = not settings.small and _has_rust()
    path = settings.folder / "run"
    dtype = () if settings.small else ("model.dtype=bfloat16",)
    overrides = (
        *(f"run.dir={path}", f"train.device={settings.device}", f"train.max_steps={ALL_STEPS}", "eval.prompts=0"),
        *("rollout.overlap=1", "log.completions=false", "train.skip_zero_std=false", *dtype),
        *(SMALL if settings.small else ()),
    )
    settings.note(grader="sandbox" if real else "trivial")
    steps = _train(overrides, path, real=real, resumed=False)
    settings.note(steps_before_stop=len(steps), **_figures(steps))
    steps = _train(overrides, path, real=real, resumed=True)
    settings.note(steps_after_resume=len(steps), **_figures(steps))
    if [FIRST_STEPS, ALL_STEPS - FIRST_STEPS] != [settings.figures["steps_before_stop"], len(steps)]:
        raise CheckFailed("the run did not go on where it was stopped", "report the JSON file")
    return {}


def _has_rust() -> bool:
    try:
        find_toolchain()
    except SandboxError:
        return False
    return True


def _train(overrides: tuple[str, ...], path: Path, *, real: bool, resumed: bool) -> list[Mapping[str, float]]:
    """Train until the stop, or from its checkpoint to the end; the metrics of the steps."""
    from bench.rewarding import TrivialGrader
    from grpo.checkpoint.latest import latest_checkpoint
    from grpo.rollout.records import Graders
    from grpo.run.directory import RunDirectory
    from grpo_rust.compose.engine import build_engine
    from grpo_rust.compose.graders import build_graders
    from grpo_rust.compose.policy import load_trained_policy
    from grpo_rust.compose.trainer import build_trainer
    from grpo_rust.compose.updater import build_updater
    from grpo_rust.recipe import load_recipe
    from grpo_rust.sandbox_pool import start_pool
    from rewards.rubric import Rubric

    wanted = load_recipe(RECIPES / "tiny.toml", overrides)
    checkpoint = latest_checkpoint(path / "checkpoints") if resumed else None
    steps: list[Mapping[str, float]] = []
    with ExitStack() as stack:
        graders = Graders(TrivialGrader(), TrivialGrader())
        if real:
            graders = build_graders(wanted, Rubric(wanted.rewards.weights), stack.enter_context(start_pool(wanted)))
        policy = load_trained_policy(wanted, checkpoint)
        prompts = _prompts(wanted, policy)
        updater = build_updater(wanted, policy, num_steps=ALL_STEPS)
        run = stack.enter_context(
            RunDirectory.resume(path, completions=False)
            if resumed
            else RunDirectory.create(path, config_toml="", environment={}, completions=False)
        )
        engine = stack.enter_context(closing(build_engine(wanted, policy, path / "engine.log")))
        trainer = build_trainer(wanted, prompts, updater, engine, graders, run)
        first = trainer.resume(checkpoint) if checkpoint else 1
        stack.enter_context(closing(trainer.rollouts))
        trainer.train(
            first_step=first,
            should_stop=lambda: not resumed and len(steps) == FIRST_STEPS,
            on_step=lambda step, metrics: steps.append(metrics),
            say=print,
        )
    return steps


def _prompts(wanted: Recipe, policy: Policy) -> Prompts:
    """The recipe's training prompts; without the package `datasets` the shipped file is read as plain JSON lines."""
    from grpo.rollout.prompts import encode_prompts
    from grpo.rollout.records import Example
    from grpo_rust.compose.prompts import Prompts, PromptSet, load_prompts

    if importlib.util.find_spec("datasets") is not None:
        return load_prompts(wanted, policy)
    lines = (ROOT / wanted.data.train).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    examples = [Example(row["task_id"], ({"role": "user", "content": row["prompt"]},), row) for row in rows]
    limits: dict[str, Any] = {"max_tokens": wanted.data.max_prompt_tokens, "long_prompts": wanted.data.long_prompts}
    return Prompts(PromptSet(encode_prompts(examples, policy.encode, **limits)), PromptSet([]))


def _figures(steps: list[Mapping[str, float]]) -> Figures:
    """The last step's figures that say whether trainer and engine agree, and how fast they are."""
    names = {
        "time/step": "step_s",
        "time/sync": "sync_s",
        "sync/gap": "sync_gap_nats",
        "policy/sampler_gap": "sampler_gap_nats",
        "throughput/tokens_per_s": "tokens_per_s",
        "optim/grad_norm": "gradient_norm",
    }
    return {figure: float(steps[-1][key]) for key, figure in names.items() if steps and key in steps[-1]}


def pretrained(settings: CheckSettings) -> Figures:
    """Train the model of --model by the recipe for SmolLM2 for as long as there is time, and compare first and last."""
    file = RECIPES / "smollm2-135m.toml"
    if not settings.model:
        raise Skipped("no --model DIR with a checkpoint was given")
    if not file.exists():
        raise Skipped(f"there is no recipe {file.name}")
    if not _has_rust():
        raise Skipped("no Rust: python -m sandbox.setup_rust")
    if settings.left_s < LEAST_S:
        raise Skipped(f"{settings.left_s:.0f} s are left, and {LEAST_S:.0f} are needed")
    path = settings.folder / "run"
    words = (str(file), f"model.path={settings.model}", f"run.dir={path}", f"train.device={settings.device}")
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), *words, "eval.prompts=0", *_engine()]
    process = subprocess.Popen(command, cwd=ROOT)
    ends = time.monotonic() + settings.left_s - ENDING_S
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(1)
        settings.note(**_learned(path))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)  # it finishes its step and writes a checkpoint
    code = process.wait()
    settings.note(exit_code=code, **_learned(path))
    if code not in (0, 75) or not settings.figures.get("steps"):
        raise CheckFailed(f"scripts/train.py ended with code {code}", "read the end of its output in the JSON file")
    return {}


def _engine() -> tuple[str, ...]:
    """The setting that samples without vLLM, where that is not installed."""
    from grpo.engines.vllm import VLLMMissing, require_vllm

    try:
        require_vllm()
    except VLLMMissing:
        return ("sampling.engine=hf",)
    return ()


def _learned(path: Path) -> Figures:
    """Steps so far, and the mean reward over the first and the last tenth of them."""
    try:
        lines = (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("}")]
    rewards = [row["reward/mean"] for row in rows if "reward/mean" in row]
    if not rewards:
        return {}
    part = max(1, len(rewards) // 10)
    return {
        "steps": len(rows),
        "reward_first": sum(rewards[:part]) / part,
        "reward_last": sum(rewards[-part:]) / part,
        "tokens_per_s": float(rows[-1].get("throughput/tokens_per_s", 0.0)),
    }
