"""Where the time of a step goes: how long engine, sandbox and trainer were busy, and how long they idled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["BusyClock", "StepTimer"]


@dataclass
class BusyClock:
    """Seconds spent in something that happens once at a time, including what is still running."""

    _before: float = field(init=False, default=0.0)
    _since: float | None = field(init=False, default=None)

    @property
    def seconds(self) -> float:
        since = self._since
        return self._before + (0.0 if since is None else time.perf_counter() - since)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the seconds inside."""
        self._since = time.perf_counter()
        try:
            yield
        finally:
            self._before, self._since = self.seconds, None


class StepTimer:
    """Measures one step by what its resources were busy; make it when the step begins."""

    def __init__(self, busy: Mapping[str, Callable[[], float]]) -> None:
        """
        Args:
            busy: For "engine", "sandbox" and "trainer", the seconds it has been busy since the run began.
        """
        self._busy = busy
        self._before = {name: seconds() for name, seconds in busy.items()}
        self._started = time.perf_counter()

    def metrics(self) -> dict[str, float]:
        """The `time/` and `idle/` metrics of the step, up to now."""
        seconds = time.perf_counter() - self._started
        busy = {name: after() - self._before[name] for name, after in self._busy.items()}
        idle = {f"idle/{name}": max(0.0, 1 - spent / seconds) for name, spent in busy.items()}
        return {"time/step": seconds, "time/train": busy["trainer"], "time/sandbox": busy["sandbox"], **idle}
