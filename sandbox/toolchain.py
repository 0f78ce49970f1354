"""A Rust toolchain, whose own binaries are called directly and never through rustup's proxies.

A proxy costs five milliseconds a call, and reads settings from the caller's home directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import ToolchainError

__all__ = ["Toolchain", "ToolchainFiles"]

BINARIES = ("rustc", "cargo", "cargo-clippy", "clippy-driver")


@dataclass(frozen=True)
class Toolchain:
    """Where a toolchain's binaries are, and its version."""

    bin: Path  # holds cargo, rustc, cargo-clippy and clippy-driver
    version: str  # "rustc 1.95.0 (59807616e 2026-04-14)": decides verdicts, so every cache key has it
    host: str  # the target triple it compiles for

    @property
    def cargo(self) -> Path:
        return self.bin / "cargo"

    @property
    def libraries(self) -> Path:
        """The target's libraries, which cargo puts into LD_LIBRARY_PATH."""
        return self.bin.parent / "lib" / "rustlib" / self.host / "lib"

    @property
    def links_with_lld(self) -> bool:
        """Whether rustc links with the lld that comes with it: since 1.90 on x86_64-unknown-linux-gnu."""
        is_there = (self.libraries.parent / "bin" / "gcc-ld" / "ld.lld").exists()
        minor = int(self.version.split(".")[1])
        return is_there and self.host == "x86_64-unknown-linux-gnu" and minor >= 90


@dataclass(frozen=True)
class ToolchainFiles:
    """The files of a toolchain that decide verdicts, as they were: size and time of change, which cost microseconds."""

    version: str
    files: tuple[tuple[Path, tuple[int, int] | None], ...]

    @classmethod
    def of(cls, toolchain: Toolchain) -> ToolchainFiles:
        """The files as they are now; nothing of them is read."""
        drivers = sorted((toolchain.bin.parent / "lib").glob("librustc_driver*"))
        paths = [*(toolchain.bin / name for name in BINARIES), toolchain.libraries, *drivers]
        return cls(toolchain.version, tuple((path, _state(path)) for path in paths))

    def check(self) -> None:
        """Look whether they are what they were.

        Raises: ToolchainError naming the first that was removed or replaced.
        """
        for path, before in self.files:
            if (now := _state(path)) != before:
                what = "is gone" if now is None else "was changed"
                raise ToolchainError(
                    f"the Rust toolchain is no longer the one that this run grades with ({self.version}): {path} "
                    f"{what}. Put it back, then go on; or start a new run with the other toolchain"
                )


def _state(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one in its place; None if there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns
