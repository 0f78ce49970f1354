"""Writes checkpoints beside the training: one at a time, in a thread; removes those that are no longer kept.

The thread ends with the process. Where that is killed while it writes, an `.unfinished-*` folder is left, which the
next session removes, and the checkpoints before it are as they were.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.places import checkpoint_path, find_checkpoints, remove_checkpoint
from grpo.checkpoint.snapshot import Snapshot, write_checkpoint

__all__ = ["CheckpointWriter"]

LOG = logging.getLogger(__name__)
Evaluations = Sequence[Mapping[str, Any]]


class CheckpointWriter:
    """The checkpoints of a run. Call `finish` before the run is said to be done."""

    def __init__(
        self, root: Path, keeping: Keeping, *, written: Callable[[float], None] = lambda seconds: None
    ) -> None:
        """
        Args:
            root: The run's checkpoints.
            keeping: Which of them stay.
            written: Told how long it took to write one, seconds.
        """
        self._root, self._keeping, self._written = root, keeping, written
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self.newest = 0  # step of the newest checkpoint that is known to be whole

    def save(self, snapshot: Snapshot, evaluations: Evaluations, *, before: Callable[[], None] = lambda: None) -> None:
        """Begin to write a checkpoint; waits for the one before it, and for one that all ranks of a training write.

        Args:
            snapshot: What to write.
            evaluations: The run's so far, which say what is kept beside the newest.
            before: Called in the thread before anything is written.
        Raises:
            CheckpointError: When the one before it could not be written.
        """
        self.wait()
        self._thread = threading.Thread(
            target=self._write, args=(snapshot, evaluations, before), name="checkpoint", daemon=True
        )
        self._thread.start()
        if snapshot.write_moments is not None:
            self.wait()  # no rank may do anything else meanwhile

    def wait(self) -> None:
        """Wait until nothing is being written.

        Raises:
            CheckpointError: When it could not be written; older checkpoints stay.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def finish(self, evaluations: Evaluations) -> None:
        """Wait for the last checkpoint, and remove those that the last evaluation shows not to be among the best.

        Raises:
            CheckpointError: As `wait`.
        """
        self.wait()
        if self.newest:
            self._run(self.newest, lambda: self._remove_others(evaluations))
            self.wait()

    def _write(self, snapshot: Snapshot, evaluations: Evaluations, before: Callable[[], None]) -> None:
        def write() -> None:
            started = time.monotonic()
            before()
            write_checkpoint(self._root, snapshot)
            self._written(time.monotonic() - started)
            self.newest = snapshot.step
            self._remove_others(evaluations)

        self._run(snapshot.step, write)

    def _run(self, step: int, action: Callable[[], None]) -> None:
        """Do something for the checkpoint of a step, and keep its error for `wait`."""
        try:
            action()
        except (OSError, SafetensorError) as error:
            self._error = _cannot_write(checkpoint_path(self._root, step), error)
            self._error.__cause__ = error
        except Exception as error:  # a fault of the program: `wait` raises it where it is seen
            self._error = error

    def _remove_others(self, evaluations: Evaluations) -> None:
        """Remove what is not kept; and what is newer than the newest: damaged ones that a resumed run did not use.

        A removal that fails is only warned of.
        """
        found = find_checkpoints(self._root)
        kept = self._keeping.kept([step for step in found if step <= self.newest], evaluations)
        for step, path in found.items():
            if step in kept:
                continue
            try:
                remove_checkpoint(path)
            except OSError as error:  # what was written is whole: no reason to stop
                LOG.warning("cannot remove %s: %s. It is tried again after the next checkpoint", path, error)


def _cannot_write(directory: Path, error: Exception) -> CheckpointError:
    """What to say when a checkpoint could not be written, and from where to go on."""
    if not (others := list(find_checkpoints(directory.parent).values())):
        return CheckpointError(
            f"cannot write {directory}: {error}. It would have been the first: make room, then start afresh with "
            "another run.dir"
        )
    return CheckpointError(
        f"cannot write {directory}: {error}. What was written before is kept: make room, then continue from "
        f"{others[-1].name} with run.resume=true"
    )
