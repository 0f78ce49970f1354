"""A Rust toolchain, whose own binaries are called directly and never through rustup's proxies.

A proxy costs five milliseconds a call, and reads settings from the caller's home directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Toolchain"]


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
