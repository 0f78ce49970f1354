"""What the pool and its driver tell each other: plain records, pickled over a socket of this machine."""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.cluster.facts import NodeFacts
from sandbox.limits import Limits
from sandbox.workers.task import WorkerTask

__all__ = [
    "NODE_S",
    "Cancel",
    "Close",
    "Connected",
    "Done",
    "Failed",
    "NodeSettings",
    "Opening",
    "RunTask",
    "Said",
    "Standing",
]

NODE_S = 300.0  # for a node, which may have to come up, to build the launcher and to check its backends


class NodeSettings(NamedTuple):
    """How a node's pool is made."""

    jobs: int  # workers; 0: as many as the node has CPUs for Ray
    limits: Limits
    backend: str
    isolation: str
    nice: int


class Opening(NamedTuple):
    """The first word of a pool."""

    address: str  # "" for a Ray of our own
    settings: NodeSettings
    code: str  # the hash of this package there: under it verdicts are kept
    first: NodeFacts | None  # what nodes are compared with beside code and limits; None before the first one


class RunTask(NamedTuple):
    """Run a task."""

    number: int  # of the task, by which its result is known
    task: WorkerTask[Any]


class Cancel(NamedTuple):
    """Stop a task; its result comes as any other."""

    number: int
    reason: str


class Close(NamedTuple):
    """End everything."""


class Connected(NamedTuple):
    """The driver reached Ray, or started one."""

    address: str


class Failed(NamedTuple):
    """The driver gives up."""

    reason: str


class Standing(NamedTuple):
    """The nodes that grade, whenever that changes."""

    first: NodeFacts
    nodes: int
    jobs: int  # of all of them
    busy_s: float  # that their workers spent on tasks since the driver began, those of lost nodes too


class Done(NamedTuple):
    """A task's result."""

    number: int
    result: Any


class Said(NamedTuple):
    """Something that the log should have."""

    text: str
