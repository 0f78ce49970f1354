"""Makes a toolchain readable for other users when it lies in a home that only its owner may enter.

The home keeps its permissions. The toolchain's files get hard links, or copies on another disk, in a directory that
only root may write.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

from sandbox.toolchain import Toolchain

__all__ = ["is_reachable", "publish_toolchain", "publish_file"]

SHARED = Path("/var/cache/grpo-rust")
NEEDED = ("bin", "lib", "libexec")


def is_reachable(path: Path) -> bool:
    """Whether every user may enter all directories above a path, and read it.

    >>> is_reachable(Path("/usr/bin"))
    True
    """
    above = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
    return above and bool(path.stat().st_mode & stat.S_IROTH)


def publish_toolchain(toolchain: Toolchain, shared: Path = SHARED) -> Toolchain:
    """The toolchain itself if every user can reach it, else a copy that they can reach.

    Raises: OSError when the copy cannot be made, or other users may write the directory for it.
    """
    if is_reachable(toolchain.bin):
        return toolchain
    source = toolchain.bin.parent
    about = (source / "bin" / "rustc").stat()
    name = hashlib.sha256(f"{source} {toolchain.version} {about.st_mtime_ns} {about.st_size}".encode()).hexdigest()[:16]
    place = _own(shared) / name
    if not place.exists():
        _make(source, place)
    return replace(toolchain, bin=place / "bin")


def publish_file(path: Path, shared: Path = SHARED) -> Path:
    """The file itself if every user can reach it, else a copy. Raises: as `publish_toolchain`."""
    if is_reachable(path):
        return path
    place = _own(shared) / path.name
    if not place.exists():
        _link_or_copy(str(path), str(place))
    return place


def _own(shared: Path) -> Path:
    """Make a directory if it is not there. Raises: OSError when other users may write it."""
    shared.mkdir(parents=True, exist_ok=True, mode=0o755)
    about = shared.stat()
    if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(f"{shared} can be written by other users: it is no place for a toolchain")
    return shared


def _make(source: Path, place: Path) -> None:
    """Link or copy the files of a toolchain to a place, which appears when it is complete."""
    unfinished = Path(tempfile.mkdtemp(dir=place.parent))
    unfinished.chmod(0o755)
    try:
        for part in NEEDED:
            if (source / part).is_dir():
                shutil.copytree(source / part, unfinished / part, copy_function=_link_or_copy)
        unfinished.rename(place)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not place.exists():  # else another process was faster
            raise


def _link_or_copy(source: str, target: str) -> None:
    """Make a hard link to a file, or a copy where links are impossible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
