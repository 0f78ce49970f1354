"""How large a run is: steps, completions, evaluations, and programs graded at once.

Counted from the recipe, the number of its prompts and this machine's cores.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from grpo_rust.engine_choice import expects_gpu
from grpo_rust.recipe import Recipe

__all__ = ["KEPT_CORES", "PromptCount", "RunSize", "num_jobs", "run_size"]

KEPT_CORES = 3  # beside a GPU: the trainer and the engine each have a thread that launches kernels, and helpers


@dataclass(frozen=True)
class PromptCount:
    """How many prompts a source has, those included that may be too long; None where it is not known.

    `note` says where the number is from if not from the prompts, or what of their signatures is not shown as asked.
    `turns` are those of a pass where there are several sources.
    """

    count: int | None
    note: str = ""
    turns: float | None = None

    def __str__(self) -> str:
        number = "an unknown number" if self.count is None else f"{self.count:,}"
        return f"{number} ({self.note})" if self.note else number


@dataclass(frozen=True)
class RunSize:
    """Counts of a run. `steps` is None where the number of prompts is unknown and `train.max_steps` is 0."""

    prompts: PromptCount  # to train on
    steps: int | None
    completions_per_step: int
    evaluations: int
    eval_prompts: int  # of one evaluation
    eval_note: str  # on them, as `PromptCount.note`
    eval_samples: int  # completions to each of them
    turns: int = 1  # of a conversation, at most: each is a completion of its own

    @property
    def evaluated(self) -> int:
        """Completions of all evaluations, at most."""
        return self.evaluations * self.eval_prompts * self.eval_samples * self.turns

    @property
    def trained(self) -> int | None:
        """Completions of all training batches, at most."""
        return None if self.steps is None else self.steps * self.completions_per_step * self.turns

    @property
    def completions(self) -> int | None:
        """Completions of the whole run."""
        return None if self.trained is None else self.trained + self.evaluated


def run_size(recipe: Recipe, prompts: PromptCount, held_out: PromptCount) -> RunSize:
    """The size of the run that a recipe describes.

    Args:
        recipe: The recipe.
        prompts: To train on.
        held_out: Of one evaluation.
    """
    turns = prompts.count if prompts.turns is None else prompts.turns
    steps = recipe.train.max_steps or (None if turns is None else recipe.train.num_steps(turns))
    between = (steps - 1) // recipe.eval.every if steps and recipe.eval.every else 0
    return RunSize(
        prompts=prompts,
        steps=steps,
        completions_per_step=recipe.train.prompts_per_step * recipe.sampling.group_size,
        evaluations=2 + between if recipe.eval.prompts else 0,  # before the first step and after the last
        eval_prompts=recipe.eval.prompts if held_out.count is None else held_out.count,
        eval_note=held_out.note,
        eval_samples=recipe.eval.samples,
        turns=recipe.rollout.turns,
    )


def num_jobs(recipe: Recipe) -> int:
    """How many programs a recipe grades at once on this machine: `sandbox.jobs`, or by the number of cores."""
    cores = len(os.sched_getaffinity(0))
    return recipe.sandbox.jobs or max(1, cores - KEPT_CORES * expects_gpu(recipe.train.device))
