"""Weights & Biases. Offline it writes below the run, and `wandb sync` sends that later.

The step is a value of its own, "step", which all charts have as their axis: W&B drops what comes with a step below its
own counter, as an evaluation that is repeated after a resume does. Its measurements of the machine and its copy of the
code are switched off: they cost processor time beside the training, and the run's directory has the commit. What its
own process fails at, it writes into a log and no call raises: the first error there is told, or a server that it has to
ask again and again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grpo.run.growing_file import GrowingFile
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
    return WandbRun(opened, ErrorLog(Path(opened.settings.log_internal), say))


RETRIES = 3  # requests that W&B makes again: from so many on it is told


class ErrorLog:
    """The log of W&B's own process, a JSON object a line."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        """
        Args:
            path: The log, which need not be there yet.
            say: Told the first error.
        """
        self._path, self._log, self._say = path, GrowingFile(path), say
        self._retries, self._told = 0, False

    def look(self) -> None:
        """Tell the first error, or the third request that is made again, if that has come since the last look."""
        more = not self._told
        while more:
            _, lines, more = self._log.read()
            for _, raw in lines:
                trouble, is_final = trouble_of(raw)
                self._retries += bool(trouble)
                if trouble and (is_final or self._retries == RETRIES):
                    self._say(f"wandb has trouble with its server or its files ({trouble}): {self._path} has the rest")
                    self._told = True
                    return


def trouble_of(line: bytes) -> tuple[str, bool]:
    """What a line of the log says of a failure, in short, and whether it was given up; "" for any other line.

    >>> trouble_of(b'{"level":"ERROR","msg":"api: giving up","error":"connection refused"}')
    ('api: giving up, connection refused', True)
    >>> trouble_of(b'{"level":"INFO","msg":"api: retrying HTTP error","status":500}'), trouble_of(b"[")
    (('api: retrying HTTP error, 500', False), ('', False))
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return "", False
    is_final = isinstance(said, dict) and said.get("level") == "ERROR"
    if not isinstance(said, dict) or not is_final and "retrying" not in str(said.get("msg")):
        return "", False
    parts = [" ".join(str(said[key]).split())[:150] for key in ("msg", "error", "status") if said.get(key)]
    return ", ".join(parts), is_final


class WandbRun:
    """A run that is logged to."""

    def __init__(self, run: Any, errors: ErrorLog) -> None:
        self._run, self._errors = run, errors

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Hand a step to W&B's own process, which sends it."""
        self._errors.look()
        self._run.log({"step": step, **values})

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Hand an evaluation on: its keys are others than those of a step."""
        self.metrics(step, values)

    def close(self) -> None:
        """Wait until everything is sent or, offline, written."""
        self._run.finish()
        self._errors.look()
