"""The processes below a process, read from /proc."""

from __future__ import annotations

from pathlib import Path

__all__ = ["children", "descendants"]


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run; none where it has ended."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, file.read_text().split())
        except OSError:  # the thread ended
            continue
    return found


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs, each child before its own."""
    return [below for child in children(pid) for below in (child, *descendants(child))]
