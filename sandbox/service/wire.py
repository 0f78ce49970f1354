"""The part of HTTP/1.1 that the endpoint speaks: requests in, answers out, and a bound on all that is read.

A request that can be read in two ways (two lengths, a length beside chunks, folded headers, a line that ends without
its carriage return) is refused and its connection closed. Bodies come by their length or in chunks. Left out: TLS,
compression, ranges, upgrades, and bodies of answers in pieces.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sandbox.service.records import as_json
from sandbox.service.service_limits import ServiceLimits

__all__ = ["CONTINUE", "Head", "Refusal", "answer", "linger", "read_body", "read_head"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[\x21-\x7e]*) HTTP/(\d)\.(\d)")
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[\t\x20-\x7e]*)?\r\n")
ONCE = ("authorization", "content-length", "expect", "host", "sandbox-client", "transfer-encoding")
LINGER_S = 2.0
LINGER_BYTES = 1 << 20


class Refusal(Exception):
    """A request that gets no other answer than why."""

    def __init__(self, status: int, words: str, *, closes: bool = True, **headers: str) -> None:
        """
        Args:
            status: The status of the answer.
            words: What was given, what is allowed.
            closes: Whether the connection ends: the rest of the request was not read.
            headers: Further headers, `_` for `-`.
        """
        super().__init__(words)
        self.status, self.words, self.closes = status, words, closes
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Head:
    """A request's line and headers, the names of headers in lower case."""

    method: str
    path: str
    is_old: bool = False  # HTTP/1.0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def keeps(self) -> bool:
        """Whether the client wants to go on with the connection."""
        return not self.is_old and "close" not in self.headers.get("connection", "").lower()


async def read_head(reader: asyncio.StreamReader, limits: ServiceLimits, wait_s: float) -> Head | None:
    """The next request's line and headers.

    Args:
        reader: Made with `max_header_kb` as its limit.
        limits: How much and how long.
        wait_s: How long to wait for the first byte.
    Returns: None where the client is done, or sent nothing.
    Raises: Refusal.
    """
    try:
        async with asyncio.timeout(wait_s):
            first = await reader.read(1)
    except TimeoutError:
        return None
    if not first:
        return None
    try:
        async with asyncio.timeout(limits.header_s):
            text = first + await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Refusal(408, f"the headers did not end within {limits.header_s} s") from None
    except asyncio.LimitOverrunError:
        raise Refusal(431, f"the headers have more than the {limits.max_header_kb} KiB that are allowed") from None
    except asyncio.IncompleteReadError:
        raise Refusal(400, "the headers end in the middle: an empty line has to follow them") from None
    return parse_head(text)


def parse_head(text: bytes) -> Head:
    """The line and the headers of a request. Raises: Refusal.

    >>> parse_head(b"GET /health HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n").headers
    {'host': 'here'}
    """
    line, *rest = text.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Refusal(400, f"{_shown(line)} is no request; send METHOD /path HTTP/1.1 in ASCII")
    method, path, major, minor = found.groups()
    if major != "1":
        raise Refusal(505, f"HTTP/{major}.{minor} is not spoken here; use HTTP/1.1")
    headers: dict[str, str] = {}
    for header in rest:
        pair = HEADER.fullmatch(header)
        if pair is None:
            raise Refusal(400, f"{_shown(header.partition(':')[0])} is no header; send NAME: VALUE in ASCII, unfolded")
        name, value = pair[1].lower(), pair[2].rstrip()
        if name in headers and name in ONCE:
            raise Refusal(400, f"the header {name} is there twice; send it once")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if minor != "0" and "host" not in headers:
        raise Refusal(400, "the header host is missing; HTTP/1.1 needs it")
    return Head(method, path, minor == "0", headers)


def _shown(text: str) -> str:
    """Some of a hostile text, for a message."""
    return ascii(text[:80])


async def read_body(
    head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: ServiceLimits
) -> bytes:
    """The body that follows a head; empty without one. Raises: Refusal."""
    coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    largest = limits.max_body_kb << 10
    if coding is not None and (length is not None or head.is_old):
        raise Refusal(400, "a body has either a content-length or, by HTTP/1.1, chunks")
    if coding is not None and coding.lower() != "chunked":
        raise Refusal(501, f"the transfer-encoding {_shown(coding)} is not known; use chunked or a content-length")
    if length is not None and not re.fullmatch("[0-9]{1,18}", length):
        raise Refusal(400, f"the content-length is {_shown(length)}; it must be a whole number of bytes")
    size = int(length or 0)
    if size > largest:
        raise _too_large(f"{size:,} bytes", limits)
    if coding is None and not size:
        return b""
    if head.headers.get("expect", "").lower() == "100-continue":
        writer.write(CONTINUE)
    try:
        async with asyncio.timeout(limits.body_s):
            return await (reader.readexactly(size) if coding is None else _chunks(reader, limits))
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {limits.body_s} s") from None
    except asyncio.LimitOverrunError:
        raise Refusal(400, "a chunk begins with its size in hexadecimal digits and a line's end") from None
    except asyncio.IncompleteReadError as error:
        wanted = f"{len(error.partial):,} of {size:,} bytes" if coding is None else "the middle of a chunk"
        raise Refusal(400, f"the body ends after {wanted}") from None


def _too_large(given: str, limits: ServiceLimits) -> Refusal:
    return Refusal(413, f"the body has {given}; {limits.max_body_kb << 10:,} are allowed")


async def _chunks(reader: asyncio.StreamReader, limits: ServiceLimits) -> bytes:
    """A body in chunks, without their extensions and what follows the last one."""
    body = bytearray()
    while True:
        found = CHUNK.fullmatch(await reader.readuntil(b"\r\n"))
        if found is None:
            raise Refusal(400, "a chunk begins with its size in hexadecimal digits and a line's end")
        size = int(found[1], 16)
        if not size:
            break
        if len(body) + size > limits.max_body_kb << 10:
            raise _too_large(f"at least {len(body) + size:,} bytes", limits)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise Refusal(400, f"a chunk has more than its {size:,} bytes; a line's end has to follow")
    left = limits.max_header_kb << 10
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        left -= len(line)
        if left < 0:
            raise Refusal(431, f"what follows the chunks has more than {limits.max_header_kb} KiB")
    return bytes(body)


def answer(status: int, payload: Any, *, keeps: bool, headers: Mapping[str, str] | None = None) -> bytes:
    """An answer with a JSON body.

    >>> print(answer(404, {"error": "none"}, keeps=True).decode().replace("\\r", ""))
    HTTP/1.1 404 Not Found
    Content-Type: application/json
    Content-Length: 16
    Cache-Control: no-store
    Connection: keep-alive
    <BLANKLINE>
    {"error":"none"}
    """
    body = as_json(payload)
    lines = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "keep-alive" if keeps else "close",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode("ascii") + body


async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End a connection whose client may still be sending: closed at once, it would lose the answer that it was sent."""
    if writer.can_write_eof() and not writer.transport.is_closing():
        writer.write_eof()
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0 and (read := await reader.read(1 << 16)):
                left -= len(read)
    except (TimeoutError, OSError):
        pass
