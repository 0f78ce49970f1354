"""How large a run is: steps, completions and evaluations, counted from the recipe and its prompt files."""

from __future__ import annotations

from dataclasses import dataclass

from grpo_rust.prompt_counts import available_prompts
from grpo_rust.recipe import Recipe

__all__ = ["RunSize", "run_size"]


@dataclass(frozen=True)
class RunSize:
    """Counts of a run. `steps` is None where the number of prompts is unknown and `train.max_steps` is 0."""

    prompts: str  # how many there are to train on, as text
    steps: int | None
    completions_per_step: int
    evaluations: int
    eval_prompts: int  # of one evaluation
    eval_samples: int  # completions to each of them

    @property
    def evaluated(self) -> int:
        """Completions of all evaluations."""
        return self.evaluations * self.eval_prompts * self.eval_samples

    @property
    def trained(self) -> int | None:
        """Completions of all training batches."""
        return None if self.steps is None else self.steps * self.completions_per_step

    @property
    def completions(self) -> int | None:
        """Completions of the whole run."""
        return None if self.trained is None else self.trained + self.evaluated


def run_size(recipe: Recipe) -> RunSize:
    """The size of the run that a recipe describes.

    Raises:
        ConfigError: For a data file that cannot be used.
    """
    prompts, as_text = available_prompts(recipe.data.train, key="data.train")
    steps = recipe.train.max_steps or (None if prompts is None else recipe.train.num_steps(prompts))
    evaluations, eval_prompts = 0, 0
    if recipe.eval.prompts:
        available, _ = available_prompts(recipe.data.eval, key="data.eval")
        eval_prompts = recipe.eval.prompts if available is None else min(available, recipe.eval.prompts)
        between = (steps - 1) // recipe.eval.every if steps and recipe.eval.every else 0
        evaluations = 2 + between  # before the first step and after the last
    return RunSize(
        prompts=as_text,
        steps=steps,
        completions_per_step=recipe.train.prompts_per_step * recipe.sampling.group_size,
        evaluations=evaluations,
        eval_prompts=eval_prompts,
        eval_samples=recipe.eval.samples,
    )
