"""Training and evaluating as processes of their own, each done once: what is on disk is not done again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grpo.errors import HostFailed
from study.arms import Arm

__all__ = ["Job", "Question", "Run", "evaluation_job", "perform", "training_job"]

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Job:
    """A command to be run unless `done`; `about` says what it is."""

    about: str
    command: tuple[str, ...]
    log: Path
    done: Callable[[], bool]


@dataclass(frozen=True)
class Question:
    """What a model is asked: prompts of a file, how many, and how many completions to each."""

    name: str
    data: str
    prompts: int
    samples: int


@dataclass(frozen=True)
class Run:
    """One training run: an arm and a seed, in a directory of its own."""

    arm: Arm
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.arm.name}-{self.seed}"

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.folder / self.name

    @property
    def finished(self) -> bool:
        """Whether it ran to its end; the summary is written last."""
        return (self.path / "summary.json").exists()

    def checkpoint(self) -> Path:
        """The trained model."""
        return max((self.path / "checkpoints").glob("step-*"))

    def completions(self, question: Question) -> Path:
        """Where its completions to a question lie."""
        return self.folder / f"{self.name}.{question.name}.jsonl"


def training_job(run: Run, recipe: str, overrides: Sequence[str]) -> Job:
    """Train, or go on where the run was stopped."""
    started = any((run.path / "checkpoints").glob("step-*"))
    settings = ["run.resume=true"] if started else [recipe, f"run.seed={run.seed}", *overrides, *run.arm.overrides]
    command = (sys.executable, str(SCRIPTS / "train.py"), *settings, "eval.prompts=0", f"run.dir={run.path}")
    return Job(f"train {run.name}", command, run.folder / f"{run.name}.log", lambda: run.finished)


def evaluation_job(name: str, out: Path, model: str, question: Question, recipe: str, overrides: Sequence[str]) -> Job:
    """Ask the model in a directory."""
    command = (
        *(sys.executable, str(SCRIPTS / "eval_model.py"), recipe, *overrides),
        *(f"model.path={model}", f"data.eval={question.data}"),
        *(f"eval.prompts={question.prompts}", f"eval.samples={question.samples}", "--out", str(out)),
    )
    return Job(f"ask {name} ({question.name})", command, out.with_suffix(".log"), out.exists)


def perform(jobs: Iterable[Job], *, at_once: int, say: Callable[[str], None]) -> None:
    """Run the jobs that are not done, a few at once, each with its output in a log of its own.

    Raises: HostFailed naming the log of the first command that failed, once the others that had started are through.
    """
    left = [job for job in jobs if not job.done()]
    with ThreadPoolExecutor(at_once) as pool:
        results = [pool.submit(_run, job, say) for job in left]
        failed = [result.exception() for result in results if result.exception()]
    if failed:
        raise failed[0] or HostFailed("a command failed")


def _run(job: Job, say: Callable[[str], None]) -> None:
    """Run one command to its end."""
    started = time.monotonic()
    say(f"{job.about} ...")
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with open(job.log, "ab") as log:
        log.write(f"\n$ {json.dumps(job.command)}\n".encode())
        log.flush()
        code = subprocess.run(job.command, stdout=log, stderr=log, check=False).returncode
    if code or not job.done():
        raise HostFailed(f"{job.about} ended with code {code}: read {job.log}, then give the same command again")
    say(f"{job.about}: {time.monotonic() - started:.0f} s")
