"""A run whose ranks torchrun has started anew (`--max-restarts`): it goes on from its last checkpoint by itself."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

from grpo_rust.recipe import Recipe

__all__ = ["after_restart"]


def after_restart(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> Recipe:
    """The recipe as it is, or resumed where this is not the first start; a run without a checkpoint is put aside.

    Args:
        recipe: The settings.
        environment: With the number of starts before this one.
    """
    restarts = int(environment.get("TORCHELASTIC_RESTART_COUNT", "0"))
    path = recipe.run_path()
    if not restarts or not os.path.lexists(path):
        return recipe
    if any((path / "checkpoints").glob("step-*")):
        return dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, resume=True))
    aside = path.with_name(f"{path.name}.restart-{restarts}")
    path.rename(aside)
    print(f"restarted before its first checkpoint: the run begins anew, and what there was is in {aside}", flush=True)
    return recipe
