"""Which process of a running training is what; no test lives here."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_engine", "is_program", "is_worker"]


def is_worker(pid: int) -> bool:
    """Whether a child of the trainer grades programs."""
    return b"spawn_main" in words_of(pid) and not is_engine(pid)


def is_engine(pid: int) -> bool:
    """Whether a child of the trainer samples: its errors go to a file of the run."""
    return os.path.realpath(f"/proc/{pid}/fd/2").endswith("engine.log")


def is_program(pid: int) -> bool:
    """Whether a process compiles or runs a program, or is the launcher that begins it."""
    return any(word in words_of(pid) for word in (b"rustc", b"clippy-driver", b"launcher", b"rust_progr"))


def words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""
