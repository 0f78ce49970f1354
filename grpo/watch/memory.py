"""The memory of a run's processes, read from /proc once a step: trainer, engine, and all other direct children.

Resident memory, in MB of 10^6 bytes; memory that processes share counts for each of them. Where there is no /proc
there are no numbers. Left out: the children of workers, compilers and tests, which live for less than a step, and a
child with a session of its own, as what feeds trackers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from grpo.run.descendants import children, descendants

__all__ = ["memory_metrics"]

MB = 1e6
PROC = Path("/proc")


def memory_metrics(engine_pid: Callable[[], int] | None = None) -> dict[str, float]:
    """The `memory/` metrics of now.

    Args:
        engine_pid: The process of the engine, which counts with all below it; None where it has none of its own.
    """
    own = os.getpid()
    engine = engine_pid() if engine_pid is not None else 0
    workers = [child for child in children(own) if child != engine and _in_our_session(child)]
    found = {"memory/trainer": _resident(own), "memory/available": _available()}
    if engine:
        found["memory/engine"] = sum(map(_resident, (engine, *descendants(engine))))
    if workers:
        found["memory/workers"] = sum(map(_resident, workers))
    return {name: value for name, value in found.items() if value}


def _in_our_session(pid: int) -> bool:
    """Whether a process belongs to this one's session; False where it has gone."""
    try:
        return os.getsid(pid) == os.getsid(0)
    except OSError:
        return False


def _resident(pid: int) -> float:
    """Resident memory of a process in MB; 0 where it has gone."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def _available() -> float:
    """Memory of the machine that programs can still take, in MB; 0 where that is unknown."""
    try:
        lines = (PROC / "meminfo").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("MemAvailable:")), 0.0)
