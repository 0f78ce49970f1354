"""Builds Rust libraries of our own that programs are linked with, each once for a toolchain, on first use.

They are kept in the user's cache directory under a hash of their sources and of the compiler. Several processes may
build one at once; each replaces the file in one step.
"""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import tempfile
from pathlib import Path

from sandbox.storage import cache_directory
from sandbox.toolchain import Toolchain

__all__ = ["rust_library"]

FLAGS = ("--edition=2021", "-O", "--crate-type=rlib", "-Cembed-bitcode=no", "-Cstrip=debuginfo")
SECRET = "secret_word"  # in the sources: a random word, for names that no program may know
BUILD_TIMEOUT_S = 120


def rust_library(toolchain: Toolchain, sources: Path) -> Path:
    """The path of a library, which is built if it is not there.

    Args:
        toolchain: The compiler.
        sources: The directory of its sources, with `lib.rs`. The directory above gives it its name.
    Raises:
        OSError: The toolchain cannot build it, or there is no room for it.
    """
    name = sources.parent.name
    digest = hashlib.sha256("\0".join((toolchain.version, toolchain.host, *FLAGS)).encode())
    for source in sorted(sources.glob("*.rs")):
        digest.update(source.read_bytes())
    path = cache_directory() / f"{name}-{digest.hexdigest()[:16]}.rlib"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(toolchain, sources, name, path)
    return path


def _build(toolchain: Toolchain, sources: Path, name: str, path: Path) -> None:
    """Compile a library next to its final path, and move it there."""
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        secret = "x" + secrets.token_hex(12)
        for source in sources.glob("*.rs"):
            (Path(directory) / source.name).write_text(source.read_text().replace(SECRET, secret))
        built = Path(directory) / f"lib{name}.rlib"
        command: list[str | Path] = [toolchain.bin / "rustc", *FLAGS, "--crate-name", name, "-o", built]
        command.append(Path(directory) / "lib.rs")
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=BUILD_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise OSError(f"building the library {name} took more than {BUILD_TIMEOUT_S} s") from error
        if done.returncode:
            raise OSError(f"{toolchain.version} cannot build the library {name}: {done.stderr[-2000:]}")
        built.replace(path)
