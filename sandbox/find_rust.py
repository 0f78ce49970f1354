"""Finds the Rust toolchain: first in the project's own `.rust/` folder, where `make` puts one, then on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.errors import ToolchainError
from sandbox.toolchain import Toolchain

__all__ = ["MINIMUM_VERSION", "OWN_FOLDER", "find_toolchain"]

MINIMUM_VERSION = (1, 80)
OWN_FOLDER = Path(__file__).resolve().parent.parent / ".rust"
ADVICE = (
    f"Install Rust {MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or newer with clippy "
    "(`rustup toolchain install stable --component clippy`), or let `make` put one into the project's own folder"
)
PROBE_TIMEOUT_S = 60


def find_toolchain() -> Toolchain:
    """The first usable toolchain: the project's own, else the one on PATH.

    Raises: ToolchainError, with every place that was tried and what was wrong with it.
    """
    problems = []
    for rustc in _candidates():
        try:
            return _inspect(rustc)
        except ToolchainError as error:
            problems.append(str(error))
    found = "; ".join(problems) or f"no rustc in {OWN_FOLDER.name}/ or on PATH"
    raise ToolchainError(f"no usable Rust toolchain: {found}. {ADVICE}")


def _candidates() -> list[Path]:
    """Every rustc to try, in order."""
    own = sorted(OWN_FOLDER.glob("toolchains/*/bin/rustc"))
    on_path = shutil.which("rustc")
    return own + ([Path(on_path)] if on_path else [])


def _inspect(rustc: Path) -> Toolchain:
    """The toolchain of a rustc. Raises: ToolchainError when it is incomplete or too old."""
    sysroot = Path(_ask(rustc, "--print", "sysroot").strip())
    binaries = sysroot / "bin"
    missing = [name for name in ("rustc", "cargo", "cargo-clippy", "clippy-driver") if not _runs(binaries / name)]
    if missing:
        raise ToolchainError(f"{binaries} lacks {', '.join(missing)}")
    about = _ask(binaries / "rustc", "-vV")
    version = re.search(r"^rustc (\d+)\.(\d+)\..*$", about, re.MULTILINE)
    host = re.search(r"^host: (\S+)$", about, re.MULTILINE)
    if version is None or host is None:
        raise ToolchainError(f"{binaries / 'rustc'} does not say its version (it printed {about[:80]!r})")
    if (int(version[1]), int(version[2])) < MINIMUM_VERSION:
        raise ToolchainError(f"{version[0]} in {binaries} is too old")
    return Toolchain(binaries, version[0], host[1])


def _runs(path: Path) -> bool:
    """Whether a file can be executed."""
    return path.is_file() and os.access(path, os.X_OK)


def _ask(program: Path, *arguments: str) -> str:
    """What a program prints. Raises: ToolchainError when it fails."""
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=PROBE_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"{program} does not run ({error})") from error
    if done.returncode:
        raise ToolchainError(f"{program} does not run ({done.stderr.strip()[:200]})")
    return done.stdout
