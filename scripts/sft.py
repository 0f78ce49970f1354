"""Fine-tune a language model on demonstrations, as a start for GRPO, and evaluate it on cargo's verdicts.

Usage:
    python scripts/sft.py [RECIPE.toml] [section.key=value ...]

`data.train` holds prompts with completions: columns `prompt` and `completion`, or the published `rust_prompt`,
`rust_code` and `rust_test_list`, which are put together into one block. Recipe, run directory, report, stopping and
resuming are those of scripts/train.py: `train.prompts_per_step` demonstrations make a step, `eval` samples completions
and grades them, and the sections loss, rollout and rewards decide nothing. With `eval.prompts=0` neither an engine nor
Rust is needed. The checkpoints are what train.py starts from. Exit codes: 0 done, 2 bad input, 3 the host failed, 75
stopped and resumable, 130 interrupted before there was anything to resume.

Example:
    python scripts/sft.py data.train=demonstrations.jsonl train.epochs=1 train.lr=3e-4 run.dir=runs/sft
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from grpo.errors import BadInput
from grpo.run.directory import RunDirectory
from grpo_rust.arguments import parse_arguments
from grpo_rust.cli import command
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
from grpo_rust.sandbox_pool import open_pool
from grpo_rust.session import ENGINE_LOG, describe_followers, open_run, refuse_followers, run_session, stopped_early
from grpo_rust.terminal.outputs import Output, open_output
from rewards.rubric import Rubric

# torch, transformers and datasets are imported inside functions: the sandbox's workers start first, and start small.


@command("sft")
def main(argv: Sequence[str] | None = None) -> int:
    """Fine-tune as a recipe says; the exit code."""
    with told_to_ranks():
        arguments = parse_arguments(argv, about="Fine-tune a language model on demonstrations; the plan is train.py's.")
    if follows():
        from grpo_rust.ranks.following import follow_run

        return follow_run(arguments.recipe, supervised=True)
    if arguments.dry_run:
        raise BadInput("--dry-run is for scripts/train.py: its plan counts completions that are sampled")
    with open_output(arguments.output) as output:
        return stopped_early("sft", arguments.recipe.run_path(), lambda: fine_tune(arguments.recipe, output))


def fine_tune(recipe: Recipe, output: Output) -> int:
    """Imitate the recipe's demonstrations, shown by an output; the exit code."""
    with ExitStack() as stack:
        with told_to_ranks():
            recipe = after_restart(recipe)
            path = recipe.run_path()
            if not recipe.run.resume:
                RunDirectory.refuse_existing(path)
            refuse_followers(recipe.track)
            rubric = Rubric(recipe.rewards.weights, function_s=recipe.rewards.function_s)
            pool = stack.enter_context(open_pool(recipe)) if recipe.eval.prompts else None
        stack.enter_context(end_noted(recipe))
        team = stack.enter_context(joined(recipe, supervised=True))
        from grpo.checkpoint.latest import latest_checkpoint
        from grpo.rollout.fingerprints import fingerprints
        from grpo_rust.compose.demonstrations import load_demonstrations
        from grpo_rust.compose.engine import build_engine, refuse_engine
        from grpo_rust.compose.graders import build_graders
        from grpo_rust.compose.prompts import PromptSet, load_held_out
        from grpo_rust.compose.supervised import build_supervised_evaluation, build_supervised_trainer
        from grpo_rust.resuming.comparing import check_prompts, check_settings
        from grpo_rust.resuming.course import describe_course

        checkpoint = latest_checkpoint(path / "checkpoints") if recipe.run.resume else None
        changes = check_settings(recipe, checkpoint) if checkpoint else []
        policy = load_rank_policy(team, recipe, checkpoint)
        shown = load_demonstrations(recipe, policy)
        held_out = load_held_out(recipe, policy) if pool else PromptSet([])
        seen = {**shown.fingerprints(), "data.eval": fingerprints(held_out.examples)}
        if checkpoint:
            check_prompts(checkpoint, seen)
        num_steps = recipe.train.num_steps(shown.turns)
        updater = build_rank_updater(team, recipe, policy, num_steps=num_steps, supervised=True)
        if pool:
            refuse_engine(recipe, policy)
        run = stack.enter_context(open_run(recipe, pool))
        tell_directory(team, path)
        evaluate, engine = None, None
        if pool:
            engine = stack.enter_context(closing(build_engine(recipe, policy, path / ENGINE_LOG)))
            graders = build_graders(recipe, rubric, pool)
            evaluate = build_supervised_evaluation(recipe, held_out, updater, engine, graders)
        trainer = build_supervised_trainer(recipe, shown, seen, updater, run, evaluate, engine)
        first_step = trainer.resume(checkpoint) if checkpoint else 1
        print(f"model     {recipe.model.path}, {policy.model.num_parameters():,} parameters, on {policy.device}")
        print(f"data      {shown} demonstrations to imitate, {held_out} prompts to evaluate on")
        lines = [*describe_ranks(team), *describe_followers(recipe.track, path)]
        for line in (*lines, *(f"changed   {change}" for change in changes)):
            print(line)
        print(f"run       {describe_course(trainer, first_step)}", flush=True)
        return run_session(
            trainer,
            first_step,
            shown=bar_text,
            output=output,
            followed=bool(recipe.track.followers()),
            stuck_after_s=recipe.train.stuck_after_s,
            asked_elsewhere=asked_of_ranks(team),
        )


def bar_text(metrics: Mapping[str, float]) -> dict[str, str]:
    """What the bar shows of a step."""
    return {"loss": f"{metrics['loss/total']:.3f}", "tok/s": f"{metrics['throughput/tokens_per_s']:.0f}"}


if __name__ == "__main__":
    sys.exit(main())
