"""Which nodes grade: each gets an actor with a pool, is compared (`facts`), watched, and given up when lost.

All methods are called by one thread. What Ray answers comes back to it through `post`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ray
from ray.autoscaler.sdk import request_resources
from ray.exceptions import RayActorError
from ray.util import client as ray_client
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sandbox.cluster.dispatcher import PER_JOB
from sandbox.cluster.environment import KEPT_CHILDREN
from sandbox.cluster.facts import NodeFacts, differences, shortfalls
from sandbox.cluster.messages import NODE_S, NodeSettings, RunTask
from sandbox.cluster.node_pool import NodePool
from sandbox.cluster.resting import Resting
from sandbox.workers.hanging import LONGEST_STEP_S

__all__ = ["Nodes", "first_line"]

ASK_EVERY_S = 5.0
SILENT_S = 25.0  # without an answer, while Ray says that the node is alive: well below the deadline of a batch
MOST_FAILURES = 8  # of its host, one after the other: then a node is started anew
IDLE_S = 300.0  # without a task: then all nodes but one are free for others, or for the autoscaler to remove
ASKED_S = 30.0  # for a process of the cluster to start, and pass a request on
CLOSE_S = 20.0  # for pools to clean up, one that is just starting too


@dataclass(eq=False)
class _Node:
    """A node with an actor."""

    id: str
    name: str
    jobs: int
    cpus: int  # that it holds of Ray's
    actor: Any
    facts: NodeFacts | None = None  # once it grades
    busy_s: float = 0.0
    began: float = field(default_factory=time.monotonic)  # to grade, once it does
    silent_s: float = 0.0  # as far as this process looked
    is_asked: bool = False
    failures: int = 0

    @property
    def graded_s(self) -> float:
        """How long it has graded."""
        return time.monotonic() - self.began if self.facts is not None else 0.0


class Nodes:
    """The nodes of a cluster: `join(node, jobs)` is called for one that grades now, `leave(node, died)` afterwards."""

    def __init__(
        self,
        settings: NodeSettings,
        code: str,
        first: NodeFacts | None,
        *,
        post: Callable[[Callable[[], None]], None],
        join: Callable[[str, int], None],
        leave: Callable[[str, bool], None],
        say: Callable[[str], None],
    ) -> None:
        """
        Args:
            settings: Of every node's pool.
            code: The hash of this package that nodes have to have.
            first: What nodes have to equal in all else; None for the first one that starts.
            post: Takes a function from any thread, and calls it in the one thread.
            join: See above.
            leave: See above.
            say: Takes a line for the log.
        """
        self.first = first
        self._settings, self._code = settings, code
        self._post, self._join, self._leave, self._say = post, join, leave, say
        self._nodes: dict[str, _Node] = {}
        self._resting = Resting()
        self._refused: dict[str, str] = {}  # why, by node
        self._busy_before = 0.0  # of nodes that are gone
        self._busy_at = self._looked = time.monotonic()
        self._wanted: int | None = None  # CPUs, of the autoscaler; what a driver before this one wanted is not known
        self._pools = ray.remote(NodePool)

    @property
    def grading(self) -> list[_Node]:
        """Those that take tasks."""
        return [node for node in self._nodes.values() if node.facts is not None]

    @property
    def busy_s(self) -> float:
        """Seconds that all workers spent on tasks."""
        return self._busy_before + sum(node.busy_s for node in self._nodes.values())

    @property
    def hopeless(self) -> str:
        """Why no node is going to grade, as far as can be told; "" while one does or may."""
        return "\n".join(f"  {text}" for text in self._refused.values()) if not self._nodes else ""

    def look(self, rows: Sequence[Mapping[str, Any]], *, tasks: int, waiting: int) -> None:
        """Compare with what Ray says of the cluster's nodes, and ask those that grade for a sign of life.

        Args:
            rows: Of `ray.nodes()`.
            tasks: How many have no result yet.
            waiting: How many of them no node has room for.
        """
        alive = {str(row["NodeID"]): row for row in rows if row["Alive"]}
        for node in [node for node in self._nodes.values() if node.id not in alive]:
            self._lose(node, "it left the cluster")
        self._refused = {node: text for node, text in self._refused.items() if node in alive}
        for id, row in alive.items():
            cpus = int(row["Resources"].get("CPU", 0))
            if cpus and id not in self._nodes and self._resting.is_over(id) and not (self._is_idle and self._nodes):
                self._start(id, f"{row.get('NodeName') or row['NodeManagerAddress']} ({id[:8]})", cpus)
        now = time.monotonic()
        step_s, self._looked = min(now - self._looked, LONGEST_STEP_S), now
        for node in list(self._nodes.values()):
            if node.facts is None:
                self._await(node, step_s)
            else:
                self._ask(node, step_s)
        self._scale(tasks, waiting)

    def run(self, id: str, run: RunTask, then: Callable[[Future[Any]], None]) -> None:
        """Run a task on a node; `then` gets the future of its result and of the seconds that the node was busy."""
        self._when_done(self._nodes[id].actor.run.remote(*run), then)

    def cancel(self, id: str, number: int, reason: str) -> None:
        """Stop a task that a node has."""
        self._nodes[id].actor.cancel.remote(number, reason)

    def answered(self, id: str, busy_s: float) -> None:
        """A node gave a result, of whatever kind."""
        node = self._nodes[id]
        node.silent_s, node.busy_s = 0.0, busy_s

    def succeeded(self, id: str) -> None:
        """The result was none of its host's failures."""
        self._nodes[id].failures = 0

    def host_failed(self, id: str, reason: str) -> None:
        """A node's own host failed; where that goes on it is closed, and started anew after a rest."""
        node = self._nodes[id]
        node.failures += 1
        if node.failures >= MOST_FAILURES:
            self._say(f"the node {node.name} failed {node.failures} times in turn ({reason}): it rests")
            self._resting.begin(id, long=True, graded_s=node.graded_s)
            self._drop(node, died=False)

    def lost(self, id: str, error: BaseException) -> None:
        """A node's actor is dead or out of reach."""
        if id in self._nodes:
            self._lose(self._nodes[id], first_line(error))

    def close(self) -> None:
        """End all pools, and want nothing more of the autoscaler."""
        actors = [node.actor for node in self._nodes.values()]
        closing = [actor.close.remote() for actor in actors]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=CLOSE_S)
        for actor in actors:
            ray.kill(actor)
        with suppress(Exception):  # of whatever kind: the pools are closed
            self._want(0)

    def _start(self, id: str, name: str, cpus: int) -> None:
        """Start a pool on a node. It holds as many of the node's CPUs for Ray as it has workers."""
        jobs = self._settings.jobs or cpus
        actor = self._pools.options(
            num_cpus=min(jobs, cpus),
            max_restarts=0,
            max_concurrency=PER_JOB * jobs + 16,
            scheduling_strategy=NodeAffinitySchedulingStrategy(id, soft=False),
            runtime_env={"env_vars": KEPT_CHILDREN},
        ).remote()
        node = self._nodes[id] = _Node(id, name, jobs, min(jobs, cpus), actor)
        self._when_done(actor.start.remote(name, jobs, self._settings), partial(self._started, node))

    def _started(self, node: _Node, done: Future[NodeFacts | str]) -> None:
        """A node's pool started, or did not."""
        if self._nodes.get(node.id) is not node:
            return
        error = done.exception()
        found = first_line(error) if error is not None else done.result()
        if not isinstance(found, str):
            wrong = shortfalls(found, code=self._code, limits=self._settings.limits)
            if not (wrong := wrong + differences(self.first or found, found)):
                self.first = self.first or found
                node.facts, node.began, node.silent_s = found, time.monotonic(), 0.0
                self._refused.pop(node.id, None)
                self._join(node.id, node.jobs)
                return
            found = "; ".join(wrong)
        text = f"the node {node.name} is left out: {found}"
        if self._refused.get(node.id) != text:
            self._say(text)
        self._refused[node.id] = text
        self._resting.begin(node.id, long=True)
        self._drop(node, died=False)

    def _scale(self, tasks: int, waiting: int) -> None:
        """Ask the cluster's autoscaler, where it has one, for twice the CPUs while tasks wait; free idle nodes."""
        held = sum(node.cpus for node in self.grading)
        self._want(max(1, 2 * held) if waiting or self.first is None else 0)
        if tasks:
            self._busy_at = time.monotonic()
        elif self._is_idle:
            for node in self.grading[1:]:
                self._drop(node, died=False)

    def _want(self, cpus: int) -> None:
        """Ask the autoscaler for CPUs: it keeps as many until it is asked for others, whoever has gone meanwhile."""
        if cpus == self._wanted:
            return
        self._wanted = cpus
        if ray_client.ray.is_connected():  # ray://: this process is none of the cluster's
            asked = ray.remote(num_cpus=0)(request_resources).remote(num_cpus=cpus)
            ray.get(asked, timeout=ASKED_S)
        else:
            request_resources(num_cpus=cpus)

    @property
    def _is_idle(self) -> bool:
        return time.monotonic() - self._busy_at > IDLE_S

    def _await(self, node: _Node, step_s: float) -> None:
        """Say once that a node does not begin: Ray starts no actor whose CPUs others hold, and tells nobody."""
        node.silent_s += step_s
        if node.silent_s - step_s <= NODE_S < node.silent_s:
            self._say(
                f"the node {node.name} has not begun to grade within {NODE_S:g} s, and is waited for: it needs "
                f"{node.cpus} of its CPUs, which nobody else may hold (ray status and ray list actors show who does). "
                "End what holds them, or ask for fewer with sandbox.jobs"
            )

    def _ask(self, node: _Node, step_s: float) -> None:
        """Ask for a sign of life, or give a node up that gave none.

        Args:
            node: Which.
            step_s: Seconds since the last look. Those in which this process stood still are not the node's silence.
        """
        node.silent_s += step_s
        if node.silent_s > SILENT_S:
            self._lose(node, f"it has not answered for {node.silent_s:.0f} s")
        elif node.silent_s > ASK_EVERY_S and not node.is_asked:
            node.is_asked = True
            self._when_done(node.actor.busy_s.remote(), partial(self._told, node))

    def _told(self, node: _Node, done: Future[float]) -> None:
        """A node gave a sign of life, or Ray says that it is dead."""
        node.is_asked = False
        error = done.exception()
        if error is None:
            node.silent_s, node.busy_s = 0.0, done.result()
        elif isinstance(error, RayActorError) and self._nodes.get(node.id) is node:
            self._lose(node, first_line(error))

    def _lose(self, node: _Node, why: str) -> None:
        """Give up a node: its tasks go to others. It is tried again as long as it is there."""
        self._say(f"the node {node.name} is lost ({why}): others get its tasks")
        self._resting.begin(node.id, long=False, graded_s=node.graded_s)
        self._drop(node, died=True)

    def _drop(self, node: _Node, *, died: bool) -> None:
        """Forget a node, and end its actor: at once where it died, else after its pool has cleaned up."""
        del self._nodes[node.id]
        self._busy_before += node.busy_s
        if died:
            ray.kill(node.actor)
        else:
            self._when_done(node.actor.close.remote(), lambda _: ray.kill(node.actor))
        if node.facts is not None:
            self._leave(node.id, died)

    def _when_done(self, reference: Any, then: Callable[[Future[Any]], None]) -> None:
        """Call a function in the one thread once Ray has an answer, or knows that there is none."""
        reference.future().add_done_callback(lambda done: self._post(partial(then, done)))


def first_line(error: BaseException) -> str:
    """What Ray says of an error, short."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join([*lines[:1], *lines[-1:]] if len(lines) > 1 else lines)[:400]}"
