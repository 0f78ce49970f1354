"""The graders of a recipe: what scores completions in training and in evaluations."""

from __future__ import annotations

from functools import partial

from grpo_rust.compose.evaluation import Graders
from grpo_rust.recipe import Recipe
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from sandbox.workers.pool import SandboxPool

__all__ = ["build_graders"]


def build_graders(recipe: Recipe, rubric: Rubric, pool: SandboxPool) -> Graders:
    """Both graders of a recipe, on one pool of sandboxes."""
    grader = partial(RustGrader, rubric, pool, mutation=recipe.guard.mutation, deadline_s=recipe.rewards.deadline_s)
    return Graders(grader(gold=False), grader(gold=True))
