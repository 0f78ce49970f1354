"""Train a language model with GRPO on cargo's verdicts, and show what it learned.

Usage:
    python scripts/train.py [RECIPE.toml] [section.key=value ...]

Without arguments the recipe is scripts/recipes/tiny.toml: the shipped model and prompts, minutes on two cores. `--help`
prints every field, `--dry-run` the plan. Exit codes: 0 done, 2 bad input, 3 the host failed, 75 stopped and resumable
(go on with run.resume=true run.dir=DIR), 130 interrupted before there was anything to resume.

Example:
    python scripts/train.py train.max_steps=2 eval.prompts=10 run.dir=runs/first
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tqdm import tqdm

from grpo.run.directory import RunDirectory
from grpo.run.provenance import environment
from grpo.schema import to_toml
from grpo_rust.arguments import Arguments, parse_arguments
from grpo_rust.cli import ExitCode, command
from grpo_rust.plan import plan
from grpo_rust.recipe import Recipe
from grpo_rust.sandbox_pool import start_pool
from rewards.rubric import Rubric
from sandbox.terminal import forget_output
from sandbox.workers.pool import SandboxPool

if TYPE_CHECKING:
    from grpo.trainer import Trainer

# torch, transformers and datasets are imported inside functions: the sandbox's workers start first, and start small.

ENGINE_LOG = "engine.log"


@command("train")
def main(argv: Sequence[str] | None = None) -> int:
    """Run a recipe; the exit code."""
    arguments = parse_arguments(argv)
    if arguments.dry_run:
        return show_plan(arguments)
    try:
        return train(arguments.recipe)
    except KeyboardInterrupt:
        return interrupted(arguments.recipe.run_path())
    except BrokenPipeError:
        forget_output()
        return interrupted(arguments.recipe.run_path())


def show_plan(arguments: Arguments) -> int:
    """Print what a recipe is going to do; a reader that stops early is no error."""
    text = plan(arguments.recipe, rates=arguments.rates, usd_per_hour=arguments.usd_per_hour)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        forget_output()
    return ExitCode.DONE


def interrupted(path: Path) -> int:
    """Say what is left of a run that was stopped at once; the exit code."""
    if any((path / "checkpoints").glob("step-*")):
        print(f"train: stopped at once; go on from the last checkpoint: {go_on(path)}", file=sys.stderr)
        return ExitCode.STOPPED
    print("train: interrupted before the first checkpoint: there is nothing to go on from", file=sys.stderr)
    return ExitCode.INTERRUPTED


def go_on(path: Path) -> str:
    """The command that resumes a run."""
    return f"python scripts/train.py run.resume=true {shlex.quote(f'run.dir={path}')}"


def train(recipe: Recipe) -> int:
    """Train as the recipe says; the exit code."""
    path = recipe.run_path()
    if not recipe.run.resume:
        RunDirectory.refuse_existing(path)
    rubric = Rubric(recipe.rewards.weights)
    with start_pool(recipe) as pool:
        from grpo.checkpoint import latest_checkpoint
        from grpo_rust.compose.engine import build_engine, engine_name
        from grpo_rust.compose.policy import load_trained_policy
        from grpo_rust.compose.prompts import load_prompts
        from grpo_rust.compose.trainer import build_graders, build_trainer, resume
        from grpo_rust.compose.updater import build_updater

        checkpoint = latest_checkpoint(path / "checkpoints") if recipe.run.resume else None
        policy = load_trained_policy(recipe, checkpoint)
        prompts = load_prompts(recipe, policy)
        num_steps = recipe.train.num_steps(len(prompts.train.examples))
        updater = build_updater(recipe, policy, num_steps=num_steps)  # bad input is refused before there is a directory
        started = time.monotonic()
        with open_run(recipe, pool) as run, closing(build_engine(recipe, policy, path / ENGINE_LOG)) as engine:
            warm_up = time.monotonic() - started
            trainer = build_trainer(recipe, prompts, updater, engine, build_graders(recipe, rubric, pool), run)
            first_step = resume(trainer, checkpoint) if checkpoint else 1
            print(f"model     {recipe.model.path}, {policy.model.num_parameters():,} parameters, on {policy.device}")
            print(f"prompts   {prompts.train} to train on, {prompts.held_out} to evaluate on")
            name = engine_name(recipe, policy)
            print(f"engine    {name}, {recipe.rollout.overlap} batches ahead, ready in {warm_up:.1f} s")
            print(f"sandbox   {pool.toolchain.version}, {pool.jobs} workers, {pool.backend} backend")
            print(f"isolation {pool.isolation}")
            print(f"run       {path}, steps {first_step} to {num_steps}", flush=True)
            with closing(trainer.rollouts):
                return run_training(trainer, first_step)


def run_training(trainer: Trainer, first_step: int) -> int:
    """Train, with a bar; then write the summary and the report, unless the run was stopped. The exit code."""
    from grpo_rust.report import write_report

    path, num_steps = trainer.run.path, trainer.schedule.num_steps
    stop = StopRequest()
    with tqdm(total=num_steps, initial=first_step - 1, unit="step", dynamic_ncols=True) as bar:
        finished = trainer.train(
            first_step=first_step,
            should_stop=stop.requested,
            on_step=lambda step, metrics: show(bar, metrics),
            say=bar.write,
        )
    if not finished:
        print(f"stopped; go on with: {go_on(path)}")
        return ExitCode.STOPPED
    summarise(trainer.run, steps=num_steps, seconds=trainer.seconds)
    print(f"report    {write_report(path)}")
    return ExitCode.DONE


def open_run(recipe: Recipe, pool: SandboxPool) -> RunDirectory:
    """The run's directory, made or, for a run that is resumed, opened."""
    if recipe.run.resume:
        return RunDirectory.resume(recipe.run_path(), completions=recipe.log.completions)
    return RunDirectory.create(
        recipe.run_path(),
        config_toml=to_toml(recipe),
        environment=environment(
            argv=sys.argv,
            grader={"rust": pool.toolchain.version, "isolation": str(pool.isolation)},
            packages=("tree-sitter", "tree-sitter-rust"),
        ),
        completions=recipe.log.completions,
    )


