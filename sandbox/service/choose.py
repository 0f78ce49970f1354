"""Which pool a command uses: one of its own, or the server that SANDBOX_URL names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol, Self

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.errors import ServiceError
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import PHASES, Evidence, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = ["GradingPool", "open_pool"]


class GradingPool(Protocol):
    """What `SandboxPool` and `sandbox.service.client.RemotePool` have in common: all that rewards need."""

    def submit(self, source: str, *, phases: Sequence[str] = PHASES) -> Future[Verdict]: ...
    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]: ...
    def submit_calls(self, calls: Calls) -> Future[Answers]: ...
    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]: ...
    def cancel(self, future: Future[Any], reason: str) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def open_pool(jobs: int = 0, *, isolation: str = "auto") -> GradingPool:
    """The pool of SANDBOX_URL with the token SANDBOX_TOKEN, where that is set; else one of this process.

    Args:
        jobs: As in `SandboxPool`; a server has its own.
        isolation: Likewise.
    Raises: SandboxError, with what to do.
    """
    url = os.environ.get("SANDBOX_URL", "")
    if not url:
        return SandboxPool(jobs, isolation=isolation)
    from sandbox.service.client import RemotePool  # here: nothing of it is loaded where it is not used

    try:
        return RemotePool(url, os.environ.get("SANDBOX_TOKEN", ""))
    except ValueError as error:
        raise ServiceError(f"SANDBOX_URL: {error}") from error
