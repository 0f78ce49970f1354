"""A real server in a process of its own, and raw sockets to treat it badly with."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

TOKEN = "a-token-of-the-tests"
WAIT_S = 60.0


class Served:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str], token: str) -> None:
        self.process, self.errors, self.token = process, errors, token
        assert process.stdout is not None
        self.said = [process.stdout.readline(), process.stdout.readline()]
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.said[0])
        assert found, (self.said, self.stderr())
        self.port, self.url = int(found[1]), found[0]

    def stderr(self) -> str:
        """What it has written to its standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)

    def raw(self, sent: bytes, *, ends: bool = False) -> bytes:
        """All that the server answers until it closes the connection."""
        with self.open() as connection:
            connection.sendall(sent)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return everything(connection)

    def ask(self, path: str, asked: Any = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        body = None if asked is None else json.dumps(asked).encode()
        return last(self.raw(request(path, body, "Connection: close", token=self.token)))

    def queue(self) -> dict[str, int]:
        return self.ask("/health")[1]["queue"]

    def workers(self) -> list[int]:
        """The processes of its pool."""
        command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return [int(line.split()[0]) for line in listed if "spawn_main" in line]


def everything(connection: socket.socket) -> bytes:
    """What is read until the other side closes, or resets, the connection."""
    read = b""
    try:
        while piece := connection.recv(1 << 16):
            read += piece
    except ConnectionResetError:
        pass
    return read


def request(path: str, body: bytes | None = None, *headers: str, token: str = TOKEN, method: str = "") -> bytes:
    """A request that is right but for what the caller adds."""
    method = method or ("GET" if body is None else "POST")
    length = () if body is None else (f"Content-Length: {len(body)}",)
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Authorization: Bearer {token}", *length, *headers]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + (body or b"")


def answers(read: bytes) -> list[tuple[int, Any]]:
    """The status and the JSON of each answer, those with status 100 left out."""
    found = []
    while read:
        head, _, rest = read.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        length = re.search(rb"Content-Length: (\d+)", head)
        size = int(length[1]) if length else 0
        if status != 100:
            found.append((status, json.loads(rest[:size])))
        read = rest[size:]
    return found


def last(read: bytes) -> tuple[int, Any]:
    """The only answer."""
    (found,) = answers(read)
    return found


@contextmanager
def serving(*flags: str, token: str | None = TOKEN) -> Iterator[Served]:
    """A server on a free port. It is stopped at the end, by force if it does not stop by itself."""
    command = [sys.executable, "-m", "sandbox", "serve", "--port", "0", *flags]
    environment = {name: value for name, value in os.environ.items() if name != "SANDBOX_TOKEN"}
    environment |= {} if token is None else {"SANDBOX_TOKEN": token}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            served = Served(process, errors, token or "")
            if token is None:
                served.token = served.said[1].split()[-1]
            yield served
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise
