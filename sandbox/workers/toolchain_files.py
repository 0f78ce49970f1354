"""Notices that the Rust toolchain was removed or replaced while programs are graded: verdicts of two must not mix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import ToolchainError
from sandbox.toolchain import Toolchain

__all__ = ["ToolchainFiles"]

BINARIES = ("rustc", "cargo", "cargo-clippy", "clippy-driver")


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
