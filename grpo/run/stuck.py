"""The last resort: ends a run in which nothing happens any more, and leaves the stacks of all its processes.

Whatever has a shorter limit of its own (an engine, a sandbox worker, a reward function, a batch's verdicts) is ended by
that. What remains is a trainer that waits for itself or for its GPU.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from grpo.run.descendants import descendants
from grpo.run.stacks import Silence, ask_for_stacks

__all__ = ["STUCK", "Watchdog", "note_progress", "waits_for"]

STUCK = "stuck.txt"  # in the run's directory
EXIT_CODE = 3  # the host failed
LOOK_EVERY_S = 1.0
STACK_FILES = ("engine.log", "stacks.txt")  # where children write their stacks
SHOWN = 20_000  # characters of such a file
PLACES = {  # module and function -> what is waited for there
    ("grpo.rollout.collect", "collect"): "grading",
    ("grpo.rollout.collect", "sample"): "sampling",
    ("grpo.rollout.prefetch", "_wait_sampled"): "sampling",
    ("grpo.rollout.prefetch", "sample_now"): "sampling",
    ("grpo.rollout.partial.interruptions", "pause"): "sampling",
    ("grpo.rollout.engine_restart", "sync_weights"): "the engine, which is given weights",
    ("grpo.update", "update"): "an update",
    ("grpo.evaluate", "evaluate"): "an evaluation",
    ("grpo.training_loop", "_save_checkpoint"): "a checkpoint",
}
_progress = 0  # counts; only its change matters, so that no lock is needed


def note_progress() -> None:
    """Something ended: a completion, a micro-batch, a step, an evaluation, a checkpoint."""
    global _progress
    _progress += 1


class Watchdog:
    """A thread that looks whether anything still happens."""

    def __init__(self, directory: Path, stuck_after_s: float) -> None:
        """
        Args:
            directory: Of the run.
            stuck_after_s: Seconds without `note_progress` after which the process is ended; 0: never.
        """
        self._directory, self._stuck_after_s = directory, stuck_after_s
        if stuck_after_s:
            threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def _watch(self) -> None:
        silence = Silence(lambda: _progress)
        while silence.seconds() <= self._stuck_after_s:
            time.sleep(LOOK_EVERY_S)
        self._end()

    def _end(self) -> None:
        """Write what is known, say it, and end the process: nothing in it can be relied on to end by itself."""
        what = waits_for(sys._current_frames().get(threading.main_thread().ident or 0))
        said = (
            f"nothing has happened for {self._stuck_after_s:g} s (train.stuck_after_s) while the run waited for {what}"
        )
        place = self._directory / STUCK
        try:
            with open(place, "w", encoding="utf-8") as file:
                file.write(f"{said}\n\n## The trainer, process {os.getpid()}\n\n")
                file.flush()
                faulthandler.dump_traceback(file, all_threads=True)
                for pid in descendants(os.getpid()):
                    file.write(f"\n## Process {pid}: {ask_for_stacks(pid)}\n\n{_written_by(pid)}")
                    file.flush()
        except OSError as error:
            said += f" ({place} cannot be written: {error})"
        text = f"\n{said}; the stacks of all processes are in {place}. Go on with run.resume=true\n"
        os.write(sys.stderr.fileno(), text.encode())
        os._exit(EXIT_CODE)


def waits_for(frame: FrameType | None) -> str:
    """What a thread with these frames waits for, from the innermost on.

    >>> waits_for(None)
    'something unknown'
    """
    found: list[str] = []
    while frame is not None:
        name = PLACES.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        if name is not None and name not in found:
            found.append(name)
        frame = frame.f_back
    return ", in ".join(found) or "something unknown"


def _written_by(pid: int) -> str:
    """The end of the file into which a child writes its stacks."""
    try:
        links = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")}
        files = sorted(link for link in links if Path(link).name in STACK_FILES)
        return "".join(Path(file).read_text(encoding="utf-8", errors="replace")[-SHOWN:] for file in files)
    except OSError as error:
        return f"(what it wrote cannot be read: {error})\n"
