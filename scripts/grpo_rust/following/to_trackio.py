"""trackio. Offline its database lies below the run, unless TRACKIO_DIR names a folder that runs share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from grpo_rust.following.sent import FOLDER
from grpo_rust.following.trackers import ADDRESSES, TrackedRun

__all__ = ["TrackioRun", "open_run"]


def open_run(run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> TrackioRun:
    """Open the run, the one of earlier sessions where there was one. trackio reads its folder when it is imported."""
    if not run.online:
        for address in ADDRESSES["trackio"]:
            os.environ.pop(address, None)
        os.environ.setdefault("TRACKIO_DIR", str(run.path.resolve() / FOLDER / "trackio"))
    import trackio

    tell_warnings(Path(trackio.__file__).parent, say)
    opened = trackio.init(
        project=run.project,
        name=run.name,
        config={section: dict(values) for section, values in run.settings.items()},
        resume="allow",
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    return TrackioRun(opened)


def tell_warnings(package: Path, say: Callable[[str], None]) -> None:
    """Tell the first warning that a package gives from now on, in any thread; all of them are shown as before.

    That is how trackio speaks of what its own thread could not write or send: no call of ours raises for it.
    """
    shown, told = warnings.showwarning, False

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        nonlocal told
        if not told and issubclass(category, UserWarning) and package in Path(filename).parents:
            told = True
            say(f"{' '.join(str(message).split())[:300]} ({FOLDER}.log has what else it says)")
        shown(message, category, filename, lineno, file, line)

    warnings.showwarning = show


class TrackioRun:
    """A run that is logged to."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Hand a step to trackio, which writes it in a thread."""
        self._run.log(dict(values), step=step)

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Hand an evaluation on: its keys are others than those of a step."""
        self.metrics(step, values)

    def close(self) -> None:
        """Wait until everything is written."""
        self._run.finish()
