"""Facts about running processes, read from /proc: their descendants, their CPU time, and whether they only wait."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

__all__ = ["IdleTime", "children_of", "cpu_seconds", "threads_of", "tree_of"]

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
BUSY_STATES = ([b"R"], [b"D"])  # runs or would run on a less busy machine; waits for a disk
LITTLE_CPU_S = 0.05  # in one time of idleness: what waking up now and then costs
LONGEST_STEP_S = 1.0  # counted between two looks: more passes only if this process or the whole machine stood still


class IdleTime:
    """How long a tree of processes has used no CPU time while all its threads slept.

    A machine that is too busy to run a thread does not count: such a thread is runnable, and does not sleep.
    """

    def __init__(self, now: float) -> None:
        """Start to count.

        Args:
            now: The time on the monotonic clock, seconds.
        """
        self._last_look = now
        self._cpu_s = 0.0
        self._seconds = 0.0

    def look(self, pids: Collection[int], cpu_s: float, now: float) -> float:
        """The seconds of idleness up to now.

        Args:
            pids: The processes.
            cpu_s: The CPU seconds that they have used in all.
            now: The time on the monotonic clock, seconds.
        """
        step, self._last_look = min(now - self._last_look, LONGEST_STEP_S), now
        if not 0 <= cpu_s - self._cpu_s <= LITTLE_CPU_S or not _all_sleep(pids):
            self._cpu_s, self._seconds = cpu_s, 0.0
        else:
            self._seconds += step
        return self._seconds

    def interrupt(self) -> None:
        """Begin again: the processes did something that their CPU time does not show."""
        self._seconds = 0.0


def tree_of(roots: Collection[int]) -> list[int]:
    """Processes and their descendants."""
    found, waiting = [], list(roots)
    while waiting:
        found.append(waiting.pop())
        waiting += children_of(found[-1])
    return found


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    found: list[int] = []
    for thread in threads_of(pid):
        try:
            found += map(int, Path(thread, "children").read_text().split())
        except OSError:
            continue  # this thread ended in between
    return found


def threads_of(pid: int) -> list[str]:
    """The folders of a process's threads in /proc; none once it ended."""
    try:
        return [entry.path for entry in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return []


def cpu_seconds(pids: Collection[int]) -> float:
    """CPU seconds of processes and of the children that they have waited for."""
    fields = (_stat(f"/proc/{pid}") for pid in pids)
    return sum(sum(map(int, found[11:15])) for found in fields if found) / CLOCK_TICKS  # utime, stime, cutime, cstime


def _all_sleep(pids: Collection[int]) -> bool:
    """Whether no thread of the processes runs, or would run if there were a processor for it."""
    return not any(_stat(task)[:1] in BUSY_STATES for pid in pids for task in threads_of(pid))


def _stat(folder: str) -> list[bytes]:
    """The fields of a process or thread from its state on; none once it ended."""
    try:
        return Path(folder, "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []
