"""The queue before the pool: bounded, fair among clients, and emptied of what nobody waits for any more.

The pool takes work in the order in which it comes. So only as much is handed to it as keeps its workers and their
batches busy; the rest waits here, and clients take turns. Equal programs share one future of the pool, so one is
cancelled only when the last who waits for it has gone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

from sandbox.errors import PoolClosed
from sandbox.grading.backends import BATCH_SIZE
from sandbox.service.asked import Send
from sandbox.service.service_limits import ServiceLimits

__all__ = ["Admission", "Full", "Ticket"]

RECENT = 64  # results by which the speed is told
LONGEST_RETRY_S = 30
GONE = "its client has gone"


class _Pool(Protocol):
    """The part of `sandbox.workers.pool.SandboxPool` that the queue needs."""

    jobs: int

    def cancel(self, future: Future[Any], reason: str) -> None: ...


class Full(Exception):
    """The queue has no room for a request; `retry_s` says when it may."""

    def __init__(self, words: str, retry_s: int) -> None:
        super().__init__(words)
        self.words, self.retry_s = words, retry_s


class Ticket:
    """A task that was accepted. `result` is done when the pool has answered; it is cancelled where the pool closed."""

    def __init__(self, client: str, send: Send) -> None:
        self.client, self.send = client, send
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.sent: Future[Any] | None = None  # of the pool; None while it waits here


class Admission:
    """Used by the thread of the event loop alone."""

    def __init__(self, pool: _Pool, limits: ServiceLimits) -> None:
        self._pool, self._limits = pool, limits
        self._at_once = 2 * BATCH_SIZE * pool.jobs
        self._queues: dict[str, deque[Ticket]] = {}  # by client; the first one's turn is next
        self._held: dict[str, int] = {}  # unanswered tasks by client
        self._waiters: dict[Future[Any], int] = {}  # tickets that want a future of the pool
        self._sent = 0  # tasks that the pool has
        self._recent: deque[float] = deque(maxlen=RECENT)  # when results came
        self.answered = 0

    @property
    def unanswered(self) -> int:
        """Tasks that were accepted and have no result."""
        return sum(self._held.values())

    @property
    def waiting(self) -> int:
        """Those of them that the pool does not have yet."""
        return sum(map(len, self._queues.values()))

    def accept(self, client: str, sends: Sequence[Send]) -> list[Ticket]:
        """Queue the tasks of a request, all or none.

        Args:
            client: Who asks; clients take turns.
            sends: Not more than `ServiceLimits.largest_request`.
        Raises: Full.
        """
        wanted, held, most = len(sends), self._held.get(client, 0), self._limits.max_waiting
        if self.unanswered + wanted > most:
            self._refuse(f"{self.unanswered} programs wait; {most} may, and this request has {wanted} more")
        if held + wanted > self._limits.largest_client:
            mine = f"{held} programs of this client wait; {self._limits.largest_client} may"
            self._refuse(f"{mine}, and this request has {wanted} more")
        tickets = [Ticket(client, send) for send in sends]
        self._held[client] = held + wanted
        self._queues.setdefault(client, deque()).extend(tickets)
        self._feed()
        return tickets

    def release(self, ticket: Ticket) -> None:
        """Give up a task that its client no longer waits for. One that is done is ignored.

        The pool's lock is held meanwhile, and no other ticket can join the future in between.
        """
        if ticket.result.done():
            return
        ticket.result.cancel()
        self._forget(ticket)
        if ticket.sent is None:
            queue = self._queues[ticket.client]
            queue.remove(ticket)
            if not queue:
                del self._queues[ticket.client]
            return
        if not ticket.sent.done():
            self._waiters[ticket.sent] -= 1
            if not self._waiters[ticket.sent]:
                self._pool.cancel(ticket.sent, GONE)

    def _refuse(self, words: str) -> None:
        span = time.monotonic() - self._recent[0] if len(self._recent) > 1 else 1.0
        seconds = self.unanswered / 4 * span / max(1, len(self._recent))  # until a quarter has gone
        raise Full(words, round(min(LONGEST_RETRY_S, max(1, seconds))))

    def _feed(self) -> None:
        """Hand tasks to the pool while it has room, one of each client in turn."""
        while self._queues and self._sent < self._at_once:
            client, queue = next(iter(self._queues.items()))
            del self._queues[client]
            ticket = queue.popleft()
            if queue:
                self._queues[client] = queue  # behind the others
            try:
                ticket.sent = ticket.send()
            except PoolClosed:
                ticket.result.cancel()
                self._forget(ticket)
                continue
            except Exception as error:  # a mistake at one task is told to its own client, and delays no other
                ticket.result.set_exception(error)
                self._forget(ticket)
                continue
            self._sent += 1
            self._waiters[ticket.sent] = self._waiters.get(ticket.sent, 0) + 1
            ticket.sent.add_done_callback(partial(self._tell, ticket))

    def _tell(self, ticket: Ticket, _: Future[Any]) -> None:
        """In any thread: let the event loop take a result."""
        try:
            ticket.result.get_loop().call_soon_threadsafe(self._done, ticket)
        except RuntimeError:
            pass  # the loop has ended, and with it whoever waited

    def _done(self, ticket: Ticket) -> None:
        """Pass on a result of the pool."""
        self._sent -= 1
        self._recent.append(time.monotonic())
        assert ticket.sent is not None
        self._waiters.pop(ticket.sent, None)
        if not ticket.result.done():
            self._forget(ticket)
            self.answered += 1
            if ticket.sent.cancelled():
                ticket.result.cancel()
            elif (error := ticket.sent.exception()) is not None:
                ticket.result.set_exception(error)
            else:
                ticket.result.set_result(ticket.sent.result())
        self._feed()

    def _forget(self, ticket: Ticket) -> None:
        """Count a task no longer as unanswered."""
        self._held[ticket.client] -= 1
        if not self._held[ticket.client]:
            del self._held[ticket.client]
