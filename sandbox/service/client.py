"""A pool of sandboxes on another machine, or in another process: `RemotePool` stands in for `SandboxPool`.

Promises the same results: what the server's pool says, field by field. A result does not depend on how often it was
asked for, so a request is sent again when the server is full (429), has failed (503) or is not reached. What has no
result in the end is HOST_ERROR, with the reason, and never the program's failure. Left out: a cache, since the server
has one.
"""

from __future__ import annotations

import logging
import queue
import random
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.errors import PoolClosed, ServiceError
from sandbox.evidence.experiment import Experiment
from sandbox.service.access import ALLOWED, GOOD_TOKEN
from sandbox.service.link import LOST, Address, Link, Response
from sandbox.service.records import as_json
from sandbox.storage import code_hash
from sandbox.verdict import PHASES, Evidence, Outcome, Verdict
from sandbox.workers.task import settle

__all__ = ["RemotePool"]

log = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 15.0
HOST_FAILURES = 3  # answers that the host failed at this program; the server's pool tries three times for each
START_S = 10.0
BUSY_S = 2.0  # for a figure that a step can do without


@dataclass(eq=False)
class _Sent:
    """A task on its way."""

    path: str
    many: str  # what the request calls a list of such tasks
    task: Any
    result: type[Any]  # the class of its results
    future: Future[Any] = field(default_factory=Future)
    link: Link | None = None  # that asks for it

    def failed(self, reason: str) -> Any:
        return self.result(Outcome.HOST_ERROR, reason=reason)


class RemoteToolchain(NamedTuple):
    """What is known of a server's toolchain."""

    version: str


class BusySum:
    """The seconds that a server says it was busy, since the first answer, also over its restarts.

    >>> busy = BusySum({"busy_s": 100.0})
    >>> busy.told({"busy_s": 103.0}), busy.told({"busy_s": 2.0}), busy.told({})
    (3.0, 5.0, 5.0)
    """

    def __init__(self, health: Mapping[str, Any]) -> None:
        self.seconds = 0.0
        self._last = float(health.get("busy_s", 0.0))

    def told(self, health: Mapping[str, Any]) -> float:
        """The sum with a new answer; a server of another version may not say it."""
        now = float(health.get("busy_s", self._last))
        self.seconds += now - self._last if now >= self._last else now
        self._last = now
        return self.seconds