class StopRequest:
    """Ctrl-C or SIGTERM once: finish the step, save, stop. Twice: stop at once, back to the last checkpoint."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def requested(self) -> bool:
        """Whether someone asked."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        os.write(sys.stderr.fileno(), b"\nstopping after this step; once more to stop at once\n")


def show(bar: tqdm[None], metrics: Mapping[str, float]) -> None:
    """Move the bar on, with a step's metrics."""
    shown = {
        "reward": f"{metrics.get('reward/mean', float('nan')):.2f}",
        "build": f"{metrics.get('check/build', 0):.0%}",
        "clippy": f"{metrics.get('check/clippy', 0):.0%}",
        "test": f"{metrics.get('check/test', 0):.0%}",
        "strict": f"{metrics.get('check/test_strict', 0):.0%}",
        "tok/s": f"{metrics['throughput/tokens_per_s']:.0f}",
    }
    bar.set_postfix(shown, refresh=False)
    bar.update()


def summarise(run: RunDirectory, *, steps: int, seconds: float) -> None:
    """Write summary.json and, where there was an evaluation, print the table before / after."""
    from grpo_rust.report import closing_table
    from grpo_rust.report.table import summary_rates

    evaluations = run.evaluations()
    before, after = (evaluations[0], evaluations[-1]) if evaluations else ({}, {})
    run.write_summary(
        {
            "before": summary_rates(before),
            "after": summary_rates(after),
            "steps": steps,
            "seconds": round(seconds, 1),
            "num_prompts": after.get("num_prompts", 0),
            "num_samples": after.get("num_samples", 0),
        }
    )
    if evaluations:
        print(closing_table(before, after))


if __name__ == "__main__":
    sys.exit(main())
