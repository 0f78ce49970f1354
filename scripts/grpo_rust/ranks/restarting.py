"""A run whose ranks torchrun has started anew (`--max-restarts`): it goes on from its last checkpoint by itself.

A run's environment.json has a mark of the torchrun that began it, so that the directory of another run is never taken
for one to go on with. Left out: a rank 0 that torchrun starts on another machine; it refuses the directory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from grpo.checkpoint.places import find_checkpoints
from grpo.run.directory import ENVIRONMENT
from grpo_rust.recipe import Recipe

__all__ = ["after_restart", "torchrun_mark"]

MARK = "torchrun"  # of environment.json


def after_restart(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> Recipe:
    """The recipe as it is, or resumed where this is not the first start; a run without a checkpoint is put aside.

    An earlier start of this torchrun has made the directory then. torchrun's own count is not asked: it leaves out the
    starts that follow machines which come or go.

    Args:
        recipe: The settings.
        environment: Of this process.
    """
    path = recipe.run_path()
    if recipe.run.resume or not _is_ours(path, environment):
        return recipe
    if find_checkpoints(path / "checkpoints"):
        return dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, resume=True))
    names = (path.with_name(f"{path.name}.restart-{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())  # an earlier try may have left some
    path.rename(aside)
    print(f"restarted before its first checkpoint: the run begins anew, and what there was is in {aside}", flush=True)
    return recipe


def torchrun_mark(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What tells the torchrun that started this process from all others, for environment.json; nothing without one."""
    if "TORCHELASTIC_RUN_ID" not in environment:
        return {}
    agent = os.getppid()
    try:
        started = Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    names = (environment["TORCHELASTIC_RUN_ID"], platform.node(), str(agent), started)
    return {MARK: hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]}


def _is_ours(path: Path, environment: Mapping[str, str]) -> bool:
    """Whether an earlier start of this torchrun has made a run's directory."""
    try:
        found = json.loads((path / ENVIRONMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    mark = torchrun_mark(environment)
    return bool(mark) and isinstance(found, dict) and found.get(MARK) == mark[MARK]
