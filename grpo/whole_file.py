"""A file that is there whole or not at all: after a stop at any moment its path has the old content or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["sync", "whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file beside `path`, which takes its place when the block ends without an error.

    It is on the disk before it takes the place, else a crash of the machine could leave an empty file there. A process
    that is killed may leave the unfinished file, whose name begins with a dot; the next one to write `path` reuses it.
    So two processes must not write one path at once.

    Args:
        path: The file; its folder is made.
    Yields: The path to write to, of a file that may not exist yet.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "new" / "a.txt") as unfinished:
    ...         _ = unfinished.write_text("all of it")
    ...     (Path(folder) / "new" / "a.txt").read_text()
    'all of it'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        yield unfinished
        sync(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)  # the new name


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk, so that no rename overtakes the data."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
