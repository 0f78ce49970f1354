"""A server that answers chat completions as a script says: well, badly, late, not at all. No test lives here."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["ScriptedServer", "answered", "scripted"]

SILENCE_S = 60.0  # longer than any test waits; the thread ends with the tests

Reply = Callable[[BaseHTTPRequestHandler], None]


class ScriptedServer(ThreadingHTTPServer):
    """Answers each request with the next word of its script, and with the last one from then on."""

    daemon_threads = True

    def __init__(self, script: Sequence[str], text: str | Callable[[dict[str, Any]], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script, self.text = list(script), text
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.arrived: list[float] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    text: str  # of a good answer to this request

    def do_POST(self) -> None:
        """Note the request, and do what the script says."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        self.text = server.text if isinstance(server.text, str) else server.text(body)
        with server.lock:
            server.requests.append(body)
            server.keys.append(self.headers.get("Authorization"))
            server.arrived.append(time.monotonic())
            word = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        REPLIES[word](self)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def answered(text: str, finish_reason: str = "stop") -> dict[str, Any]:
    """The body of a good answer: 10 tokens in, 20 out."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    return {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 20}}


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _well(handler: _Handler) -> None:
    _send(handler, 200, json.dumps(answered(handler.text)).encode())


def _with_tokens(count: str, more: str = "[]") -> bytes:
    """A good answer but for its number of tokens."""
    choices = '[{"message": {"content": "hello"}}]'
    return f'{{"choices": {choices}, "usage": {{"prompt_tokens": {count}}}, "more": {more}}}'.encode()


def _cut(handler: _Handler) -> None:
    _send(handler, 200, json.dumps(answered("half", "length")).encode())


def _slowly(handler: _Handler) -> None:
    time.sleep(0.6)
    _well(handler)


def _half_way(handler: _Handler) -> None:
    """Promise a whole answer, send half of it, and hang up."""
    body = json.dumps(answered(handler.text)).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


REPLIES: dict[str, Callable[[_Handler], None]] = {
    "well": _well,
    "cut": _cut,
    "slowly": _slowly,
    "half way": _half_way,
    "silent": lambda handler: time.sleep(SILENCE_S),
    "token counts": lambda handler: _send(handler, 200, _with_tokens("1e999")),
    "fewer than no tokens": lambda handler: _send(handler, 200, _with_tokens("-5")),
    "part of a token": lambda handler: _send(handler, 200, _with_tokens("1.5")),
    "tokens as text": lambda handler: _send(handler, 200, _with_tokens('"many"')),
    "deep": lambda handler: _send(handler, 200, b"[" * 200_000),
    "rather deep": lambda handler: _send(handler, 200, _with_tokens("1", more="[" * 300 + "]" * 300)),
    "no utf-8": lambda handler: _send(handler, 200, b'{"choices": "\xff"}'),
    "elsewhere": lambda handler: _send(handler, 302, b"", Location="http://[::1"),
    "badly": lambda handler: _send(handler, 200, b'{"choices": []}'),
    "no json": lambda handler: _send(handler, 200, b"<html>"),
    "no content": lambda handler: _send(handler, 200, b'{"choices": [{"message": {"content": null}}]}'),
    "busy": lambda handler: _send(handler, 429, b"slow down"),
    "busy, in half a second": lambda handler: _send(handler, 429, b"slow down", Retry_After="0.5"),
    "busy, tomorrow": lambda handler: _send(handler, 429, b"quota", Retry_After="86400"),
    "failing": lambda handler: _send(handler, 500, b"oops"),
    "too long": lambda handler: _send(handler, 400, b"longer than the model's context"),
    "wrong key": lambda handler: _send(handler, 401, b'{"error": "no such key"}'),
}


@contextmanager
def scripted(*script: str, text: str | Callable[[dict[str, Any]], str] = "hello") -> Iterator[ScriptedServer]:
    """A server that runs in a thread; `text` is what it answers, or a function from a request's fields to that."""
    server = ScriptedServer(script, text)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
