"""Which trackers there are, what they need, and how they are opened; only that imports their packages."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from grpo.errors import BadInput

__all__ = ["TrackedRun", "Tracker", "open_tracker", "refuse_missing"]

# By name: the package that is imported, and the extra of this project that installs it.
PACKAGES = {name: (name, name) for name in ("tensorboard", "wandb", "trackio", "mlflow", "oxen")}
ALSO = {"mlflow": ("sqlalchemy", "alembic")}  # packages that it needs here and does not ask for
ADDRESSES = {  # of a server, for track.mode = "online": one of these environment variables
    "trackio": ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"),
    "mlflow": ("MLFLOW_TRACKING_URI",),
}


class Tracker(Protocol):
    """Something that shows the metrics of a run. A call that fails raises, and is made again later."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Take the metrics of a step."""

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Take an evaluation of the weights after a step."""

    def close(self) -> None:
        """Send what is left."""


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run when it is opened."""

    path: Path
    name: str
    project: str
    online: bool
    settings: Mapping[str, Any] = field(default_factory=dict)  # the resolved recipe, by section
    oxen: str = ""  # the repository
    oxen_every: int = 50

    def place(self, name: str) -> str:
        """Where a tracker sends to, as far as the settings say: what one place has is missing in another.

        >>> TrackedRun(Path("r"), "r", "mine", online=True).place("mlflow")
        'online mine'
        """
        if name == "oxen":
            return self.oxen
        return "" if name == "tensorboard" else f"{'online' if self.online else 'offline'} {self.project}"


def open_tracker(name: str, run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> Tracker:
    """Open a tracker; this imports its package.

    Args:
        name: One of `TRACKERS`, or "oxen".
        run: The run.
        memory: What the tracker noted when it was opened before; it may add to that.
        say: Tells a person something.
    """
    opened = importlib.import_module(f"grpo_rust.following.to_{name}").open_run(run, memory, say)
    tracker: Tracker = opened
    return tracker


def refuse_missing(names: Sequence[str], *, online: bool) -> None:
    """Check that trackers can be opened at all, before anything is trained. Nothing is imported for that.

    Args:
        names: The trackers.
        online: Whether they are to send to a server.
    Raises:
        BadInput: Names what is missing, for all of them.
    """
    problems = []
    for name in names:
        package, extra = PACKAGES[name]
        missing = [one for one in (package, *ALSO.get(name, ())) if find_spec(one) is None]
        if missing:
            setting = "track.oxen" if name == "oxen" else "track.to"
            problems.append(
                f"{setting} asks for {name}, and {', '.join(missing)} is not installed: "
                f"pip install 'grpo-rust[{extra}]'"
            )
        addresses = ADDRESSES.get(name, ())
        if online and addresses and not any(map(os.environ.get, addresses)):
            problems.append(
                f'track.mode = "online": {name} does not know where to send; set {" or ".join(addresses)} in the '
                'environment, or use track.mode="offline"'
            )
    if problems:
        raise BadInput("\n  ".join(problems))
