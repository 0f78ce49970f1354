"""Checkpoints: an ordinary Hugging Face directory, and what training needs to continue exactly where it was.

`checkpoints/step-000120/` loads in `transformers` as it is. Its `trainer_state/` holds Adam's moments (safetensors,
never pickle) and a few numbers, in float16 the loss scale too; sampling and shuffling are functions of seed and step,
so there is no generator state to keep. A checkpoint appears under its name only when it is complete.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from grpo.errors import HostFailed
from grpo.optimizer.adamw import named_state, restored_state
from grpo.update import Updater

__all__ = ["CheckpointError", "latest_checkpoint", "load_trainer_state", "save_checkpoint"]

NAME = re.compile(r"step-(\d{6,})")


class CheckpointError(HostFailed):
    """A checkpoint is missing or damaged, or cannot be written; says which."""


def save_checkpoint(
    root: Path, *, step: int, updater: Updater, progress: dict[str, Any], config_toml: str, keep: int
) -> Path:
    """Write `root/step-NNNNNN` and remove all but the newest `keep`.

    Args:
        root: The run's checkpoints.
        step: The last step that is in it.
        updater: The policy and the optimizer's state.
        progress: Plain JSON values that `load_trainer_state` returns.
        config_toml: The resolved recipe.
        keep: How many of the newest checkpoints stay.
    Returns: The checkpoint's directory.
    Raises:
        CheckpointError: When the host has no room for it; older ones stay.
    """
    directory = root / f"step-{step:06d}"
    unfinished = root / f".unfinished-{directory.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        counters = {name: value for name, value in updater.state_dict().items() if name != "optimizer"}
        _write(unfinished, updater, {"step": step, **counters, **progress}, config_toml)
        shutil.rmtree(directory, ignore_errors=True)
        unfinished.rename(directory)
        _sync(root)
        for old in _all(root)[:-keep]:
            shutil.rmtree(old)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)  # give the disk its room back
        raise CheckpointError(
            f"cannot write {directory}: {error}. What was written before is kept: make room, then continue from "
            f"{_all(root)[-1].name} with run.resume=true"
            if _all(root)
            else f"cannot write {directory}: {error}. It would have been the first: make room, then start afresh with "
            "another run.dir"
        ) from error
    return directory


def latest_checkpoint(root: Path) -> Path:
    """The newest complete checkpoint below `root`.

    Raises:
        CheckpointError: When there is none.
    """
    checkpoints = _all(root)
    if not checkpoints:
        raise CheckpointError(f"{root} holds no checkpoint to resume from: start afresh with another run.dir")
    return checkpoints[-1]


def load_trainer_state(checkpoint: Path, updater: Updater) -> dict[str, Any]:
    """Give the updater its Adam state back (the weights come from `load_policy`), and return the progress.

    Raises:
        CheckpointError: For a missing or damaged file.
    """
    state = checkpoint / "trainer_state"
    try:
        progress: dict[str, Any] = json.loads((state / "progress.json").read_text())
        if not isinstance(progress, dict):
            raise ValueError("progress.json holds no JSON object")
        moments = load_file(state / "optimizer.safetensors")
        fresh = updater.optimizer.state_dict()
        adam = {**fresh, "state": restored_state(moments, updater.optimizer)}
        updater.load_state_dict({**progress, "optimizer": adam})
    except KeyError as error:
        raise CheckpointError(
            f"{state} cannot be read (it lacks {error}, as an older version does): resume from an older checkpoint "
            "or start afresh"
        ) from error
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise CheckpointError(
            f"{state} cannot be read ({error}): resume from an older checkpoint or start afresh"
        ) from error
    return progress


def _write(directory: Path, updater: Updater, progress: dict[str, Any], config_toml: str) -> None:
    """Write all files of a checkpoint, down to the disk."""
    state = directory / "trainer_state"
    state.mkdir(parents=True)
    updater.policy.save(directory)
    save_file(named_state(updater.optimizer), state / "optimizer.safetensors")
    (state / "progress.json").write_text(json.dumps(progress, indent=2))
    (directory / "config.toml").write_text(config_toml, encoding="utf-8")
    for path in directory.rglob("*"):
        _sync(path)


def _all(root: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = [(int(match[1]), path) for path in root.glob("step-*") if (match := NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _sync(path: Path) -> None:
    """Ask for a file or directory to reach the disk, so that the rename never overtakes the data."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
