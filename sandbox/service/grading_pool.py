"""What a pool of this process and one behind an endpoint have in common."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol, Self

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import PHASES, Evidence, Verdict

__all__ = ["GradingPool"]


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
