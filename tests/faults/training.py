"""A small real training that can be started, harmed, resumed and compared; no test lives here.

Two runs are equal if weights, moments, metrics, completions and rewards are, to the last bit. Times are left out, and
of a verdict what depends on the clock.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = [
    "EQUAL",
    "SMALL",
    "STOPPED",
    "Tally",
    "Training",
    "children",
    "content",
    "differences",
    "lines",
    "send",
    "wait_for",
]

ROOT = Path(__file__).resolve().parents[2]
EQUAL = "all: the run that goes on ends with the bits of the undisturbed one"  # for the page
STOPPED = 75  # the exit code of a run that can go on
WAIT_S = 300.0  # for what has to happen soon, on a machine that has other work
SMALL = (
    "train.prompts_per_step=2",
    "sampling.group_size=2",
    "sampling.max_completion_tokens=100",
    "eval.prompts=0",
    "train.threads=1",
    "train.max_steps=6",
    "checkpoint.every=1",
    "sandbox.jobs=1",
    "sandbox.keep_verdicts=false",  # every run grades for itself
)
BY_THE_CLOCK = ("time/", "throughput/", "idle/", "memory/")  # metrics
VERDICT = ("outcome", "build", "clippy", "test", "passed", "failed", "ignored", "code", "strict_reason")


class Tally(Protocol):
    """Counts the tries of a fault for docs/reliability.md, once all have ended as they must."""

    def __call__(self, fault: str, *, tries: int, seen: str, kept: str) -> None: ...


@dataclass(frozen=True)
class Training:
    """A run of `scripts/train.py` in a directory of its own."""

    path: Path
    settings: tuple[str, ...] = SMALL
    environment: tuple[tuple[str, str], ...] = ()

    def start(self, *more: str, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Begin the run, or go on with it where its directory exists; `prefix` is a command that begins it."""
        resumed = (self.path / "config.toml").exists()
        settings = ["run.resume=true"] if resumed else list(self.settings)
        return subprocess.Popen(
            [*prefix, sys.executable, str(ROOT / "scripts" / "train.py"), *settings, f"run.dir={self.path}", *more],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", **dict(self.environment)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self, *more: str, prefix: Sequence[str] = ()) -> tuple[int, str]:
        """Begin or go on, to the end: the exit code and what was printed."""
        process = self.start(*more, prefix=prefix)
        output, _ = process.communicate(timeout=4 * WAIT_S)
        return process.returncode, output

    def run_killed(self, when: Callable[[subprocess.Popen[str]], object]) -> bool:
        """Begin or go on, and kill the trainer once `when` returns; False if it had come to its end by itself."""
        process = self.start()
        try:
            when(process)
        finally:
            process.kill()
        output, _ = process.communicate(timeout=WAIT_S)
        assert process.returncode in (0, -signal.SIGKILL), output
        return process.returncode != 0

    def run_harmed(self, harm: Callable[[], object]) -> str:
        """Begin, and do harm after two steps, which has to end the run with exit code 3; what was printed."""
        process = self.start()
        wait_for(lambda: self.steps_done >= 2, process)
        harm()
        output, _ = process.communicate(timeout=WAIT_S)
        assert process.returncode == 3 and "Traceback" not in output, output
        return output

    def finish(self) -> str:
        """Go on to the end, which has to be reached."""
        code, output = self.run()
        assert code == 0, output
        return output

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return any((self.path / "checkpoints").glob("step-*"))

    @property
    def steps_done(self) -> int:
        """The steps whose metrics are logged."""
        log = self.path / "metrics.jsonl"
        return log.read_bytes().count(b"\n") if log.exists() else 0


def content(path: Path) -> dict[str, Any]:
    """What a run computed, by the name of its part: files by their SHA-256, logs line by line without times."""
    newest = max((path / "checkpoints").glob("step-*"))
    files = [*newest.glob("*.safetensors"), *newest.glob("adapter/*.safetensors"), *newest.glob("trainer_state/*.saf*")]
    found: dict[str, Any] = {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
    found["metrics"] = [
        {name: value for name, value in line.items() if not name.startswith(BY_THE_CLOCK)}
        for line in lines(path / "metrics.jsonl")
    ]
    found["completions"] = [
        {**line, "verdict": {name: line["verdict"].get(name) for name in VERDICT}}
        for line in lines(path / "completions.jsonl")
    ]
    for log in sorted((path / "rewards").glob("*.jsonl")):
        found[f"rewards/{log.name}"] = [{**line, "time": 0, "seconds": 0} for line in lines(log)]
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What two runs disagree about, in words; empty for equal ones."""
    ours, theirs = content(one), content(other)
    found = [f"only one has {name}" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        if ours[name] == theirs[name]:
            continue
        if isinstance(ours[name], str):
            found.append(f"{name} differs")
            continue
        pairs = list(zip(ours[name], theirs[name], strict=False))
        place = next((number for number, (a, b) in enumerate(pairs) if a != b), len(pairs))
        a, b = ([*log[place : place + 1], {}][0] for log in (ours[name], theirs[name]))
        keys = [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]
        found.append(
            f"{name} ({len(ours[name])} and {len(theirs[name])} lines), line {place}: "
            + ", ".join(f"{key} {a.get(key)!r:.80} and {b.get(key)!r:.80}" for key in sorted(keys))
        )
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def wait_for(happened: Callable[[], Any], process: subprocess.Popen[str], *, poll_s: float = 0.02) -> Any:
    """Wait until something is the case or the run has ended; its value."""
    deadline = time.monotonic() + WAIT_S
    while process.poll() is None:
        if value := happened():
            return value
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(poll_s)
    return happened()


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        own = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [*own, *(one for child in own for one in children(child))]


def send(pids: Sequence[int], number: signal.Signals) -> int:
    """Send a signal to processes, as far as they still run; how many got it."""
    sent = 0
    for pid in pids:
        try:
            os.kill(pid, number)
            sent += 1
        except ProcessLookupError:
            continue
    return sent
