"""Builds the launcher on first use: a small Rust program that gives up rights and then becomes a guest's command.

The built program is kept in the user's cache directory under a hash of its sources and of the compiler, so that changed
sources are built again. Several processes may build it at once; each replaces the file in one step.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from sandbox.errors import ToolchainError
from sandbox.storage import cache_directory
from sandbox.toolchain import Toolchain

__all__ = ["launcher"]

SOURCES = Path(__file__).parent / "launcher"
FLAGS = ("--edition=2021", "-O", "-Cpanic=abort", "-Cstrip=symbols")
# Makes a launch a third cheaper; needs libc.a.
STATIC = ("-Ctarget-feature=+crt-static", "-Crelocation-model=static")
BUILD_TIMEOUT_S = 120


def launcher(toolchain: Toolchain) -> Path:
    """The path of the launcher, which is built if it is not there.

    Raises: ToolchainError when the toolchain cannot build it; OSError when there is no room for it.
    """
    digest = hashlib.sha256("\0".join((toolchain.version, toolchain.host, *FLAGS, *STATIC)).encode())
    for source in sorted(SOURCES.glob("*.rs")):
        digest.update(source.read_bytes())
    program = cache_directory() / f"launcher-{digest.hexdigest()[:16]}"
    if not os.access(program, os.X_OK):
        program.parent.mkdir(parents=True, exist_ok=True)
        _build(toolchain, program)
    return program


def _build(toolchain: Toolchain, program: Path) -> None:
    """Compile the launcher next to its final path, and move it there."""
    with tempfile.TemporaryDirectory(dir=program.parent) as directory:
        built = Path(directory) / "launcher"
        done = _compile(toolchain, built, *STATIC)
        if done.returncode:
            done = _compile(toolchain, built)
        if done.returncode:
            raise ToolchainError(f"{toolchain.version} cannot build the sandbox's launcher: {done.stderr[-2000:]}")
        built.chmod(0o755)
        built.replace(program)


def _compile(toolchain: Toolchain, built: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Compile the launcher with these flags."""
    command: list[str | Path] = [toolchain.bin / "rustc", *FLAGS, *flags, SOURCES / "main.rs", "-o", built]
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=BUILD_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"building the sandbox's launcher took more than {BUILD_TIMEOUT_S} s") from error
