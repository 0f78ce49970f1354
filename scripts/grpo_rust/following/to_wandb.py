"""Weights & Biases. Offline it writes below the run, and `wandb sync` sends that later.

The step is a value of its own, "step", which all charts have as their axis: W&B drops what comes with a step below its
own counter, as an evaluation that is repeated after a resume does. Its measurements of the machine and its copy of the
code are switched off: they cost processor time beside the training, and the run's directory has the commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from grpo_rust.following.sent import FOLDER
from grpo_rust.following.trackers import TrackedRun

__all__ = ["WandbRun", "open_run"]


def open_run(run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> WandbRun:
    """Open the run, the one of earlier sessions where there was one."""
    import wandb

    known = "id" in memory
    identity = memory.setdefault("id", uuid.uuid4().hex[:12])
    folder = run.path / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    opened = wandb.init(
        project=run.project,
        name=run.name,
        id=identity,
        dir=str(folder),
        mode="online" if run.online else "offline",
        resume="allow" if known and run.online else None,  # offline, `wandb sync --append` joins the sessions
        config={section: dict(values) for section, values in run.settings.items()},
        settings=wandb.Settings(
            console="off",
            silent=True,
            x_disable_stats=True,
            x_disable_meta=True,
            disable_git=True,
            disable_code=True,
        ),
    )
    opened.define_metric("step")
    opened.define_metric("*", step_metric="step")
    return WandbRun(opened)


class WandbRun:
    """A run that is logged to."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Hand a step to W&B's own process, which sends it."""
        self._run.log({"step": step, **values})

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Hand an evaluation on: its keys are others than those of a step."""
        self.metrics(step, values)

    def close(self) -> None:
        """Wait until everything is sent or, offline, written."""
        self._run.finish()
