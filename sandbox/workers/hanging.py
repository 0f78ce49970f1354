"""Notices a worker that hangs without dying: one that is stopped (SIGSTOP, a debugger), or that waits for itself.

The worker counts heartbeats in shared memory, by a thread that does nothing else. A program cannot silence them: the
worker only waits for its commands. A worker that beats and still gets nowhere is bounded by what one command may take,
since it starts one after the other and answers in between.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["LONGEST_STEP_S", "SILENT_S", "HangWatch", "beat", "stacks_of"]

SILENT_S = 30.0  # without a heartbeat: a busy machine lets even a process of niceness 19 run every few seconds
BEAT_EVERY_S = 1.0
BETWEEN_COMMANDS_S = 60.0  # beside the wall-clock limit of a command: reading its messages, making the next project
LONGEST_STEP_S = 5.0  # counted between two looks: more passes only if this process or the whole machine stood still
STACKS = "stacks.txt"  # in the worker's directory
STACKS_SIGNAL = signal.SIGUSR1
ANSWER_S = 1.0


class HangWatch:
    """Looks at one worker while it is waited for."""

    def __init__(self, beats: Callable[[], int], progress: Callable[[], Any], command_s: float) -> None:
        """
        Args:
            beats: The worker's heartbeats so far.
            progress: What changes with every command and every answer.
            command_s: The longest that a command may take, seconds.
        """
        self._signs = (beats, progress)
        self._seen = [beats(), progress()]
        self._silent = [0.0, 0.0]
        self._allowed = (SILENT_S, command_s + BETWEEN_COMMANDS_S)
        self._looked = time.monotonic()

    def hangs(self) -> str:
        """Look: why the worker hangs, or nothing."""
        now = time.monotonic()
        step, self._looked = min(now - self._looked, LONGEST_STEP_S), now
        for number, sign in enumerate(self._signs):
            seen = sign()
            self._silent[number] = self._silent[number] + step if seen == self._seen[number] else 0.0
            self._seen[number] = seen
        if self._silent[0] > self._allowed[0]:
            return f"it has not run for {self._allowed[0]:g} s"
        if self._silent[1] > self._allowed[1]:
            return f"it has neither answered nor started a command for {self._allowed[1]:g} s"
        return ""


def beat(counter: Any, directory: Path) -> None:
    """In a worker: count heartbeats from now on, and write all stacks into a file when STACKS_SIGNAL comes."""

    def count() -> None:
        while True:
            counter.value += 1
            time.sleep(BEAT_EVERY_S)

    faulthandler.register(STACKS_SIGNAL, file=open(directory / STACKS, "w"), all_threads=True)
    threading.Thread(target=count, daemon=True, name="heartbeat").start()


def stacks_of(pid: int, directory: Path) -> str:
    """The state of a worker, and the stacks of its threads if it can still write them."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        state = next(line.split(None, 1)[1] for line in status.splitlines() if line.startswith("State:"))
        if state[0] in "Tt":
            return f"state {state}: it was stopped, and cannot show its stacks"
        if (directory / STACKS).exists():  # else the signal would end it
            os.kill(pid, STACKS_SIGNAL)
            time.sleep(ANSWER_S)
            return f"state {state}, stacks:\n{(directory / STACKS).read_text()}"
        return f"state {state}"
    except OSError as error:
        return f"nothing more is known of it ({error})"
