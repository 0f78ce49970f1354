"""What one program may use.

The limits are in CPU time, so that a busy machine changes no verdict; the wall clock is only a backstop. `idle_s` is
wall time in which no thread runs, and none would run if it had a processor: a deadlock, or a long sleep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Limits"]


def _limit(default: int, doc: str, unit: str, high: int) -> Any:
    """A field with what `--help` says of it."""
    return field(default=default, metadata={"doc": doc, "unit": unit, "low": 1, "high": high})


@dataclass(frozen=True)
class Limits:
    """The limits of each phase (build, clippy, test) of one program."""

    compile_cpu_s: int = _limit(30, "CPU time of one compiler call", "s", 3600)
    run_cpu_s: int = _limit(10, "CPU time of the compiled tests", "s", 3600)
    idle_s: int = _limit(5, "longest time in which a whole phase sleeps without using CPU time", "s", 86_400)
    wall_s: int = _limit(120, "wall-clock backstop of a phase", "s", 86_400)
    memory_mb: int = _limit(4096, "address space of one process", "MiB", 1_048_576)
    file_mb: int = _limit(256, "largest file that may be written", "MiB", 1_048_576)
    disk_mb: int = _limit(1024, "all files together", "MiB", 1_048_576)
    files: int = _limit(10_000, "files and directories together", "files", 10_000_000)
    output_kb: int = _limit(512, "kept of each output stream, half from its start and half from its end", "KiB", 65_536)
    source_kb: int = _limit(256, "largest program; a larger one fails without being compiled", "KiB", 65_536)

    def fits(self, source: str) -> bool:
        """Whether a program is not too large."""
        return len(source.encode("utf-8", "surrogatepass")) <= self.source_kb << 10
