"""The frame of a training run: steps one after the other, with checkpoints and evaluations when they are due.

What a step is, a subclass says: GRPO in `grpo.trainer`, supervised fine-tuning in `grpo.supervised`. Everything that
decides the weights is a function of recipe, seed and step, so a run that was stopped and resumed ends with the weights
of one that was not. Evaluation never touches the state that training uses.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.places import remove_unfinished
from grpo.checkpoint.random_state import random_state, restore_random_state
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.checkpoint.writer import CheckpointWriter
from grpo.errors import HostFailed
from grpo.evaluate import Evaluation
from grpo.run.directory import RunDirectory
from grpo.run.serialize import completion_lines, evaluation_line
from grpo.run.stopping import EvaluationGivenUp, Pace, RunLimits
from grpo.update import Updater
from grpo.watch.dump import BATCH, batch_text
from grpo.watch.unscored import count_failures, refuse_failures
from grpo.watch.watching import RunWatch

__all__ = ["Schedule", "TrainingLoop"]


@dataclass(frozen=True)
class Schedule:
    """How long a run is, and what happens when; all in steps."""

    num_steps: int
    eval_every: int  # 0: only before the first step and after the last
    checkpoint_every: int  # 0: only at the end
    keeping: Keeping = field(default_factory=Keeping)


@dataclass(kw_only=True)
class TrainingLoop(ABC):
    """A run in progress: `train` runs it. The fields are what it works with."""

    updater: Updater
    schedule: Schedule
    run: RunDirectory
    evaluate: Callable[[int, Callable[[], bool]], Evaluation] | None  # of the weights after a step; None: none at all
    describe: Callable[[Evaluation], str]  # the result of an evaluation in one line
    kept_texts: Mapping[str, str]  # further files of a checkpoint, by their path in it: the resolved recipe and others
    max_unscored: float = 1.0  # share of completions that the host may fail to grade
    watch: RunWatch | None = None  # None: the run does not watch itself
    rehearse: Callable[[Callable[[str], None]], None] | None = None  # one pass before the first step; may say its time
    say: Callable[[str], None] = print  # what to warn a person with
    on_evaluation: Callable[[Mapping[str, Any]], None] = lambda line: None  # told every line of evals.jsonl
    seconds_before: float = 0.0  # that earlier sessions of a resumed run took
    started: float = field(default_factory=time.monotonic)
    limits: RunLimits = RunLimits()
    pace: Pace = field(default_factory=Pace)
    saved: int | None = None  # the step of the newest checkpoint
    _stood_still_s: float = field(default=0.0, init=False)  # for a checkpoint, since the last step

    def __post_init__(self) -> None:
        self.writer = CheckpointWriter(
            self.run.checkpoints, self.schedule.keeping, written=lambda seconds: self.pace.add("write", seconds)
        )

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

    def stall_metrics(self) -> dict[str, float]:
        """`time/checkpoint`, once after every checkpoint; for the metrics of the step that follows it."""
        seconds, self._stood_still_s = self._stood_still_s, 0.0
        return {"time/checkpoint": seconds} if seconds else {}

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
            should_stop: Asked after every step, before an evaluation and in it; True saves a checkpoint and ends early.
            on_step: Told every step's metrics.
            say: Told what takes long, as text for a person.
        Returns: True when the run is complete, False when it was stopped, or reached a limit, and can be resumed.
        Raises:
            HostFailed: NonFiniteLoss, GradingFailed, WatchStopped, EngineDied, WeightsDiffer, OutOfMemory and others;
                what is on disk by then stays.
        """
        self.say = say
        with self._checkpoints_written(say):
            self.begin(say)
            for number in range(first_step - 1, max(first_step, self.schedule.num_steps + 1)):
                if number >= first_step:
                    with self.pace.during("step"):
                        metrics = self.recorded_step(number)
                    self.run.note_seconds(self.seconds)
                    if number == self.schedule.num_steps or _due(number, self.schedule.checkpoint_every):
                        self._save_checkpoint(number)
                    on_step(number, metrics)
                if self._stops_after(number, should_stop, say):
                    if self.saved != number:
                        self._save_checkpoint(number)
                    return False
            return True

    @contextmanager
    def _checkpoints_written(self, say: Callable[[str], None]) -> Iterator[None]:
        """Wait in the end for the checkpoint that is being written; what else has failed is the better error."""
        try:
            yield
        except Exception:
            try:
                self.writer.wait()
            except CheckpointError as error:
                say(str(error))
            raise
        self.writer.finish(self.run.evaluations())

    def _stops_after(self, step: int, should_stop: Callable[[], bool], say: Callable[[str], None]) -> bool:
        """Evaluate the weights after a step if that is due; whether the run has to stop there, with something left."""
        if self._evaluation_due(step):
            if self._has_to_stop("evaluation", should_stop, say):
                return True
            try:
                with self.pace.during("evaluation"):
                    self._evaluate(step, should_stop, say)
            except EvaluationGivenUp:
                return True
        return step < self.schedule.num_steps and self._has_to_stop("step", should_stop, say)

    def _has_to_stop(self, following: str, should_stop: Callable[[], bool], say: Callable[[str], None]) -> bool:
        """Whether somebody asked, or what follows would pass a limit, which is said."""
        estimate = (self.pace.mean(following) or 0.0) + (self.pace.saving() or 0.0)
        if limit := self.limits.passed(self.seconds, estimate):
            say(limit)
        return bool(limit) or should_stop()

    def resume(self, checkpoint: Path) -> int:
        """Continue from a checkpoint that the updater's policy was loaded from.

        Args:
            checkpoint: Its directory.
        Returns: The next step.
        Raises:
            CheckpointError: For a missing or damaged file.
        """
        remove_unfinished(self.run.checkpoints)
        progress = load_trainer_state(checkpoint, self.updater)
        self.writer.newest = progress["step"]
        self.continue_from(progress)
        restore_random_state(progress["random"])
        self.seconds_before = max(progress["seconds"], self.run.seconds())  # also what was lost took its time
        self.pace = Pace(progress.get("pace"))
        self.saved = progress["step"]
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
            texts = {**self.kept_texts, BATCH: batch_text(record)}
            progress = {"seconds": round(self.seconds, 3)}
            path = write_checkpoint(
                self.run.dumps, take_snapshot(self.updater, step=step, progress=progress, texts=texts)
            )
            said = f"The weights before it and its batch are in {path}"
            said += f": python scripts/replay.py {path} makes the update again" if record["update"] else ""
        except (HostFailed, OSError, SafetensorError) as failure:
            said = f"Its batch could not be kept: {failure}"
        error.args = (f"{error}\n{said}",)

    def _evaluation_due(self, step: int) -> bool:
        """Whether the weights after a step have to be evaluated, and were not before a resume."""
        due = step == 0 or step >= self.schedule.num_steps or _due(step, self.schedule.eval_every)
        return self.evaluate is not None and due and all(line["step"] != step for line in self.run.evaluations())

    def _evaluate(self, step: int, should_stop: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Evaluate the weights after a step and record it. Raises: EvaluationGivenUp, GradingFailed."""
        assert self.evaluate is not None
        say(f"evaluating the weights after step {step}")
        evaluation = self.evaluate(step, should_stop)
        refuse_failures(
            count_failures(evaluation.groups),
            evaluation.num_completions,
            max_share=self.max_unscored,
            where=f"the evaluation after step {step}",
            then="go on with run.resume=true: what was not evaluated is evaluated then",
        )
        size = f"{evaluation.num_prompts} prompts x {evaluation.num_samples}"
        say(f"{self.describe(evaluation)} ({size}, {evaluation.seconds:.0f} s)")
        self.run.log_completions(completion_lines(evaluation.groups, step=step, phase="eval"))
        line = evaluation_line(evaluation, step=step)
        self.run.log_evaluation(line)
        self.on_evaluation(line)

    def _save_checkpoint(self, step: int) -> None:
        """Copy the checkpoint of a step to memory; it is written while training goes on."""
        started = time.monotonic()
        with self.pace.during("checkpoint"):
            self.writer.wait()  # before the copy: two would need twice the memory
            progress = {**self.progress(), "random": random_state(), "seconds": round(self.seconds, 3)}
            progress["pace"] = self.pace.to_json()
            snapshot = take_snapshot(self.updater, step=step, progress=progress, texts=self.kept_texts)
            self.writer.save(snapshot, self.run.evaluations(), before=self.run.sync)
        self._stood_still_s = time.monotonic() - started
        self.saved = step


def _due(step: int, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) happens after this one."""
    return every > 0 and step > 0 and step % every == 0
