"""Passes what a training does on to an output, with what is worth saying about it, and writes where the run stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from grpo.checkpoint.places import checkpoint_path
from grpo_rust.terminal.notices import Notice, RunHistory, notices
from grpo_rust.terminal.outlook import Outlook, outlook
from grpo_rust.terminal.outputs import Output

if TYPE_CHECKING:
    from grpo.training_loop import TrainingLoop

__all__ = ["Teller"]


class Teller:
    """Watches a training loop. `on_step` and `on_evaluation` are what the loop calls."""

    def __init__(
        self, trainer: TrainingLoop, output: Output, shown: Callable[[Mapping[str, float]], dict[str, str]]
    ) -> None:
        """
        Args:
            trainer: What trains; a resumed run's logs are read.
            output: What shows it.
            shown: What a person sees of a step's metrics.
        """
        self._trainer, self._output, self._shown = trainer, output, shown
        self._saved = trainer.writer.newest
        self._history = RunHistory(best_by=trainer.schedule.keeping.best_by)
        self._said: dict[str, float] = {}
        self._unwritten = False  # whether progress.json could not be written, which is told once
        for line in trainer.run.metrics():
            self._history.steps.append(line)
            self._notices()
        for line in trainer.run.evaluations():
            self._history.evaluations.append(line)
            self._notices()
        self.first: Outlook | None = None  # the first with an end that was told

    def on_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """A step has ended."""
        now = self.outlook(step)
        self._history.steps.append(metrics)
        self._history.outlook = now
        self._output.step(step, metrics, self._shown(metrics), now)
        self._write_progress({"step": step, "num_steps": self._trainer.schedule.num_steps, **now.record()})
        self._tell(step)

    def on_evaluation(self, line: Mapping[str, Any]) -> None:
        """An evaluation has ended."""
        self._history.evaluations.append(line)
        self._output.evaluation(line)
        self._tell(line["step"])

    def on_end(self) -> None:
        """Nothing more is trained."""
        self._checkpoint()

    def outlook(self, step: int) -> Outlook:
        """Where the run stands after a step."""
        trainer, schedule = self._trainer, self._trainer.schedule
        return outlook(
            step,
            schedule.num_steps,
            trainer.pace,
            now=time.time(),
            seconds=trainer.seconds,
            eval_every=schedule.eval_every,
            evaluates=trainer.evaluate is not None,
            checkpoint_every=schedule.checkpoint_every,
            limits=trainer.limits,
        )

    def _write_progress(self, record: Mapping[str, Any]) -> None:
        """Write where the run stands; where that fails, the run goes on, and the first failure is told."""
        try:
            self._trainer.run.write_progress(record)
        except OSError as error:
            if not self._unwritten:
                self._output.say(
                    f"warning: cannot write progress.json ({error.strerror or error}): the run goes on, and its "
                    "report and dashboard do not know where it stands"
                )
            self._unwritten = True

    def _tell(self, step: int) -> None:
        """Say what is worth it, and which checkpoint is whole by now."""
        for notice in self._notices():
            if notice.fact == "end" and self.first is None:
                self.first = self._history.outlook
            self._output.notice(step, notice.fact, notice.text)
        self._checkpoint()

    def _notices(self) -> list[Notice]:
        """What is new and worth saying; from here on it was said."""
        found = notices(self._history, self._said)
        self._said.update({notice.fact: notice.value for notice in found})
        return found

    def _checkpoint(self) -> None:
        """Say which checkpoint is whole since the last look."""
        newest = self._trainer.writer.newest
        if newest != self._saved:
            self._saved = newest
            self._output.checkpoint(newest, str(checkpoint_path(self._trainer.run.checkpoints, newest)))
