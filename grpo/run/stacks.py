"""What a process that does nothing is doing: the stacks of its threads, and what the kernel says of it.

A child calls `show_stacks_on_signal` when it starts. Whoever waits for it calls `ask_for_stacks`: the child writes the
stacks of all its threads, also where its main thread waits for a lock. One that is stopped (SIGSTOP, a debugger) cannot
do that; of it the kernel's words remain.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["STACKS_SIGNAL", "Silence", "ask_for_stacks", "show_stacks_on_signal"]

STACKS_SIGNAL = signal.SIGUSR1
ANSWER_S = 1.0  # for a child to write its stacks
LONGEST_STEP_S = 5.0  # counted between two looks: more passes only if this process or the whole machine stood still


class Silence:
    """How long a sign of life has not changed, as seen by someone who looks at it again and again.

    Time in which the one who looks did not run (a stopped trainer, a suspended machine) does not count.
    """

    def __init__(self, sign: Callable[[], Any], *, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            sign: What changes while there is life.
            clock: Seconds, never set back.
        """
        self._sign, self._clock = sign, clock
        self._last, self._looked, self._seconds = sign(), clock(), 0.0

    def seconds(self) -> float:
        """Look: the seconds of silence up to now."""
        now, sign = self._clock(), self._sign()
        self._seconds += min(now - self._looked, LONGEST_STEP_S)
        if sign != self._last:
            self._seconds = 0.0
        self._last, self._looked = sign, now
        return self._seconds


def show_stacks_on_signal(file: Any = 2) -> None:
    """Let STACKS_SIGNAL write the stacks of all threads of this process to a file, by default its standard error."""
    faulthandler.register(STACKS_SIGNAL, file=file, all_threads=True)


def ask_for_stacks(pid: int) -> str:
    """Let a process write its stacks, if it can, and say what the kernel knows of it.

    Returns: One line, for a message: its state, where it waits in the kernel, and whether it was asked for stacks.

    >>> ask_for_stacks(2**22 + 1)
    'it has ended'
    """
    status = _status(pid)
    if not status:
        return "it has ended"
    waits = _read(pid, "wchan").strip("0\n")
    kernel = " < ".join(line.split()[-1] for line in _read(pid, "stack").splitlines()[:5])
    where = f", waits in {kernel or waits}" if kernel or waits else ""
    stopped = status["State"][:1] in "Tt"
    listens = int(status.get("SigCgt", "0"), 16) >> (STACKS_SIGNAL - 1) & 1  # else the signal would end it
    if listens and not stopped:
        try:
            os.kill(pid, STACKS_SIGNAL)
        except OSError as error:  # it ended since, or has become somebody else's
            return f"state {status['State']}{where}; it cannot be asked for its stacks: {error.strerror}"
        time.sleep(ANSWER_S)
    said = "it is stopped and cannot show its stacks" if stopped else "asked for its stacks" if listens else "no stacks"
    return f"state {status['State']}{where}; {said}"


def _status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status; none once the process ended."""
    fields = (line.partition(":") for line in _read(pid, "status").splitlines())
    return {name: value.strip() for name, _, value in fields}


def _read(pid: int, name: str) -> str:
    """A file of a process in /proc; empty where it cannot be read."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
