"""Oxen, as a follower that is told every step and commits when it is due."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from grpo.errors import HostFailed
from grpo_rust.following.trackers import TrackedRun

__all__ = ["OxenSteps", "open_run"]


def open_run(run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> OxenSteps:
    """The keeper of the run's repository."""
    keeper = importlib.import_module("grpo_rust.following.oxen").OxenKeeper
    return OxenSteps(keeper(run.path, repository=run.oxen, every=run.oxen_every, say=say), memory)


class OxenSteps:
    """Tells a keeper the steps."""

    def __init__(self, keeper: Any, memory: dict[str, str]) -> None:
        self._keeper, self._memory = keeper, memory

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """A step has been logged."""
        self._memory["step"] = str(step)
        self._keeper.step(step)

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Is in the logs, which the keeper commits."""

    def close(self) -> None:
        """Commit what is left. Raises: HostFailed where the repository does not keep it."""
        if problem := self._keeper.close(int(self._memory.get("step", 0))):
            raise HostFailed(f"the repository does not keep the end of the run: {problem}")
