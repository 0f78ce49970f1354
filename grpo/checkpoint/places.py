"""The names of checkpoints on disk, and how they appear and disappear as a whole."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

__all__ = [
    "STATE",
    "checkpoint_path",
    "find_checkpoints",
    "remove_checkpoint",
    "remove_unfinished",
    "step_of",
    "unfinished",
]

LOG = logging.getLogger(__name__)
STATE = "trainer_state"  # the folder of a checkpoint that transformers does not read
NAME = re.compile(r"step-(\d{6,})")
UNFINISHED = ".unfinished-"


def checkpoint_path(root: Path, step: int) -> Path:
    """Where the checkpoint of a step belongs.

    >>> checkpoint_path(Path("checkpoints"), 120).name
    'step-000120'
    """
    return root / f"step-{step:06d}"


def find_checkpoints(root: Path) -> dict[int, Path]:
    """The checkpoints below a directory by their step, oldest first; whether they are whole is not asked."""
    found = [(step, path) for path in root.glob("step-*") if (step := step_of(path)) is not None]
    return dict(sorted(found))


def step_of(directory: Path) -> int | None:
    """The step in the name of a checkpoint; None for a directory of another name.

    >>> step_of(Path("checkpoints/step-000120")), step_of(Path("checkpoints/step-000120.bak"))
    (120, None)
    """
    match = NAME.fullmatch(directory.name)
    return None if match is None else int(match[1])


def unfinished(directory: Path) -> Path:
    """Where a checkpoint is while it is written."""
    return directory.with_name(f"{UNFINISHED}{directory.name}")


def remove_checkpoint(directory: Path) -> None:
    """Remove a checkpoint so that no part of it is ever seen under its name; of a link, only the link.

    Raises: OSError where the host refuses to rename it; it is whole then.
    """
    doomed = directory.with_name(f"{UNFINISHED}removed-{directory.name}")
    if os.path.lexists(doomed):  # left by a removal that was cut off
        _remove(doomed)
    directory.rename(doomed)
    _remove(doomed)  # a rest that stays is not named as a checkpoint


def remove_unfinished(root: Path) -> None:
    """Remove what is left of checkpoints whose writing or removing was cut off."""
    for left in root.glob(f"{UNFINISHED}*"):
        _remove(left)


def _remove(path: Path) -> None:
    """Remove a directory with all that is in it, a file, or a link but not what it leads to; warn where that fails."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)
    except OSError as error:
        LOG.warning("cannot remove %s: %s. It is tried again before the next checkpoint", path, error)
