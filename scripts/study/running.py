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
from threading import Event

from grpo.checkpoint.places import find_checkpoints
from grpo.errors import HostFailed

__all__ = ["Arm", "Command", "HeldOutSet", "TrainingRun", "evaluation", "run_all", "training"]

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: a name, what it is, and the overrides of the recipe that make it.

    With `judged` its prompts are those for which the untrained model wrote suites, with these.
    """

    name: str
    meaning: str
    overrides: tuple[str, ...] = ()
    judged: bool = False


@dataclass(frozen=True)
class Command:
    """A command that is run unless `done`; `about` describes it."""

    about: str
    argv: tuple[str, ...]
    log: Path
    done: Callable[[], bool]


@dataclass(frozen=True)
class HeldOutSet:
    """Prompts that every model is evaluated on: a file, how many of its prompts, and how many completions to each."""

    name: str
    data: str
    prompts: int
    samples: int


@dataclass(frozen=True)
class TrainingRun:
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
    def metrics(self) -> Path:
        """The log of its training batches."""
        return self.path / "metrics.jsonl"

    @property
    def finished(self) -> bool:
        """Whether it ran to its end; the summary is written last."""
        return (self.path / "summary.json").exists()

    @property
    def commit(self) -> str:
        """The start of the commit that it was trained at."""
        environment = json.loads((self.path / "environment.json").read_text(encoding="utf-8"))
        return str((environment.get("commit") or {}).get("id"))[:7]

    @property
    def num_steps(self) -> int:
        """The steps whose metrics are logged."""
        with open(self.metrics, encoding="utf-8") as lines:
            return sum(1 for _ in lines)

    def checkpoint(self) -> Path:
        """The trained model."""
        found = find_checkpoints(self.path / "checkpoints")
        return found[max(found)]

    def completions(self, held_out: HeldOutSet) -> Path:
        """The file with its completions to a held-out set."""
        return self.folder / f"{self.name}.{held_out.name}.jsonl"


def training(run: TrainingRun, recipe: str, overrides: Sequence[str], *, evaluates: bool = False) -> Command:
    """Train, or resume the run where it was stopped; `evaluates`: before and after, as the recipe says."""
    started = find_checkpoints(run.path / "checkpoints")
    settings = ["run.resume=true"] if started else [recipe, f"run.seed={run.seed}", *overrides, *run.arm.overrides]
    evaluation_settings = () if evaluates else ("eval.prompts=0",)
    argv = (sys.executable, str(SCRIPTS / "train.py"), *settings, *evaluation_settings, f"run.dir={run.path}")
    return Command(f"train {run.name}", argv, run.folder / f"{run.name}.log", lambda: run.finished)


def evaluation(
    name: str, out: Path, model: str, held_out: HeldOutSet, recipe: str, overrides: Sequence[str]
) -> Command:
    """Evaluate the model in a directory on a held-out set.

    Args:
        name: What the model is called in messages.
        out: The file for the graded completions.
        model: The model's directory.
        held_out: The prompts.
        recipe: The recipe file.
        overrides: Settings of the recipe.
    """
    argv = (
        *(sys.executable, str(SCRIPTS / "eval_model.py"), recipe, *overrides),
        *(f"model.path={model}", f"data.eval={held_out.data}"),
        *(f"eval.prompts={held_out.prompts}", f"eval.samples={held_out.samples}", "--out", str(out)),
    )
    return Command(f"ask {name} ({held_out.name})", argv, out.with_suffix(".log"), out.exists)


def run_all(commands: Iterable[Command], *, at_once: int, say: Callable[[str], None]) -> None:
    """Run the commands that are not done, a few at once, each with its output in a log of its own.

    Args:
        commands: The commands.
        at_once: How many run at the same time.
        say: Takes a line about a command that starts or ends.

    Raises:
        HostFailed: Naming the log of the first command that failed, after the others that had started have ended;
            none is started after it, nor after an interrupt.
    """
    left = [command for command in commands if not command.done()]
    stopping = Event()

    def run(command: Command) -> None:
        if stopping.is_set():
            return
        try:
            _run(command, say)
        except BaseException:
            stopping.set()  # before this thread takes the next command
            raise

    with ThreadPoolExecutor(at_once) as pool:
        results = [pool.submit(run, command) for command in left]
        try:
            for result in results:
                result.result()
        finally:
            stopping.set()


def _run(command: Command, say: Callable[[str], None]) -> None:
    """Run one command to its end."""
    started = time.monotonic()
    say(f"{command.about} ...")
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with open(command.log, "ab") as log:
        log.write(f"\n$ {json.dumps(command.argv)}\n".encode())
        log.flush()
        code = subprocess.run(command.argv, stdout=log, stderr=log, check=False).returncode
    if code or not command.done():
        raise HostFailed(
            f"{command.about} ended with code {code}: read {command.log}, then give the same command again"
        )
    say(f"{command.about}: {time.monotonic() - started:.0f} s")
