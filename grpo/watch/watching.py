"""Asks the monitors while a run goes on: before an optimizer step what would spoil it, after a step all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from grpo.watch.finding import Finding, WatchStopped
from grpo.watch.monitors import WATCHED, findings
from grpo.watch.thresholds import Thresholds

__all__ = ["RunWatch"]

EARLY, LATE = 100, 1000  # steps that are kept: the first ones to compare with, and the last ones


class RunWatch:
    """The history of a run's metrics, and what was said of it. Costs no GPU synchronisation: it reads numbers."""

    def __init__(self, thresholds: Thresholds, *, memory: Callable[[], dict[str, float]]) -> None:
        """
        Args:
            thresholds: Where a run begins to be sick.
            memory: The `memory/` metrics of now, asked for once a step.
        """
        self.thresholds, self.memory = thresholds, memory
        self._history: list[dict[str, float | None]] = []
        self._step = 0  # that is being made
        self._said: set[str] = set()  # names of findings that hold still

    def begin(self, history: Iterable[Mapping[str, float | None]]) -> None:
        """Take up the metrics of the steps that an earlier session logged; what it warned of is not said again."""
        self._history = [_watched(metrics) for metrics in history]
        self._shorten()
        self._said = {finding.name for finding in self._findings()}

    def before_batch(self, step: int, metrics: Mapping[str, float]) -> None:
        """Ask about a graded batch before anything is learned from it. Raises: WatchStopped."""
        self._step = step
        self._refuse(metrics)

    def before_update(self, metrics: Mapping[str, float]) -> None:
        """Ask about a minibatch's numbers before the optimizer moves the weights. Raises: WatchStopped."""
        self._refuse(metrics)

    def after_step(self, step: int, metrics: Mapping[str, float]) -> list[Finding]:
        """Take a step's metrics into the history; what to warn of: each finding once, until it no longer holds."""
        self._history.append(_watched({**metrics, "step": step}))
        self._shorten()
        found = self._findings()
        new = [finding for finding in found if finding.name not in self._said]
        self._said = {finding.name for finding in found}
        return new

    def _refuse(self, metrics: Mapping[str, float]) -> None:
        """Raise for a finding that stops."""
        steps: list[Mapping[str, float | None]] = [*self._history, {**metrics, "step": self._step}]
        stopping = next((finding for finding in findings(steps, self.thresholds) if finding.stops), None)
        if stopping is not None:
            raise WatchStopped(stopping)

    def _shorten(self) -> None:
        """Forget the steps in the middle of a long history, so that asking costs no more as a run goes on."""
        if len(self._history) > EARLY + LATE:
            del self._history[EARLY:-LATE]

    def _findings(self) -> list[Finding]:
        return findings(self._history, self.thresholds) if self._history else []


def _watched(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """The metrics that a monitor reads."""
    return {name: metrics[name] for name in ("step", *WATCHED) if name in metrics}
