"""What several ranks refuse to train, known without torch: ranks say it when they join, a plan before that."""

from __future__ import annotations

from grpo.schema import ConfigError
from grpo_rust.recipe import Recipe

__all__ = ["refuse_settings"]


def refuse_settings(recipe: Recipe, size: int, *, supervised: bool = False) -> None:
    """Check that a recipe can be trained by so many ranks. Raises: ConfigError, with all problems.

    Args:
        recipe: The settings.
        size: How many ranks there are.
        supervised: Whether demonstrations are imitated: a prompt has one answer then.
    """
    train = recipe.train
    answers, what = recipe.sampling.group_size, "completions"
    meaning = " * sampling.group_size / train.num_minibatches"
    if supervised:
        answers, what, meaning = 1, "demonstrations", " / train.num_minibatches"
    batch = train.prompts_per_step * answers // train.num_minibatches
    problems = []
    if size > batch:
        problems.append(
            f"{size} ranks, but an optimizer batch has at most {batch} {what} (train.prompts_per_step{meaning}): "
            "start fewer ranks, or make it larger"
        )
    if recipe.model.dtype == "float16":
        problems.append('model.dtype = "float16": its loss scale is for one process; use "bfloat16"')
    if train.optimizer != "adamw":
        problems.append(f'train.optimizer = "{train.optimizer}": its moments cannot be sharded; use "adamw"')
    if train.compile_layers:
        problems.append("train.compile_layers = true: compiled layers are not sharded; set it to false")
    if problems:
        raise ConfigError("several ranks cannot train this recipe:\n  " + "\n  ".join(problems))
