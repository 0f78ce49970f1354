"""Builds the Rust library that programs write their values with, once for each toolchain, on first use.

It is kept in the user's cache directory under a hash of its sources and of the compiler. Several processes may build it
at once; each replaces the file in one step.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from sandbox.storage import cache_directory
from sandbox.toolchain import Toolchain

__all__ = ["library"]

SOURCES = Path(__file__).parent / "support"
FLAGS = ("--edition=2021", "-O", "--crate-type=rlib", "--crate-name=answers", "-Cembed-bitcode=no", "-Cstrip=debuginfo")
BUILD_TIMEOUT_S = 120


def library(toolchain: Toolchain) -> Path:
    """The path of the library, which is built if it is not there.

    Raises: OSError when the toolchain cannot build it, or there is no room for it.
    """
    digest = hashlib.sha256("\0".join((toolchain.version, toolchain.host, *FLAGS)).encode())
    for source in sorted(SOURCES.glob("*.rs")):
        digest.update(source.read_bytes())
    path = cache_directory() / f"answers-{digest.hexdigest()[:16]}.rlib"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(toolchain, path)
    return path


def _build(toolchain: Toolchain, path: Path) -> None:
    """Compile the library next to its final path, and move it there."""
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        built = Path(directory) / "libanswers.rlib"
        command: list[str | Path] = [toolchain.bin / "rustc", *FLAGS, SOURCES / "lib.rs", "-o", built]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=BUILD_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise OSError(f"building the library for answers took more than {BUILD_TIMEOUT_S} s") from error
        if done.returncode:
            raise OSError(f"{toolchain.version} cannot build the library for answers: {done.stderr[-2000:]}")
        built.replace(path)
