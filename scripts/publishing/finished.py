"""The files of a run that is finished, and the checkpoint of it that is published.

Promises that an unfinished run, a damaged checkpoint and a step without one are refused in words. Left out: the run's
completions, which nothing of a card needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.places import find_checkpoints
from grpo.errors import BadInput
from grpo.run.directory import CONFIG, RunDirectory
from grpo.schema import load
from grpo_rust.recipe import Recipe

__all__ = ["DataSet", "FinishedRun", "read_finished"]

Record = Mapping[str, Any]
HUB = "hf:"  # before the name of a data set of the hub


@dataclass(frozen=True)
class FinishedRun:
    """A run whose training ended, and one of its checkpoints."""

    path: Path
    recipe: Recipe
    environment: Record
    summary: Record
    evaluations: tuple[Record, ...]  # by step
    step: int  # of the checkpoint
    checkpoint: Path

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.recipe.run.name or self.path.resolve().name

    @property
    def is_supervised(self) -> bool:
        """Whether demonstrations were imitated and nothing was rewarded."""
        command = self.environment.get("command") or [""]
        return Path(str(command[0])).stem == "sft"

    @property
    def before(self) -> Record | None:
        """The evaluation before the first step."""
        return next((line for line in self.evaluations if line["step"] == 0), None)

    @property
    def after(self) -> Record | None:
        """The evaluation of the published checkpoint itself; None where there was none at its step."""
        return next((line for line in self.evaluations if line["step"] == self.step), None)


@dataclass(frozen=True)
class DataSet:
    """What is known of one source of prompts."""

    setting: str  # data.train or data.eval
    name: str  # without the folders of this machine
    prompts: int | None  # that the run used; None where the checkpoint does not say
    rows: int | None = None  # of the file
    sha256: str = ""  # of the file
    problem: str = ""  # why there is no hash

    @property
    def hub_name(self) -> str:
        """Its name on the hub; empty for a file."""
        return self.name.removeprefix(HUB) if self.name.startswith(HUB) else ""


def read_finished(path: Path, step: int | None = None) -> FinishedRun:
    """Read a run, and find the checkpoint to publish.

    Args:
        path: The run's directory.
        step: Of the checkpoint; None for the newest.
    Raises:
        BadInput: Where there is no run, it is not finished, or has no checkpoint of that step.
        CheckpointError: Where the checkpoint is damaged, with the file.
    """
    if not (path / CONFIG).is_file():
        raise BadInput(f"{path} holds no run (it has no {CONFIG}): give the folder that scripts/train.py wrote")
    summary = _json(path / "summary.json")
    if not summary:
        raise BadInput(
            f"{path} is not finished (it has no summary.json): go on with scripts/train.py run.resume=true "
            f"run.dir={path}, then publish"
        )
    found = find_checkpoints(path / "checkpoints")
    if not found:
        raise BadInput(f"{path} holds no checkpoint: train with checkpoint.every above 0")
    step = max(found) if step is None else step
    if step not in found:
        raise BadInput(f"{path} has no checkpoint of step {step}: give one of {', '.join(map(str, found))}")
    if damage := find_damage(found[step]):
        raise CheckpointError(f"{found[step]} is damaged: {damage}. Publish another one with --step")
    return FinishedRun(
        path=path,
        recipe=load(Recipe, path / CONFIG),
        environment=_json(path / "environment.json"),
        summary=summary,
        evaluations=tuple(sorted(RunDirectory(path).evaluations(), key=lambda line: int(line["step"]))),
        step=step,
        checkpoint=found[step],
    )


def _json(path: Path) -> Record:
    """The object of a JSON file; empty where the file is missing. Raises: BadInput where it is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read ({error}): mend or remove it") from None
    if not isinstance(found, dict):
        raise BadInput(f"{path} holds no JSON object: mend or remove it")
    return found
