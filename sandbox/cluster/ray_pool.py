"""A pool over the nodes of a Ray cluster: `RayPool` stands in for `SandboxPool`.

Promises the same results, exactly one for each task: where a node, Ray or its driver is lost, tasks are run again, and
what has no result in the end is HOST_ERROR and never the program's failure. Submitting never blocks: what the nodes
have no room for waits here. Results are kept here, before all nodes, in the same store as those of a local pool.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.cluster.address import check_address
from sandbox.cluster.driver_process import CLOSE_S, DriverProcess
from sandbox.cluster.messages import (
    NODE_S,
    Cancel,
    Connected,
    Done,
    Failed,
    NodeSettings,
    Opening,
    RunTask,
    Said,
    Standing,
)
from sandbox.errors import ClusterError, PoolClosed
from sandbox.grading.backends import BACKENDS
from sandbox.limits import Limits
from sandbox.storage import code_hash
from sandbox.verdict import Outcome
from sandbox.workers.cache import is_lasting, kept_results, task_key
from sandbox.workers.pool import TaskPool
from sandbox.workers.task import R, WorkerTask, settle

__all__ = ["RayPool"]

log = logging.getLogger(__name__)
CONNECT_S, START_S = 30.0, 180.0  # to reach a cluster; to start a Ray of our own, or a client's process
UNREADY_CLOSE_S = 5.0  # for a driver that has no node yet, to end
CANCEL_S = 5.0  # for a node to say how far a cancelled task came
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
MISSING = 'sandbox.pool = "ray" needs the package ray: pip install "grpo-rust[ray]"'


@dataclass(eq=False)
class _Sent:
    """A task without a result."""

    number: int
    key: str
    task: WorkerTask[Any]
    future: Future[Any] = field(default_factory=Future)
    cancelled: tuple[float, str] | None = None  # when, and why

    def failed(self, reason: str) -> Any:
        return self.task.failed(Outcome.HOST_ERROR, reason)


class RayPool(TaskPool):
    """Sends tasks to a pool on each node of a Ray cluster.

    >>> with RayPool("ray://head:10001") as pool:  # doctest: +SKIP
    ...     pool.submit("fn main_is_given() {}").result().outcome
    <Outcome.NO_TESTS: 'no_tests'>
    """

    def __init__(
        self,
        address: str = "",
        jobs: int = 0,
        limits: Limits | None = None,
        *,
        backend: str = "batch",
        isolation: str = "auto",
        cache_size: int = 100_000,
        keep: bool = False,
        nice: int = 0,
    ) -> None:
        """Reach the cluster, and wait for the first node that can grade.

        Args:
            address: HOST:PORT, ray://HOST:PORT, "auto" for the Ray that was started on this machine, or "" to start a
                small one here, which ends with the pool.
            jobs: Workers of each node, 0 for as many as it has CPUs for Ray; a node without CPUs grades nothing.
            limits: As of `SandboxPool`, and so are the others; each node's pool gets them.
            backend: See above.
            isolation: See above.
            cache_size: Number of results kept here, in memory. Nodes keep none.
            keep: Whether results are kept on this machine's disk for other runs.
            nice: See above.
        Raises:
            ClusterError: Ray is not installed, cannot be reached, or has no node that can grade.
            ValueError: There is no such backend.
        """
        if backend not in BACKENDS:
            raise ValueError(f"the backend is {backend!r}; it must be one of {', '.join(BACKENDS)}")
        if importlib.util.find_spec("ray") is None:
            raise ClusterError(MISSING)
        check_address(address)
        self.limits = limits or Limits()
        settings = NodeSettings(jobs, self.limits, backend, isolation, nice)
        self._opening = Opening(address, settings, code_hash(), None)
        self.url, self.jobs, self.num_nodes, self._busy_before = address, 0, 0, 0.0
        self._standing: Standing | None = None
        self._problem = ""
        self._lock = threading.Lock()
        self._numbers = count()
        self._sent: dict[int, _Sent] = {}
        self._pending: dict[str, _Sent] = {}  # by key; without those that were cancelled
        self._cancelled: list[_Sent] = []
        self._driver: DriverProcess | None = None
        self._connected, self._ready, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="Ray pool")
        self._thread.start()
        starts = not address or address.startswith("ray://")  # Ray starts a process for every client
        first = self._wait_for_a_node(START_S if starts else CONNECT_S).first
        self.isolation, self.backend = first.isolation, first.backend
        self.toolchain = first.isolation.toolchain
        self._cache = kept_results(cache_size, on_disk=keep and self.isolation.is_real)

    def submit_task(self, task: WorkerTask[R]) -> Future[R]:
        key = task_key(task, self.isolation, self.limits)
        with self._lock:
            if self._closing.is_set():
                raise PoolClosed("the pool on Ray is closed: submit programs inside its `with` block")
            known = self._cache.get(key, task.kind)
            if known is not None:
                future: Future[R] = Future()
                future.set_result(known)
                return future
            if key not in self._pending:
                sent = _Sent(next(self._numbers), key, task)
                self._sent[sent.number] = self._pending[key] = sent
                if self._driver is not None:
                    self._driver.send(RunTask(sent.number, task))
            return self._pending[key].future

    @property
    def busy_s(self) -> float:
        """Seconds that the workers of all nodes have spent on tasks, as their last answers say."""
        with self._lock:
            return self._busy_before + (self._standing.busy_s if self._standing is not None else 0.0)

    @property
    def unfinished(self) -> int:
        """Number of tasks that were submitted and have no result yet."""
        with self._lock:
            return len(self._sent)

    def cancel(self, future: Future[Any], reason: str) -> None:
        """Stop a task, as `SandboxPool.cancel`; its node says how far it came.

        Without an answer from the node in `CANCEL_S` seconds the result is HOST_ERROR.
        """
        with self._lock:
            sent = next((sent for sent in self._sent.values() if sent.future is future), None)
            if sent is None or sent.cancelled is not None:
                return
            sent.cancelled = time.monotonic(), reason
            self._cancelled.append(sent)
            if self._pending.get(sent.key) is sent:
                del self._pending[sent.key]
            if self._driver is not None:
                self._driver.send(Cancel(sent.number, reason))
                return
            del self._sent[sent.number]
        settle(sent.future, sent.failed(f"{reason}, while Ray was lost"))

    def close(self) -> None:
        """End the pools of all nodes, and the Ray that was started here; cancel the futures without a result."""
        self._closing.set()
        with self._lock:
            driver, unfinished = self._driver, list(self._sent.values())
            self._sent.clear()
            self._pending.clear()
        if driver is not None:
            driver.close(CLOSE_S if self._ready.is_set() else UNREADY_CLOSE_S)
        for sent in unfinished:
            sent.future.cancel()
        if threading.current_thread() is not self._thread:  # closed by what waited for a result
            self._thread.join()
        with self._lock:
            if self._standing is not None:
                self._cache.close()

    def _wait_for_a_node(self, connect_s: float) -> Standing:
        """The first word on nodes that grade. Raises: ClusterError."""
        place = self._opening.address or "this machine"
        try:
            if not self._connected.wait(connect_s):
                raise ClusterError(f"Ray at {place} did not answer within {connect_s:g} s; is the address one of Ray?")
            if not self._ready.wait(NODE_S):
                raise ClusterError(
                    f"no node of Ray at {place} could grade within {NODE_S:g} s: it needs nodes with CPUs that nobody "
                    "else holds (ray status shows them)"
                )
            if self._standing is None:
                raise ClusterError(self._problem)
            return self._standing
        except BaseException:
            self.close()
            raise

    def _serve(self) -> None:
        """Run the thread: keep a driver, and hear it."""
        pause_s = FIRST_PAUSE_S
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                last_words = self._drive(DriverProcess(self._opening))
            except OSError as error:  # no room for a process, or for its files
                last_words = f"it could not be started: {error}"
            self._problem = self._problem or f"the driver of Ray ended: {last_words or 'it said nothing'}"
            if self._standing is None or self._closing.is_set():
                self._connected.set()
                self._ready.set()
                return
            self._after_a_loss()
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else min(2 * pause_s, LONGEST_PAUSE_S)
            self._closing.wait(pause_s)

    def _drive(self, driver: DriverProcess) -> str:
        """Have a driver run all tasks until it ends; its last words."""
        with self._lock:
            if not self._closing.is_set():
                self._driver = driver
            for sent in self._sent.values():
                driver.send(RunTask(sent.number, sent.task))
        if self._driver is driver:
            for said in driver.messages():
                self._hear(said)
                self._settle_overdue(CANCEL_S)
        with self._lock:
            self._driver = None
        return driver.end()

    def _after_a_loss(self) -> None:
        """What has no driver: nothing is cancelled elsewhere, nothing is busy, all that is left is sent again."""
        assert self._standing is not None
        log.warning("Ray is lost (%s); %d tasks wait until it is back", self._problem, self.unfinished)
        self._problem = ""
        self._opening = self._opening._replace(first=self._standing.first)
        with self._lock:
            self._busy_before += self._standing.busy_s
            self._standing = self._standing._replace(nodes=0, jobs=0, busy_s=0.0)
        self._settle_overdue(0.0)

    def _hear(self, said: Any) -> None:
        """Take what the driver says."""
        match said:
            case Connected(address):
                self.url = f"Ray {address}"
                self._connected.set()
            case Standing():
                self._standing, self.jobs, self.num_nodes = said, said.jobs, said.nodes
                self._ready.set()
            case Done(number, result):
                self._done(number, result)
            case Failed(reason):
                self._problem = reason
            case Said(text):
                log.warning("%s", text)

    def _done(self, number: int, result: Any) -> None:
        """Give a task its result, the first one that comes, and keep it."""
        with self._lock:
            sent = self._sent.pop(number, None)
            if sent is None:
                return
            if self._pending.get(sent.key) is sent:
                del self._pending[sent.key]
            if sent.cancelled is None and is_lasting(result):
                self._cache.put(sent.key, result)
        settle(sent.future, result)

    def _settle_overdue(self, after_s: float) -> None:
        """Give the tasks a result that were cancelled so long ago and have none."""
        now = time.monotonic()
        while self._cancelled:
            sent = self._cancelled[0]
            assert sent.cancelled is not None
            when, reason = sent.cancelled
            with self._lock:
                is_open = sent.number in self._sent
                if is_open and now - when < after_s:
                    return
                self._sent.pop(sent.number, None)
                self._cancelled.pop(0)
            if is_open:
                settle(sent.future, sent.failed(f"{reason}; its node did not say how far it came"))
