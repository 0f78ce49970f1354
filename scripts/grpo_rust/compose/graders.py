"""The graders of a recipe: what scores completions in training and in evaluations."""

from __future__ import annotations

from functools import partial

from grpo_rust.compose.evaluation import Graders
from grpo_rust.recipe import Recipe
from rewards.cross.result import CrossSettings
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from rewards.tasks.task import Block
from sandbox.service.grading_pool import GradingPool

__all__ = ["build_graders"]


def build_graders(recipe: Recipe, rubric: Rubric, pool: GradingPool) -> Graders:
    """Both graders of a recipe, on one pool of sandboxes, of this process or of a server."""
    grader = partial(RustGrader, rubric, pool, mutation=recipe.guard.mutation, deadline_s=recipe.rewards.deadline_s)
    block: Block = "last" if recipe.eval.code_block == "last" else "first"
    cross = CrossSettings.of(recipe.rewards.cross)
    apart, size = recipe.rewards.credit == "apart", recipe.sampling.group_size
    training = grader(gold=False, credit_apart=apart, group_size=size, testers=recipe.rollout.testers, cross=cross)
    return Graders(training, grader(gold=True, block=block, solved_by=recipe.eval.solved_by))