class RemotePool:
    """Sends programs to `python -m sandbox serve`.

    As in `SandboxPool`, methods return at once, and futures never raise but for being cancelled by `close`.
    """

    def __init__(
        self, url: str, token: str, *, connections: int = 32, patience_s: float = 300.0, answer_s: float = 900.0
    ) -> None:
        """Ask the server how it is.

        Args:
            url: Of the server: http://HOST:PORT, or https:// where something in front of it speaks TLS.
            token: The server's.
            connections: The most at once; so many programs are asked for at a time, and the others wait here.
            patience_s: How long a program is sent again while the server fails or is not reached. A server that is
                full is asked again without end.
            answer_s: The longest wait for one answer, after which it is asked for again.
        Raises:
            ServiceError: No server answers there, or it refuses the token.
            ValueError: The URL is none.
        """
        self.url, self._patience_s = url, patience_s
        self._address = Address.of(url)
        if not GOOD_TOKEN.fullmatch(token):
            raise ServiceError(f"the token has {len(token)} characters and is none: {ALLOWED}")
        self._headers = {"Authorization": f"Bearer {token}", "Sandbox-Client": secrets.token_hex(8)}
        self._connections, self._answer_s = connections, answer_s
        self._queue: queue.SimpleQueue[_Sent | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished: dict[Future[Any], _Sent] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        found = self._health()
        self.jobs = int(found.get("jobs", 1))
        self.backend, self.isolation = str(found.get("backend", "unknown")), str(found.get("isolation", "unknown"))
        self.toolchain = RemoteToolchain(str(found.get("toolchain", "unknown")))
        self.limits: Mapping[str, Any] = found.get("limits", {})
        self._busy = BusySum(found)
        if found.get("version") != code_hash()[:16]:
            log.warning("the sandbox server at %s runs another version of this code; its verdicts may differ", url)

    def submit(self, source: str, *, phases: Sequence[str] = PHASES, backend: str = "") -> Future[Verdict]:
        """Send a program, as `SandboxPool.submit`."""
        if set(phases) - set(PHASES) or not phases:
            raise ValueError(f"phases are {tuple(phases)}; give some of {', '.join(PHASES)}")
        program = {"source": source, "phases": tuple(phases), "backend": backend}
        return self._send(_Sent("/verdicts", "programs", program, Verdict))

    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]:
        """Send an experiment, as `SandboxPool.submit_experiment`."""
        return self._send(_Sent("/evidence", "experiments", experiment, Evidence))

    def submit_calls(self, calls: Calls) -> Future[Answers]:
        """Send calls of a program's functions, as `SandboxPool.submit_calls`."""
        if not calls.calls:
            raise ValueError("there are no calls; give at least one")
        return self._send(_Sent("/answers", "calls", calls, Answers))

    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]:
        """Send a crossing, as `SandboxPool.submit_crossing`."""
        return self._send(_Sent("/crossed", "crossings", crossing, Crossed))

    @property
    def unfinished(self) -> int:
        """Number of programs that were submitted and have no verdict yet."""
        with self._lock:
            return len(self._unfinished)

    @property
    def busy_s(self) -> float:
        """Seconds that the server's workers have spent on programs since this pool began, those of others too.

        Asks the server; where it does not answer, what it said last.
        """
        try:
            return self._busy.told(self._health(BUSY_S))
        except ServiceError:
            return self._busy.seconds

    def cancel(self, future: Future[Any], reason: str) -> None:
        """Stop a task: its result is HOST_ERROR at once, and the server stops it when it sees that nobody waits.

        A pool of this process says TIMEOUT of what it has started. What another machine has started is not known here,
        and what may never have run is not scored.

        Args:
            future: That a method of this pool returned. One that is done is ignored.
            reason: The result's reason.
        """
        with self._lock:
            sent = self._unfinished.pop(future, None)
        if sent is not None:
            settle(future, sent.failed(reason))
            with self._lock:
                if sent.link is not None:
                    sent.link.cut()

    def close(self) -> None:
        """End all connections, and cancel the futures of programs that have no verdict."""
        self._closing.set()
        with self._lock:
            unfinished, threads = list(self._unfinished.values()), list(self._threads)
            self._unfinished.clear()
            for sent in unfinished:
                if sent.link is not None:
                    sent.link.cut()
        for _ in threads:
            self._queue.put(None)
        for sent in unfinished:
            sent.future.cancel()
        for thread in threads:
            if thread is not threading.current_thread():  # closed by what waited for a result
                thread.join()

    def __enter__(self) -> RemotePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _health(self, answer_s: float = START_S) -> Mapping[str, Any]:
        """What the server says of itself. Raises: ServiceError."""
        link = Link(self._address, self._headers, answer_s)
        try:
            found = link.ask("GET", "/health")
        except LOST as error:
            advice = "start one with `python -m sandbox serve`"
            raise ServiceError(f"no sandbox server answers at {self.url} ({_words(error)}); {advice}") from error
        finally:
            link.close()
        if found.status != 200:
            raise ServiceError(f"the sandbox server at {self.url} refuses ({found.status}): {found.error}")
        return found.payload

    def _send(self, sent: _Sent) -> Future[Any]:
        """Queue a task for the next connection that is free, and open one more if there may be more."""
        with self._lock:
            if self._closing.is_set():
                raise PoolClosed("the remote pool is closed: submit programs inside its `with` block")
            self._unfinished[sent.future] = sent
            if len(self._threads) < min(self._connections, len(self._unfinished)):
                self._threads.append(threading.Thread(target=self._work, daemon=True, name="remote sandbox"))
                self._threads[-1].start()
        self._queue.put(sent)
        return sent.future

    def _work(self) -> None:
        """Run the thread of one connection."""
        link = Link(self._address, self._headers, self._answer_s)
        while (sent := self._queue.get()) is not None:
            with self._lock:
                if sent.future not in self._unfinished:
                    continue  # cancelled
                link.mend()
                sent.link = link
            try:
                result = self._result(sent, link)
            except Exception as error:  # a mistake in this client: nobody may wait for ever
                log.exception("a program could not be sent to %s", self.url)
                result = sent.failed(f"it could not be sent: {type(error).__name__}: {error}")
            with self._lock:
                sent.link = None
                self._unfinished.pop(sent.future, None)
            if result is not None:
                settle(sent.future, result)
        link.close()

    def _result(self, sent: _Sent, link: Link) -> Any:
        """The result of a task; None if it was given up."""
        body = as_json({sent.many: [sent.task]})
        failing_since, pause_s, host_failures = None, FIRST_PAUSE_S, 0
        while not self._closing.is_set() and not sent.future.done():
            try:
                found = link.ask("POST", sent.path, body)
            except LOST as error:
                why, wanted = f"no answer from {self.url} ({_words(error)})", None
            else:
                result, why = _read(sent, found)
                if result is not None:
                    return result
                wanted = found.retry_s
                if found.status == 429:
                    failing_since, pause_s = None, FIRST_PAUSE_S
                    self._pause(wanted or 1.0, sent)
                    continue
                host_failures += sent.path[1:] in found.payload
                if found.status != 503 or host_failures == HOST_FAILURES:
                    return sent.failed(why)
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > self._patience_s:
                return sent.failed(f"{why}, for {self._patience_s:g} s")
            self._pause(max(pause_s, wanted or 0.0), sent)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return None

    def _pause(self, seconds: float, sent: _Sent) -> None:
        """Wait about that long, so that clients do not come back all at once; not to the end if it is given up."""
        until = time.monotonic() + seconds * random.uniform(0.5, 1.0)
        while (left := until - time.monotonic()) > 0 and not sent.future.done():
            if self._closing.wait(min(left, 0.2)):
                return


def _read(sent: _Sent, found: Response) -> tuple[Any, str]:
    """The result in an answer, or None and why there is none."""
    if found.status not in (200, 503) or sent.path[1:] not in found.payload:
        return None, f"the server refused it ({found.status}): {found.error}"
    try:
        (record,) = found.payload[sent.path[1:]]
        if "error" in record:
            return None, str(record["error"])
        return sent.result.from_json(record), ""
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return sent.failed(f"the server answered in another version's words ({type(error).__name__}: {error})"), ""


def _words(error: BaseException) -> str:
    """An error for people."""
    return str(error) or type(error).__name__
