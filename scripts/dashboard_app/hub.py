"""All runs of a dashboard, followed by one thread for every browser window that looks at them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from dashboard_app.live_run import LiveRun
from grpo.errors import BadInput

__all__ = ["MOST_RUNS", "Hub", "check_runs", "hub_of"]

MOST_RUNS = 6
POLL_S = 1.0


class Hub:
    """Follows runs until the process ends or `stop` is called.

    >>> hub = Hub([])
    >>> hub.version()
    0
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """
        Args:
            paths: The runs' directories.
        """
        self.runs: dict[str, LiveRun] = {}
        for path in paths:
            run = LiveRun(path)
            same = sum(label.partition(" (")[0] == run.label for label in self.runs)
            run.label = f"{run.label} ({same + 1})" if same else run.label
            self.runs[run.label] = run
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="dashboard", daemon=True)

    def start(self) -> None:
        """Read what is short at once, and follow the rest in a thread."""
        for run in self.runs.values():
            run.poll()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def version(self) -> int:
        """A number that grows whenever a run does."""
        return sum(run.version for run in self.runs.values())

    def _follow(self) -> None:
        """Poll, without a pause while there is more to read."""
        while not self._stopped.is_set():
            for run in self.runs.values():
                run.poll()
            behind = any(run.reading < 1 for run in self.runs.values())
            self._stopped.wait(0.01 if behind else POLL_S)


def check_runs(paths: Sequence[Path]) -> None:
    """Check what a dashboard is asked to show.

    Raises:
        BadInput: For no run or too many, and for a folder that is no run's.
    """
    if not paths:
        raise BadInput("which run? Give a run directory, runs/<name>, or up to six of them")
    if len(paths) > MOST_RUNS:
        raise BadInput(f"{len(paths)} runs: give at most {MOST_RUNS}, more cannot be told apart side by side")
    for path in paths:
        if not path.is_dir():
            raise BadInput(
                f"{path} is not a directory: give the run directory that scripts/train.py wrote, runs/<name>"
            )
        if not (path / "config.toml").is_file() and not (path / "metrics.jsonl").is_file():
            raise BadInput(
                f"{path} has neither config.toml nor metrics.jsonl, so it is no run directory: give the one that "
                "scripts/train.py wrote, runs/<name>"
            )


@lru_cache(maxsize=1)
def hub_of(paths: tuple[Path, ...]) -> Hub:
    """The hub of this process, started: every window of the browser has the same."""
    hub = Hub(paths)
    hub.start()
    return hub
