"""What follows a run from outside: trackers, and a repository that keeps it. They read its logs and change nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grpo.schema import option

__all__ = ["TRACKERS", "TrackSection"]

TRACKERS = ("tensorboard", "wandb", "trackio", "mlflow")
PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class TrackSection:
    """Trackers that follow the run in a process of their own; none by default."""

    to: str = option(
        "",
        f"trackers that get every metric, with commas between: {', '.join(TRACKERS)}; each needs the extra of its "
        "name; empty: none",
    )
    project: str = option("grpo-rust", "the project, or experiment, that the run belongs to in a tracker")
    mode: str = option(
        "offline",
        "offline: all stays in the run's directory, below tracking/; online: wandb, trackio and mlflow send to the "
        "server that their own environment variables name",
        choices=("offline", "online"),
    )
    oxen: str = option(
        "",
        "Oxen repository that keeps the run's logs and report: a path, or namespace/name of a remote one; needs the "
        "extra oxen; empty: none",
    )
    oxen_every: int = option(50, "steps between commits to it", unit="steps", low=1, high=1_000_000)

    def trackers(self) -> list[str]:
        """The names in `to`, in their order, each once.

        >>> TrackSection(to="wandb, tensorboard,wandb").trackers()
        ['wandb', 'tensorboard']
        """
        return list(dict.fromkeys(name for part in self.to.split(",") if (name := part.strip())))

    def followers(self) -> list[str]:
        """All that follows the run: the trackers, and "oxen" where there is a repository."""
        return [*self.trackers(), *(["oxen"] if self.oxen else [])]

    def conflicts(self) -> list[str]:
        """Trackers that nobody knows, and a project that cannot be named so."""
        found = [
            f"track.to: {name!r} is no tracker: use {', '.join(TRACKERS)}, with commas between"
            for name in self.trackers()
            if name not in TRACKERS
        ]
        if not PROJECT.fullmatch(self.project):
            found.append(f"track.project = {self.project!r}: only letters, digits and . _ - (not first) make its name")
        return found
