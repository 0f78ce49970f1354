"""Facts about running processes, read from /proc: their descendants, their CPU time, and whether they only wait."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

__all__ = ["Deadlock", "IdleTime", "children_of", "cpu_seconds", "threads_of", "tree_of"]

FUTEX = {"x86_64": "202", "aarch64": "98"}.get(os.uname().machine, "unknown")  # the number of the system call
WAITS = (0, 9)  # FUTEX_WAIT and FUTEX_WAIT_BITSET: what every lock, channel, join and park of Rust comes to
FUTEX_FLAGS = 0x180  # "private" and "by the wall clock"
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


class Deadlock:
    """Notices that every thread of a tree of processes waits for another thread, and without a limit of time.

    Two looks prove it: a thread that has not run between them has waited all the time, and if that is so of all
    threads, none is left that could wake one. On other machines than x86-64 and ARM, and where /proc does not show
    what a thread waits for, nothing is noticed. Not considered: signals of a timer, whose handlers need unsafe code.
    """

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def look(self, pids: Collection[int]) -> bool:
        """Whether the threads of the processes, now and at the last look, are in a deadlock."""
        waits = {thread: _endless_wait(thread) for pid in pids for thread in threads_of(pid)}
        before, self._before = self._before, waits if all(waits.values()) else {}
        return bool(waits) and waits == before


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


def _endless_wait(thread: str) -> str:
    """How often a thread has begun to wait, if it waits for another one without a limit of time; else nothing."""
    try:
        number, *arguments = Path(thread, "syscall").read_text().split()
        status = Path(thread, "status").read_text()
    except (OSError, ValueError):
        return ""
    if number != FUTEX or int(arguments[1], 16) & ~FUTEX_FLAGS not in WAITS or int(arguments[3], 16):
        return ""
    return " ".join(line for line in status.splitlines() if "ctxt_switches" in line)


def _stat(folder: str) -> list[bytes]:
    """The fields of a process or thread from its state on; none once it ended."""
    try:
        return Path(folder, "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []
