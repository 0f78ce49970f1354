"""Evaluate a model on held-out prompts, and keep its graded completions.

Usage:
    python scripts/eval_model.py [RECIPE.toml] [section.key=value ...] --out FILE.jsonl

The recipe names the model (model.path: any checkpoint directory), the prompts (data.eval), how many of them and how
many completions each (the section eval), and the rewards. The file gets one line a completion, with its verdict. The
model is not changed. Exit codes: 0 done, 2 bad input, 3 the host failed, 130 interrupted.

Example:
    python scripts/eval_model.py model.path=runs/first/checkpoints/step-00040 eval.samples=8 --out completions.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from grpo.errors import BadInput
from grpo_rust.arguments import parse_arguments
from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import Recipe
from grpo_rust.sandbox_pool import start_pool
from rewards.rubric import Rubric

if TYPE_CHECKING:
    from grpo.evaluate import Evaluation

# torch and transformers are imported inside functions: the sandbox's workers start first, and start small.


@command("eval_model", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, print the rates, and write the completions; the exit code."""
    out, words = parse_out(argv)
    recipe = parse_arguments(words).recipe
    if not recipe.eval.prompts:
        raise BadInput("eval.prompts = 0: there is nothing to evaluate on; give a number of prompts")
    evaluation, prompts = evaluate(recipe, out.with_suffix(".engine.log"))
    write_completions(evaluation, out)
    print(f"{recipe.model.path}: {prompts} prompts x {recipe.eval.samples} of {recipe.data.eval}")
    show(evaluation.metrics)
    print(f"{out}: {len(evaluation.groups) * evaluation.num_samples} completions, {evaluation.seconds:.0f} s")
    return ExitCode.DONE


def parse_out(argv: Sequence[str] | None) -> tuple[Path, list[str]]:
    """The file of `--out`, and the other words of the command line, which are for the recipe.

    Raises:
        BadInput: Where `--out` is absent, or the file exists.
    """
    parser = argparse.ArgumentParser(
        usage="%(prog)s [RECIPE.toml] [section.key=value ...] --out FILE.jsonl",
        description=__doc__.partition("\n")[0],
        epilog="`python scripts/train.py --help` lists the settings; model, data, sampling, eval and rewards count",
    )
    parser.add_argument("--out", nargs="?", type=Path, metavar="FILE.jsonl", help="a file that does not exist yet")
    parsed, words = parser.parse_known_args(argv)
    out: Path | None = parsed.out
    if out is None:
        raise BadInput("where to? Give --out FILE.jsonl, a file that does not exist yet")
    if out.exists():
        raise BadInput(f"{out} exists already: give another --out")
    return out, words


def evaluate(recipe: Recipe, engine_log: Path) -> tuple[Evaluation, str]:
    """The evaluation that the recipe describes, and how many prompts there are, as text."""
    rubric = Rubric(recipe.rewards.weights)
    with start_pool(recipe) as pool:
        from grpo_rust.compose.engine import build_engine, build_sync
        from grpo_rust.compose.evaluation import evaluate_policy
        from grpo_rust.compose.graders import build_graders
        from grpo_rust.compose.policy import load_starting_policy
        from grpo_rust.compose.prompts import load_held_out

        policy = load_starting_policy(recipe)
        held_out = load_held_out(recipe, policy)
        with closing(build_engine(recipe, policy, engine_log)) as engine:
            if sync := build_sync(recipe, policy, engine, held_out.examples):
                sync(print)
            grader = build_graders(recipe, rubric, pool).evaluation
            return evaluate_policy(recipe, policy, engine, grader, held_out.examples, "e"), str(held_out)


def write_completions(evaluation: Evaluation, out: Path) -> None:
    """Write one line a completion; the file appears only when it is complete."""
    from grpo.run.serialize import completion_lines

    unfinished = out.with_name(f".{out.name}.unfinished")
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(unfinished, "w", encoding="utf-8") as lines:
        for line in completion_lines(evaluation.groups, step=0, phase="eval"):
            lines.write(json.dumps(line) + "\n")
    unfinished.replace(out)


def show(metrics: Mapping[str, float]) -> None:
    """Print every metric, with the half width of its interval where it has one."""
    for name, value in metrics.items():
        half_width = metrics.get(f"{name}_ci95")
        if not name.endswith("_ci95"):
            print(f"  {name:22} {value:8.3f}" + (f" ± {half_width:.3f}" if half_width is not None else ""))


if __name__ == "__main__":
    sys.exit(main())
