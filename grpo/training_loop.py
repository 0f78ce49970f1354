"""The frame of a training run: steps one after the other, with checkpoints and evaluations when they are due.

What a step is, a subclass says: GRPO in `grpo.trainer`, supervised fine-tuning in `grpo.supervised`. Everything that
decides the weights is a function of recipe, seed and step, so a run that was stopped and resumed ends with the weights
of one that was not. Evaluation never touches the state that training uses.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpo.checkpoint import load_trainer_state, save_checkpoint
from grpo.errors import HostFailed
from grpo.evaluate import Evaluation
from grpo.run.directory import RunDirectory
from grpo.run.serialize import completion_lines, evaluation_line
from grpo.update import Updater
from grpo.watch.dump import write_batch
from grpo.watch.unscored import count_failures, refuse_failures
from grpo.watch.watching import RunWatch

__all__ = ["Schedule", "TrainingLoop"]


@dataclass(frozen=True)
class Schedule:
    """How long a run is, and what happens when; all in steps."""

    num_steps: int
    eval_every: int  # 0: only before the first step and after the last
    checkpoint_every: int  # 0: only at the end
    checkpoints_kept: int


@dataclass(kw_only=True)
class TrainingLoop(ABC):
    """A run in progress: `train` runs it. The fields are what it works with."""

    updater: Updater
    schedule: Schedule
    run: RunDirectory
    evaluate: Callable[[int], Evaluation] | None  # step -> evaluation of the current weights; None: none at all
    describe: Callable[[Evaluation], str]  # the result of an evaluation in one line
    config_toml: str  # the resolved recipe, for checkpoints
    max_unscored: float = 1.0  # share of completions that the host may fail to grade
    watch: RunWatch | None = None  # None: the run does not watch itself
    rehearse: Callable[[Callable[[str], None]], None] | None = None  # one pass before the first step; may say its time
    say: Callable[[str], None] = print  # what to warn a person with
    seconds_before: float = 0.0  # that earlier sessions of a resumed run took
    started: float = field(default_factory=time.monotonic)

    @abstractmethod
    def recorded_step(self, number: int) -> dict[str, float]:
        """Do one step and log it; its metrics."""

    def begin(self, say: Callable[[str], None]) -> None:
        """What has to happen before the first evaluation of a session."""

    def progress(self) -> dict[str, Any]:
        """What a resumed run needs beside weights, optimizer and step, as plain JSON values."""
        return {}

    def continue_from(self, progress: Mapping[str, Any]) -> None:
        """Take up what `progress` returned when the checkpoint was written."""

    @property
    def seconds(self) -> float:
        """How long the run has taken, over all its sessions."""
        return self.seconds_before + time.monotonic() - self.started

    def train(
        self,
        *,
        first_step: int,
        should_stop: Callable[[], bool],
        on_step: Callable[[int, Mapping[str, float]], None],
        say: Callable[[str], None],
    ) -> bool:
        """Train from `first_step` to the last; evaluate before the first step of a run and after the last.

        Args:
            first_step: 1 for a new run.
            should_stop: Asked after every step; True saves a checkpoint and ends early.
            on_step: Told every step's metrics.
            say: Told what takes long, as text for a person.
        Returns: True when the run is complete, False when it was stopped and can be resumed.
        Raises:
            HostFailed: NonFiniteLoss, GradingFailed, WatchStopped, EngineDied, WeightsDiffer, OutOfMemory and others;
                what is on disk by then stays.
        """
        self.say = say
        self.begin(say)
        self._evaluate_if_due(first_step - 1, say)
        for number in range(first_step, self.schedule.num_steps + 1):
            metrics = self.recorded_step(number)
            stopping = should_stop()
            if stopping or number == self.schedule.num_steps or _due(number, self.schedule.checkpoint_every):
                self._save_checkpoint(number)
            on_step(number, metrics)
            if stopping:
                return False
            self._evaluate_if_due(number, say)
        return True

    def resume(self, checkpoint: Path) -> int:
        """Continue from a checkpoint that the updater's policy was loaded from.

        Args:
            checkpoint: Its directory.
        Returns: The next step.
        Raises:
            CheckpointError: For a missing or damaged file.
        """
        progress = load_trainer_state(checkpoint, self.updater)
        self.continue_from(progress)
        self.seconds_before = progress["seconds"]
        self.run.truncate_after(progress["step"])
        if self.watch is not None:
            self.watch.begin(self.run.metrics())
        return int(progress["step"]) + 1

    def memory(self) -> dict[str, float]:
        """The memory of the run's processes, as metrics."""
        return {} if self.watch is None else self.watch.memory()

    def warn(self, step: int, metrics: Mapping[str, float]) -> None:
        """Say what is wrong with the run after a step, if anything is."""
        for finding in self.watch.after_step(step, metrics) if self.watch is not None else ():
            self.say(f"warning: {finding}")

    def dump(self, step: int, record: Mapping[str, Any], error: HostFailed) -> None:
        """Write a stopped step's batch beside a checkpoint, and add to the error where, or why that failed."""
        try:
            path = self._save(self.run.dumps, step, {"seconds": round(self.seconds, 3)}, keep=step + 1)
            write_batch(path, record)
            said = f"The weights before it and its batch are in {path}"
            said += f": python scripts/replay.py {path} makes the update again" if record["update"] else ""
        except (HostFailed, OSError) as failure:
            said = f"Its batch could not be kept: {failure}"
        error.args = (f"{error}\n{said}",)

    def _evaluate_if_due(self, step: int, say: Callable[[str], None]) -> None:
        """Evaluate the weights after `step` and record it, unless it is not due or was done before a resume."""
        due = step in (0, self.schedule.num_steps) or _due(step, self.schedule.eval_every)
        done = any(line["step"] == step for line in self.run.evaluations())
        if self.evaluate is None or not due or done:
            return
        say(f"evaluating the weights after step {step}")
        evaluation = self.evaluate(step)
        refuse_failures(
            count_failures(evaluation.groups),
            evaluation.num_prompts * evaluation.num_samples,
            max_share=self.max_unscored,
            where=f"the evaluation after step {step}",
            then="go on with run.resume=true: what was not evaluated is evaluated then",
        )
        size = f"{evaluation.num_prompts} prompts x {evaluation.num_samples}"
        say(f"{self.describe(evaluation)} ({size}, {evaluation.seconds:.0f} s)")
        self.run.log_completions(completion_lines(evaluation.groups, step=step, phase="eval"))
        self.run.log_evaluation(evaluation_line(evaluation, step=step))

    def _save_checkpoint(self, step: int) -> None:
        progress = {**self.progress(), "seconds": round(self.seconds, 3)}
        self._save(self.run.checkpoints, step, progress, keep=self.schedule.checkpoints_kept)

    def _save(self, root: Path, step: int, progress: dict[str, Any], *, keep: int) -> Path:
        """Write the weights and the optimizer's state as a checkpoint; its directory."""
        return save_checkpoint(
            root, step=step, updater=self.updater, progress=progress, config_toml=self.config_toml, keep=keep
        )


def _due(step: int, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) happens after this one."""
    return every > 0 and step > 0 and step % every == 0
