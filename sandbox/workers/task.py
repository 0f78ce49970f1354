"""What a worker can be asked to do: a task is a frozen record that travels to a worker, and its result travels back.

Tasks of one kind may share a batch. A new kind of task is one subclass of `WorkerTask`: queueing, retries, deadlines,
caching and failures of the host work for every kind alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.verdict import Outcome

__all__ = ["Place", "R", "Result", "WorkerTask", "settle"]


class Result(Protocol):
    """What a task gives. Constructed as `kind(outcome, reason=...)` where the host failed or a task was cancelled."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def reason(self) -> str: ...
    def to_json(self) -> dict[str, Any]: ...
    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self: ...


R = TypeVar("R", bound=Result)


class Place(NamedTuple):
    """Where and how a worker runs tasks."""

    isolation: Isolation  # how commands are started
    limits: Limits  # what each program may use
    workdir: Path  # an existing directory of the worker alone
    on_start: Callable[[int], None] = lambda pid: None  # called with the process group of every command


class WorkerTask(ABC, Generic[R]):
    """Something to run in a worker. A subclass is a frozen dataclass: its repr is a part of the cache's key."""

    kind: ClassVar[type[Any]]  # the class of its results

    @property
    @abstractmethod
    def batch(self) -> Hashable:
        """Tasks of one class with equal values may be run in one batch; None: it must be run alone."""

    @abstractmethod
    def run(self, place: Place) -> R:
        """Run it alone. Raises: OSError when the host fails."""

    @classmethod
    @abstractmethod
    def run_together(cls, tasks: Sequence[Any], place: Place) -> Iterator[tuple[int, R | None]]:
        """Run tasks with the same `batch`.

        Args:
            tasks: Not more than `BATCH_SIZE`.
            place: Where and how.
        Returns: An iterator of two pairs for each task: its index and None when its own run starts, then its index and
            its result.
        Raises: OSError when the host fails.
        """

    def failed(self, outcome: Outcome, reason: str) -> R:
        """The result where it did not run, or not to its end."""
        result: R = self.kind(outcome, reason=reason)
        return result


def settle(future: Future[Any], result: Any) -> None:
    """Set the result of a future, unless the future was cancelled."""
    try:
        future.set_result(result)
    except InvalidStateError:
        pass
