"""Train a language model with GRPO on cargo's verdicts, and show what it learned.

Usage:
    python scripts/train.py [RECIPE.toml] [section.key=value ...]

Without arguments the recipe is scripts/recipes/tiny.toml: the shipped model and prompts, minutes on two cores. `--help`
prints every field, `--dry-run` the plan; `--plain` shows the run as lines and `--json` as events for programs.
Exit codes: 0 done, 2 bad input, 3 the host failed, 75 stopped and resumable
(go on with run.resume=true run.dir=DIR), 130 interrupted before there was anything to resume.

Example:
    python scripts/train.py train.max_steps=2 eval.prompts=10 run.dir=runs/first
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from grpo.run.directory import RunDirectory
from grpo_rust.arguments import Arguments, parse_arguments
from grpo_rust.checks import PASS_CHECKS
from grpo_rust.cli import ExitCode, command
from grpo_rust.conflicts.groups import refuse_unexamined
from grpo_rust.engine_choice import refuse_idle_engines
from grpo_rust.ranks.parts import (
    asked_of_ranks,
    build_rank_updater,
    describe_ranks,
    follows,
    joined,
    load_rank_policy,
    tell_directory,
    told_to_ranks,
)
from grpo_rust.ranks.restarting import after_restart, end_noted
from grpo_rust.recipe import Recipe
from grpo_rust.sandbox_pool import describe_pool, open_pool
from grpo_rust.session import ENGINE_LOG, describe_followers, open_run, refuse_followers, run_session, stopped_early
from grpo_rust.terminal.outputs import Output, open_output
from rewards.rubric import Rubric
from sandbox.terminal import forget_output

# torch, transformers and datasets are imported inside functions: the sandbox's workers start first, and start small.


@command("train")
def main(argv: Sequence[str] | None = None) -> int:
    """Run a recipe; the exit code."""
    with told_to_ranks():
        arguments = parse_arguments(argv)
    if follows():
        from grpo_rust.ranks.following import follow_run

        return ExitCode.DONE if arguments.dry_run else follow_run(arguments.recipe)
    if arguments.dry_run:
        return show_plan(arguments)
    with open_output(arguments.output) as output:
        return stopped_early("train", arguments.recipe.run_path(), lambda: train(arguments.recipe, output))


def show_plan(arguments: Arguments) -> int:
    """Print what a recipe is going to do; a reader that stops early is no error."""
    from grpo_rust.plan import plan

    text = plan(
        arguments.recipe,
        rates=arguments.rates,
        usd_per_hour=arguments.usd_per_hour,
        division=arguments.division,
        gpu=arguments.gpu,
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        forget_output()
    return ExitCode.DONE


def train(recipe: Recipe, output: Output) -> int:
    """Train as the recipe says, shown by an output; the exit code."""
    with ExitStack() as stack:
        with told_to_ranks():
            recipe = after_restart(recipe)
            path = recipe.run_path()
            if not recipe.run.resume:
                RunDirectory.refuse_existing(path)
                refuse_idle_engines(recipe.sampling, recipe.train.prompts_per_step)
            refuse_followers(recipe.track)
            refuse_unexamined(recipe.rewards.weights, mutation=recipe.guard.mutation)
            rubric = Rubric(recipe.rewards.weights, function_s=recipe.rewards.function_s)
            pool = stack.enter_context(open_pool(recipe))
        stack.enter_context(end_noted(recipe))
        team = stack.enter_context(joined(recipe))
        from grpo.checkpoint.latest import latest_checkpoint
        from grpo_rust.compose.engine import build_engine, engine_name, refuse_engine
        from grpo_rust.compose.graders import build_graders
        from grpo_rust.compose.prompts import load_prompts
        from grpo_rust.compose.trainer import build_trainer
        from grpo_rust.resuming.comparing import check_prompts, check_settings
        from grpo_rust.resuming.course import describe_course

        checkpoint = latest_checkpoint(path / "checkpoints") if recipe.run.resume else None
        changes = check_settings(recipe, checkpoint) if checkpoint else []
        policy = load_rank_policy(team, recipe, checkpoint)
        prompts = load_prompts(recipe, policy)
        if checkpoint:
            check_prompts(checkpoint, prompts.fingerprints())
        num_steps = recipe.train.num_steps(prompts.train.turns)
        updater = build_rank_updater(team, recipe, policy, num_steps=num_steps)  # refuses before there is a directory
        refuse_engine(recipe, policy)
        run = stack.enter_context(open_run(recipe, pool))
        tell_directory(team, path)
        started = time.monotonic()
        with closing(build_engine(recipe, policy, path / ENGINE_LOG)) as engine:
            warm_up = time.monotonic() - started
            trainer = build_trainer(recipe, prompts, updater, engine, build_graders(recipe, rubric, pool), run)
            first_step = trainer.resume(checkpoint) if checkpoint else 1
            print(f"model     {recipe.model.path}, {policy.model.num_parameters():,} parameters, on {policy.device}")
            print(f"prompts   {prompts.train} to train on, {prompts.held_out} to evaluate on")
            name = engine_name(recipe, policy)
            name = name if team is None or name != "hf" else "hf with a copy of the weights in a process of its own"
            print(f"engine    {name}, {recipe.rollout.overlap} batches ahead, ready in {warm_up:.1f} s")
            print(f"sandbox   {describe_pool(pool)}")
            print(f"isolation {pool.isolation}")
            lines = [*describe_ranks(team), *describe_followers(recipe.track, path)]
            for line in (*lines, *(f"changed   {change}" for change in changes)):
                print(line)
            print(f"run       {describe_course(trainer, first_step, trainer.rollouts.prompts.place)}", flush=True)
            with closing(trainer.rollouts):
                return run_session(
                    trainer,
                    first_step,
                    shown=shown,
                    output=output,
                    followed=bool(recipe.track.followers()),
                    stuck_after_s=recipe.train.stuck_after_s,
                    asked_elsewhere=asked_of_ranks(team),
                )


def shown(metrics: Mapping[str, float]) -> dict[str, str]:
    """What the bar shows of a step: the checks that its completions were given; a patch has no tests of its own.

    >>> shown({"check/build": 0.5, "check/gold": 0.25, "reward/mean": 1.0, "throughput/tokens_per_s": 90.0})
    {'reward': '1.00', 'build': '50%', 'gold': '25%', 'tok/s': '90'}
    """
    found = {name: metrics.get(f"check/{name}") for name in PASS_CHECKS}
    return {
        "reward": f"{metrics.get('reward/mean', float('nan')):.2f}",
        **{name.removeprefix("test_"): f"{rate:.0%}" for name, rate in found.items() if rate is not None},
        "tok/s": f"{metrics['throughput/tokens_per_s']:.0f}",
    }


if __name__ == "__main__":
    sys.exit(main())
