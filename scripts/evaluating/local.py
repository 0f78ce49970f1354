"""Evaluating a model with one of this project's engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from grpo.evaluate import Evaluation
from grpo.rollout.records import Example
from grpo_rust.compose.engine import build_engine, build_sync
from grpo_rust.compose.evaluation import evaluate_policy
from grpo_rust.compose.graders import build_graders
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.prompts import PromptSet, encode
from grpo_rust.recipe import Recipe
from rewards.rubric import Rubric
from sandbox.service.grading_pool import GradingPool

__all__ = ["evaluate_local"]


def evaluate_local(
    recipe: Recipe, pool: GradingPool, examples: Sequence[Example], *, engine_log: Path, say: Callable[[str], None]
) -> tuple[Evaluation, PromptSet]:
    """Sample and grade completions of the recipe's model.

    Args:
        recipe: Names the model, how it is sampled, and the rewards.
        pool: Grades the programs.
        examples: The prompts, not encoded.
        engine_log: For the output of an engine in a process of its own.
        say: Takes a line of progress.
    Returns: The evaluation, and the prompts that were short enough.
    """
    policy = load_starting_policy(recipe)
    prompts = encode(recipe, policy, examples, gold=True)
    with closing(build_engine(recipe, policy, engine_log)) as engine:
        if sync := build_sync(recipe, policy, engine, prompts.examples):
            sync(say)
        rubric = Rubric(recipe.rewards.weights, function_s=recipe.rewards.function_s)
        grader = build_graders(recipe, rubric, pool).evaluation
        return evaluate_policy(recipe, policy, engine, grader, prompts.examples, "e"), prompts
