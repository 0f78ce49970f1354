"""The state of a run in memory, into a checkpoint and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.places import STATE
from grpo.checkpoint.snapshot import MOMENTS, Snapshot
from grpo.optimizer.adamw import named_state, restored_state
from grpo.update import Updater

__all__ = ["load_trainer_state", "take_snapshot"]


def take_snapshot(updater: Updater, *, step: int, progress: Mapping[str, Any], texts: Mapping[str, str]) -> Snapshot:
    """Copy a policy and its optimizer's state to memory.

    Args:
        updater: Has both.
        step: The last step that is in them.
        progress: Plain JSON values that `load_trainer_state` returns.
        texts: Further files: path in the checkpoint -> content.
    """
    state = {} if updater.write_moments else named_state(updater.optimizer)
    moments = {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}
    counters = {name: value for name, value in updater.state_dict().items() if name != "optimizer"}
    known = json.dumps({"step": step, **counters, **progress})
    texts = {**texts, f"{STATE}/progress.json": known}
    return Snapshot(step, updater.policy.snapshot(), moments, texts, updater.write_moments)


def load_trainer_state(checkpoint: Path, updater: Updater) -> dict[str, Any]:
    """Give the updater its Adam state back (the weights come from `load_policy`), and return the progress.

    Raises:
        CheckpointError: For a missing or damaged file; of several ranks, an error on all of them.
    """
    progress, problem = {}, None
    with updater.together("load_trainer_state", checkpoint):
        try:
            progress = _load(checkpoint / STATE, updater)
        except CheckpointError as error:
            problem = error
        if updater.raise_together is not None:
            updater.raise_together(problem)
        elif problem is not None:
            raise problem
    return progress


def _load(state: Path, updater: Updater) -> dict[str, Any]:
    """As `load_trainer_state`, of this process."""
    try:
        progress: dict[str, Any] = json.loads((state / "progress.json").read_text())
        if not isinstance(progress, dict):
            raise ValueError("progress.json holds no JSON object")
        moments = _read_moments(state, updater)
        adam = {**updater.optimizer.state_dict(), "state": restored_state(moments, updater.optimizer)}
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


def _read_moments(state: Path, updater: Updater) -> dict[str, Tensor]:
    """Adam's moments, written by one process in one file or by several ranks in a file each."""
    if updater.write_moments is None and not any(state.glob("shard-*.safetensors")):
        return load_file(state / MOMENTS)
    from grpo.distributed.moments import read_moments

    return read_moments(state, updater.optimizer)
