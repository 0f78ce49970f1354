"""What a pool of this process and one behind an endpoint have in common, and how busy their workers were."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol, Self

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import PHASES, Evidence, Verdict

__all__ = ["BusyMean", "GradingPool"]


class Versioned(Protocol):
    """The toolchain, as far as both pools know it."""

    @property
    def version(self) -> str: ...


class GradingPool(Protocol):
    """What `SandboxPool` and `sandbox.service.client.RemotePool` have in common: all that rewards and a run need."""

    jobs: int
    backend: str

    @property
    def toolchain(self) -> Versioned: ...
    @property
    def isolation(self) -> object: ...  # its text is for people
    @property
    def busy_s(self) -> float: ...
    def submit(self, source: str, *, phases: Sequence[str] = PHASES) -> Future[Verdict]: ...
    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]: ...
    def submit_calls(self, calls: Calls) -> Future[Answers]: ...
    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]: ...
    def cancel(self, future: Future[Any], reason: str) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class BusyMean:
    """The seconds that a worker has been busy, in the mean, of a pool whose workers may come and go.

    >>> mean = BusyMean()
    >>> mean.told(8.0, 4), mean.told(12.0, 2), mean.told(12.0, 0), mean.told(13.0, 0), mean.told(17.0, 2)
    (2.0, 3.0, 3.0, 4.0, 6.0)
    """

    def __init__(self) -> None:
        self._mean_s, self._busy_s, self._jobs = 0.0, 0.0, 1

    def told(self, busy_s: float, jobs: int) -> float:
        """The mean with the seconds since the last call: they count for the workers of then or now, the larger number.

        Args:
            busy_s: Seconds that all workers have spent, those that are gone too.
            jobs: The number of workers that there are; it may be 0.
        """
        self._mean_s += (busy_s - self._busy_s) / max(1, jobs, self._jobs)
        self._busy_s, self._jobs = busy_s, jobs
        return self._mean_s
