"""The client's side of one connection: a request out, an answer in, kept open for the next one."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["LOST", "Address", "Link", "Response"]

LOST = (OSError, http.client.HTTPException)  # what a connection that breaks raises; a timeout is an OSError
CONNECT_S = 10.0


class Address(NamedTuple):
    """Where a server is."""

    host: str
    port: int | None
    prefix: str = ""  # of every path
    is_tls: bool = False

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in a URL.

        Raises: ValueError for what is no address, with what is one.

        >>> Address.of("http://127.0.0.1:8321/")
        Address(host='127.0.0.1', port=8321, prefix='', is_tls=False)
        """
        parts = urlsplit(url)
        port = parts.port  # raises for one that is no number
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no address of a server; give one like http://127.0.0.1:8321")
        return cls(parts.hostname, port, parts.path.rstrip("/"), parts.scheme == "https")


class Response(NamedTuple):
    """What a server said."""

    status: int
    payload: Mapping[str, Any]
    retry_s: float | None = None  # when to ask again

    @property
    def error(self) -> str:
        """Its words where it refused."""
        return str(self.payload.get("error", f"status {self.status}"))


class Link:
    """One connection at a time. One thread asks; any thread may cut."""

    def __init__(self, address: Address, headers: Mapping[str, str], timeout_s: float) -> None:
        """
        Args:
            address: The server.
            headers: Of every request.
            timeout_s: The longest wait for an answer.
        """
        kind = http.client.HTTPSConnection if address.is_tls else http.client.HTTPConnection
        self._connection = kind(address.host, address.port, timeout=CONNECT_S)
        self._prefix, self._headers, self._timeout_s = address.prefix, dict(headers), timeout_s
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def ask(self, method: str, path: str, body: bytes | None = None) -> Response:
        """Send a request and read its answer.

        A connection that was kept may have been closed by the server meanwhile: the request is sent once more then.

        Raises: one of `LOST`.
        """
        was_kept = self._connection.sock is not None
        try:
            return self._ask(method, path, body)
        except LOST as error:
            self.close()
            if not was_kept or isinstance(error, TimeoutError) or self._is_cut:
                raise
        try:
            return self._ask(method, path, body)
        except LOST:
            self.close()
            raise

    def _ask(self, method: str, path: str, body: bytes | None) -> Response:
        if self._connection.sock is None:
            self._open()
        with self._lock:
            self._socket = self._connection.sock
            if self._is_cut:
                raise ConnectionAbortedError("given up")
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            self._connection.request(method, self._prefix + path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server that refuses a body answers before it has read all of it
        found = self._connection.getresponse()
        text = found.read()
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise http.client.HTTPException(f"an answer with status {found.status} that is not JSON") from error
        if type(payload) is not dict:
            raise http.client.HTTPException(f"an answer with status {found.status} that is no JSON object")
        return Response(found.status, payload, _seconds(found.getheader("Retry-After")))

    def _open(self) -> None:
        """Connect, and wait longer for answers than for that."""
        self._connection.connect()
        self._connection.sock.settimeout(self._timeout_s)

    def cut(self) -> None:
        """Break the connection, so that `ask` ends and the server stops what was asked. It can be used again."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is closed, or was never open

    def mend(self) -> None:
        """Forget that it was cut: a new request begins."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        with self._lock:
            self._socket = None
            self._connection.close()


def _seconds(header: str | None) -> float | None:
    """The seconds of a `Retry-After`; None for a date or none."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None
