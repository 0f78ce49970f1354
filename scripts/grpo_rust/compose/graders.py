"""The graders of a recipe: what scores completions in training and in evaluations."""

from __future__ import annotations

from grpo.rollout.records import Graders
from grpo_rust.recipe import Recipe
from rewards.cross.result import CrossSettings
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from rewards.tasks.task import Block
from sandbox.service.grading_pool import GradingPool

__all__ = ["build_evaluation_grader", "build_graders", "build_training_grader"]


def build_graders(recipe: Recipe, rubric: Rubric, pool: GradingPool) -> Graders:
    """Both graders of a recipe, on one pool of sandboxes, of this process or of a server."""
    return Graders(build_training_grader(recipe, rubric, pool), build_evaluation_grader(recipe, rubric, pool))


def build_training_grader(recipe: Recipe, rubric: Rubric, pool: GradingPool) -> RustGrader:
    """What scores the completions that are learned from."""
    return RustGrader(
        rubric,
        pool,
        mutation=recipe.guard.mutation,
        deadline_s=recipe.rewards.deadline_s,
        credit_apart=recipe.rewards.credit == "apart",
        group_size=recipe.sampling.group_size,
        testers=recipe.rollout.testers,
        cross=CrossSettings.of(recipe.rewards.cross),
    )


def build_evaluation_grader(recipe: Recipe, rubric: Rubric, pool: GradingPool) -> RustGrader:
    """What scores the completions of evaluations: gold tests are run, whether a reward needs them or not."""
    block: Block = "last" if recipe.eval.code_block == "last" else "first"
    return RustGrader(
        rubric,
        pool,
        gold=True,
        mutation=recipe.guard.mutation,
        block=block,
        solved_by=recipe.eval.solved_by,
        deadline_s=recipe.rewards.deadline_s,
    )
