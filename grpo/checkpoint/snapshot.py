"""What a checkpoint holds, in memory, and how it is written from there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from grpo.checkpoint.checksums import write_checksums
from grpo.checkpoint.places import STATE, checkpoint_path, remove_checkpoint, remove_unfinished, unfinished
from grpo.whole_file import sync

__all__ = ["MOMENTS", "Snapshot", "write_checkpoint"]

MOMENTS = "optimizer.safetensors"


@dataclass(frozen=True)
class Snapshot:
    """A checkpoint in memory; later updates do not change it."""

    step: int  # the last one that is in it
    write_policy: Callable[[Path], None]  # writes model and tokenizer into a directory
    moments: Mapping[str, Tensor]  # Adam's, on the CPU
    texts: Mapping[str, str]  # further files: path in the checkpoint -> content
    write_moments: Callable[[Path], None] | None = None  # into a folder, in place of `moments`: all ranks of a training


def write_checkpoint(root: Path, snapshot: Snapshot) -> Path:
    """Write a checkpoint, down to the disk; it has its name only when all of it is there.

    Args:
        root: The run's checkpoints.
        snapshot: What to write. A checkpoint of the same step is replaced.
    Returns: Its directory.
    Raises: OSError, SafetensorError where the host has no room for it; nothing of it is left then.
    """
    directory = checkpoint_path(root, snapshot.step)
    aside = unfinished(directory)
    remove_unfinished(root)
    try:
        (aside / STATE).mkdir(parents=True)
        snapshot.write_policy(aside)
        if snapshot.write_moments is not None:
            snapshot.write_moments(aside / STATE)
        else:
            save_file(dict(snapshot.moments), aside / STATE / MOMENTS)
        for name, text in snapshot.texts.items():
            (aside / name).write_text(text, encoding="utf-8")
        for path in (*aside.rglob("*"), write_checksums(aside, snapshot.step), aside):
            sync(path)
        if os.path.lexists(directory):  # a link that leads nowhere stands in the way too
            remove_checkpoint(directory)
        aside.rename(directory)
        sync(root)
    except BaseException:
        remove_unfinished(root)  # give the disk its room back
        raise
    return directory
