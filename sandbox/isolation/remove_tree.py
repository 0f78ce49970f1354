"""Removes what a hostile program left on disk, however deep, wide, locked or full of links it is.

`shutil.rmtree` recurses, and fails with a RecursionError some thousand directories down.
"""

from __future__ import annotations

import os
import secrets
from itertools import count
from pathlib import Path

__all__ = ["remove_tree"]


def remove_tree(top: Path) -> None:
    """Remove a directory and everything in it, following no link. It need not exist.

    Every directory further down is first moved directly below `top`, so that paths stay short and nothing recurses.

    Raises: OSError when something cannot be removed.
    """
    if not os.path.lexists(top):
        return
    os.chmod(top, 0o700)
    fresh_names = (f"{top}/{secrets.token_hex(8)}-{number}" for number in count())
    waiting = [str(top)]
    while waiting:
        directory = waiting.pop()
        with os.scandir(directory) as scan:
            entries = list(scan)
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            waiting.append(entry.path if directory == str(top) else next(fresh_names))
            os.rename(entry.path, waiting[-1])
        if directory != str(top):
            os.rmdir(directory)
    os.rmdir(top)
