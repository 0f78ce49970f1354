"""The endpoint: takes requests from connections, asks the pool, and answers.

    GET  /health      the toolchain, backend, isolation, limits and the queue
    POST /verdicts    one or several programs; `sandbox.service.asked` has the table of all paths

Promises that a request costs its own connection alone, whatever it is: everything that is read is bounded in size and
in time. An answer is what `to_json` of the pool's result says; where the host failed it is a 503 and words. A client
that goes away takes its programs along.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

from sandbox.service.access import is_authorized
from sandbox.service.admission import Admission, Full, Ticket
from sandbox.service.asked import KINDS, read_asked
from sandbox.service.service_limits import ServiceLimits
from sandbox.service.wire import CONTINUE, Head, Refusal, answer, linger, read_body, read_head
from sandbox.storage import code_hash
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["SandboxEndpoint"]

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.5  # whether a client is still there
CUT_S, CUT_POLL_S = 5.0, 0.02
UNSENT = 1 << 16  # bytes; else the kernel takes megabytes for a client that reads nothing
HEALTH = "/health"
STOPPING = "the server is stopping: it answers what it accepted, and nothing new"


class SandboxEndpoint:
    """Serves a pool to connections; used by the thread of the event loop alone."""

    def __init__(self, pool: SandboxPool, token: str, limits: ServiceLimits) -> None:
        """
        Args:
            pool: Started; the endpoint does not close it.
            token: That every request needs.
            limits: What a client may ask for.
        """
        self._pool, self._token, self._limits = pool, token, limits
        self._admission = Admission(pool, limits)
        self._writers: set[asyncio.StreamWriter] = set()
        self._numbers = count()
        self.is_stopping = False
        self.busy = 0  # requests that were read and are not answered

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end. Given to `asyncio.start_server`."""
        if len(self._writers) >= self._limits.max_connections:
            words = f"{len(self._writers)} connections are open, as many as are allowed"
            writer.write(answer(503, {"error": words}, keeps=False, headers={"Retry-After": "1"}))
            writer.close()
            return
        self._writers.add(writer)
        writer.transport.set_write_buffer_limits(0)  # `drain` waits until the client has taken all but
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT)  # so much of it
        try:
            await self._requests(reader, writer, f"connection {next(self._numbers)}")
        except OSError:
            pass  # the client has gone
        except Exception:  # a mistake in this server costs one connection; no header and no body is in the message
            log.exception("the endpoint failed at a request")
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def cut(self) -> None:
        """End every connection, and wait until what serves them has noticed."""
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(round(CUT_S / CUT_POLL_S)):
            if not self._writers:
                return
            await asyncio.sleep(CUT_POLL_S)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        """Answer the requests of a connection, one after the other."""
        wait_s = self._limits.header_s  # a stranger holds a connection no longer than that
        while (keeps := await self._request(reader, writer, client, wait_s)) is True:
            wait_s = self._limits.idle_s
        if keeps is False:
            await linger(reader, writer)

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str, wait_s: float
    ) -> bool | None:
        """Answer one request. Returns: whether the connection goes on; None where its client is done."""
        head = None
        try:
            head = await read_head(reader, self._limits, wait_s)
            if head is None:
                return None
            self._check(head)
            body = await read_body(head, reader, writer, self._limits)
        except Refusal as refused:
            return await self._refuse(refused, writer)
        self.busy += 1
        try:
            status, payload = await self._answered(head, body, reader, writer, client)
            return await self._write(answer(status, payload, keeps=head.keeps), writer) and head.keeps
        except Refusal as refused:
            return await self._refuse(refused, writer, keeps=head.keeps)
        finally:
            self.busy -= 1

    async def _refuse(self, refused: Refusal, writer: asyncio.StreamWriter, *, keeps: bool = False) -> bool | None:
        """Say why a request has no answer; as `_request` returns."""
        goes_on = keeps and not refused.closes
        said = answer(refused.status, {"error": refused.words}, keeps=goes_on, headers=refused.headers)
        return await self._write(said, writer) and goes_on

    async def _write(self, said: bytes, writer: asyncio.StreamWriter) -> bool | None:
        """Send an answer; None where the client does not take it in time."""
        writer.write(said)
        try:
            async with asyncio.timeout(self._limits.answer_s):
                await writer.drain()
        except TimeoutError:
            return None
        return True

    def _check(self, head: Head) -> None:
        """Refuse a request before its body is read. Raises: Refusal."""
        if not is_authorized(head.headers.get("authorization", ""), self._token):
            given = "a wrong token" if "authorization" in head.headers else "no token"
            words = f"{given}: send the header `Authorization: Bearer TOKEN`"
            raise Refusal(401, words, WWW_Authenticate="Bearer")
        path = head.path.partition("?")[0]
        if path != HEALTH and path not in KINDS:
            raise Refusal(404, f"no path {path[:80]!r} here; there are {', '.join((HEALTH, *KINDS))}")
        allowed = "GET" if path == HEALTH else "POST"
        if head.method != allowed:
            raise Refusal(405, f"{path} takes {allowed} and not {head.method}", Allow=allowed)
        if self.is_stopping and path != HEALTH:
            raise Refusal(503, STOPPING, Retry_After="5")

    async def _answered(
        self, head: Head, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer. Raises: Refusal."""
        path = head.path.partition("?")[0]
        if path == HEALTH:
            return 200, self.health()
        if self.is_stopping:
            raise Refusal(503, STOPPING, Retry_After="5")
        asked = read_asked(path, body, self._pool, self._limits)
        try:
            tickets = self._admission.accept(head.headers.get("sandbox-client", client)[:64], asked.sends)
        except Full as full:
            raise Refusal(429, full.words, closes=False, Retry_After=str(full.retry_s)) from None
        try:
            await self._wait(tickets, reader, writer, head)
        finally:
            for ticket in tickets:
                self._admission.release(ticket)
        results = [_shown(ticket) for ticket in tickets]
        status = 503 if all("error" in result for result in results) else 200
        return status, results[0] if asked.is_one else {path[1:]: results}

    async def _wait(
        self, tickets: Sequence[Ticket], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head
    ) -> None:
        """Wait for results, and look now and then whether anybody is there to take them.

        A client that has gone and one that has only said that it sends no more (`shutdown`) look alike until something
        is written. What HTTP allows to write before an answer is 100 Continue.

        Raises: ConnectionError, where the client has gone.
        """
        pending: set[asyncio.Future[Any]] = {ticket.result for ticket in tickets}
        while pending:
            _, pending = await asyncio.wait(pending, timeout=LOOK_EVERY_S)
            if writer.transport.is_closing():
                raise ConnectionResetError("the client has gone")
            if pending and reader.at_eof() and not head.is_old:
                writer.write(CONTINUE)

    def health(self) -> dict[str, Any]:
        """What the server is and does, for people and for clients that compare versions."""
        admission = self._admission
        return {
            "status": "stopping" if self.is_stopping else "serving",
            "toolchain": self._pool.toolchain.version,
            "backend": self._pool.backend,
            "isolation": str(self._pool.isolation),
            "version": code_hash()[:16],
            "jobs": self._pool.jobs,
            "workers": len(self._pool.worker_pids),
            "busy_s": round(self._pool.busy_s, 3),
            "queue": {
                "unanswered": admission.unanswered,
                "waiting": admission.waiting,
                "max": self._limits.max_waiting,
                "answered": admission.answered,
            },
            "connections": len(self._writers),
            "limits": asdict(self._pool.limits),
            "service_limits": asdict(self._limits),
        }


def _shown(ticket: Ticket) -> dict[str, Any]:
    """A result as JSON; where the host failed, words and no verdict."""
    if ticket.result.cancelled():
        return {"status": 503, "error": "the pool was closed"}
    result = ticket.result.result()
    if result.outcome is Outcome.HOST_ERROR:
        return {"status": 503, "error": f"the sandbox failed: {result.reason}"}
    shown: dict[str, Any] = result.to_json()
    return shown
