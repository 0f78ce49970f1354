"""Evaluate a model on held-out prompts, and keep its graded completions.

Usage:
    python scripts/eval_model.py [RECIPE.toml] [section.key=value ...] --out FILE.jsonl

The recipe says which model (model.path: any checkpoint directory), which prompts (data.eval), how many of them and how
many completions each (the section eval), and what is paid. One line a completion is written, with its verdict; nothing of the
model is changed. Exit codes: 0 done, 2 bad input, 3 the host failed, 130 interrupted.

Example:
    python scripts/eval_model.py model.path=runs/first/checkpoints/step-00040 eval.samples=8 --out completions.jsonl
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from grpo.errors import BadInput, HostFailed
from grpo_rust.recipe import Recipe, parse_arguments
from rewards import RewardError, Rubric
from sandbox import SandboxError

# torch and transformers are imported inside functions: the sandbox's workers start first, and start small.

DONE, BAD_INPUT, HOST_FAILED, INTERRUPTED = 0, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        out = taken(words)
        recipe = parse_arguments(words).recipe
        if not recipe.eval.prompts:
            raise BadInput("eval.prompts = 0: there is nothing to evaluate on; give a number of prompts")
        evaluate(recipe, out)
    except (BadInput, RewardError) as error:
        print(f"eval_model: {error}", file=sys.stderr)
        return BAD_INPUT
    except (HostFailed, SandboxError, OSError) as error:
        print(f"eval_model: {error}", file=sys.stderr)
        return HOST_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def taken(words: list[str]) -> Path:
    """Take `--out FILE` out of the command line; everything else is a recipe's. Raises: BadInput."""
    if "--out" not in words[:-1]:
        raise BadInput("where to? Give --out FILE.jsonl, a file that does not exist yet")
    place = words.index("--out")
    out = Path(words[place + 1])
    if out.exists():
        raise BadInput(f"{out} exists already: give another --out")
    del words[place : place + 2]
    return out


def evaluate(recipe: Recipe, out: Path) -> None:
    """Evaluate, print the rates, and write the completions; the file appears only when it is complete."""
    rubric = Rubric(recipe.rewards.weights)
    with recipe.sandbox.pool() as pool:
        from grpo.run.serialize import completion_lines
        from grpo_rust.build import evaluate_policy, load_prompt_set, load_recipe_policy, make_engine, make_sync

        policy = load_recipe_policy(recipe, recipe.model.path)
        held_out = load_prompt_set(recipe, policy, recipe.data.eval, split="test", gold=True, limit=recipe.eval.prompts)
        with closing(make_engine(recipe, policy, out.with_suffix(".engine.log"))) as engine:
            if sync := make_sync(recipe, policy, engine, held_out):
                sync()
            evaluation = evaluate_policy(recipe, rubric, pool, policy, engine, held_out, name="e")
    unfinished = out.with_name(f".{out.name}.unfinished")
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(unfinished, "w", encoding="utf-8") as lines:
        for line in completion_lines(evaluation.groups, step=0, phase="eval"):
            lines.write(json.dumps(line) + "\n")
    unfinished.replace(out)
    print(f"{recipe.model.path}: {held_out} prompts x {recipe.eval.samples} of {recipe.data.eval}")
    for name, value in evaluation.metrics.items():
        half_width = evaluation.metrics.get(f"{name}_ci95")
        if not name.endswith("_ci95"):
            print(f"  {name:22} {value:8.3f}" + (f" ± {half_width:.3f}" if half_width is not None else ""))
    print(f"{out}: {len(evaluation.groups) * evaluation.num_samples} completions, {evaluation.seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
