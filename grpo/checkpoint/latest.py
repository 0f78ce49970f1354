"""The checkpoint that a run resumes from: the newest one that is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.places import find_checkpoints

__all__ = ["latest_checkpoint"]


def latest_checkpoint(root: Path, *, say: Callable[[str], None] = print) -> Path:
    """The newest checkpoint below `root` all of whose files are as they were written.

    Args:
        root: The run's checkpoints.
        say: Told which newer ones are damaged, and how.
    Raises:
        CheckpointError: When there is none.
    """
    found = list(find_checkpoints(root).values())
    damaged: list[str] = []
    for path in reversed(found):
        if not (damage := find_damage(path)):
            return path
        damaged.append(f"{path}: {damage}")
        if path != found[0]:
            say(f"damaged   {damaged[-1]}; the checkpoint before it is tried")
    if damaged:
        raise CheckpointError(
            "\n  ".join(["no checkpoint is whole; start afresh with another run.dir, or repair one:", *damaged])
        )
    raise CheckpointError(f"{root} holds no checkpoint to resume from: start afresh with another run.dir")
