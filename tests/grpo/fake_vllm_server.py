"""What a `vllm serve` answers, without vLLM: the endpoints that the engine uses, and failures on demand.

Its completions follow from seed and place; test_served_by_vllm.py shows that the real one speaks the same language.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from safetensors.torch import load_file

from grpo.engines.bit_sum import bit_sum
from grpo.engines.loaded_weights import digest

__all__ = ["FakeServer"]

MODEL = {"model_type": "qwen2", "hidden_size": 32, "vocab_size": 260}


class FakeServer:
    """One server. Its attributes say what goes wrong."""

    def __init__(self, port: int = 0) -> None:
        self.says: dict[str, Any] = {
            "vllm": "0.32.0",
            "model": MODEL,
            "dtype": "float32",
            "head_dtype": "",
            "logprobs_mode": "processed_logprobs",
            "generation_config": "vllm",
            "max_model_len": 100,
            "max_num_seqs": 64,
            "chunked_prefill": False,
            "device": "cpu",
            "transfer": "",
        }
        self.describes_after_s = 0.0
        self.copies = 1  # of the model, on a GPU each
        self.version = "default"
        self.key = ""  # that requests for completions and for their end must have
        self.answers: dict[str, tuple[int, Any]] = {}  # status and body by path, in the place of what is asked for
        self.wrong_weights = ""  # what `grpo_settle` finds
        self.sees_folder = True
        self.breaks_after = -1  # chunks of a call, over all its requests; -1: never
        self.silent_after = -1
        self.healthy = self.answers_health = True
        self.waits = False  # with the second chunk of every completion, until its request is aborted
        self.abort_status = 200
        self.aborted: set[str] = set()
        self.error: dict[str, Any] = {}  # in the place of a chunk
        self.changes: dict[str, Any] = {}  # of a completion's last chunk
        self.bad_request = ""
        self.requests: list[dict[str, Any]] = []
        self.ranks: list[str | None] = []
        self.taken: dict[str, Any] = {}  # the weights
        self._sent, self._lock, self._over = 0, threading.Lock(), threading.Event()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def chunk_may_leave(self) -> bool:
        """Count a chunk; False: the connection breaks. A silent server never comes back from here."""
        with self._lock:
            self._sent += 1
            sent = self._sent
        if 0 <= self.breaks_after < sent:
            return False
        if 0 <= self.silent_after < sent:
            self._over.wait(20)
            return False
        return True

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def worker(self, method: str, arguments: list[str]) -> Any:
        """What the worker's methods do. Raises: RuntimeError."""
        if method == "grpo_describe":
            time.sleep(self.describes_after_s)
            return self.says
        if method == "grpo_read":
            return Path(arguments[0]).read_text() if self.sees_folder else ""
        if method == "grpo_load":
            self.taken = load_file(arguments[0])
            read = digest({name: int(bit_sum(tensor)) for name, tensor in self.taken.items()})
            if read != arguments[1]:
                raise RuntimeError(f"the weights are {read} here")
        if method == "grpo_settle" and self.wrong_weights:
            raise RuntimeError(self.wrong_weights)
        return None


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in self.fake.answers:
            self.answer(*self.fake.answers[path])
        elif path == "/health":
            if not self.fake.answers_health:
                time.sleep(3)
            self.answer(200 if self.fake.healthy else 503, None)
        elif path == "/weight_info":
            self.answer(200, {"weight_version": self.fake.version})
        elif path == "/get_world_size":
            self.answer(200, {"world_size": 1 if "include_dp=false" in self.path else self.fake.copies})
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        path, key = urlsplit(self.path).path, self.fake.key
        if path in self.fake.answers:
            self.answer(*self.fake.answers[path])
        elif path.startswith("/inference") and key and self.headers["Authorization"] != f"Bearer {key}":
            self.answer(401, {"error": "Unauthorized"})
        elif path == "/collective_rpc":
            try:
                self.answer(200, {"results": [self.fake.worker(body["method"], body["args"])]})
            except RuntimeError as error:
                self.answer(500, {"error": {"message": str(error)}})
        elif path == "/update_weight_version":
            self.fake.version = body["new_version"]
            self.answer(200, {"success": True})
        elif path == "/inference/v1/generate":
            self.generate(body)
        elif path == "/inference/v1/abort_requests":
            self.fake.aborted.update(body["request_ids"])
            self.answer(self.fake.abort_status, None)
        else:
            self.answer(404, {"detail": "Not Found"})

    def answer(self, status: int, body: Any) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def generate(self, body: dict[str, Any]) -> None:
        fake = self.fake
        if fake.bad_request:
            self.answer(400, {"error": {"message": fake.bad_request}})
            return
        body["name"] = f"generate-tokens-{self.headers['X-Request-Id']}"
        fake.requests.append(body)
        fake.ranks.append(self.headers["X-data-parallel-rank"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            for chunk in self.chunks(body):
                if not fake.chunk_may_leave():
                    self.connection.close()
                    return
                self.wfile.write(f"data: {json.dumps(fake.error or chunk)}\n\n".encode())
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

    def chunks(self, body: dict[str, Any]) -> Any:
        """Two chunks of every completion: its tokens are the seed's last digits, its sample and its prompt."""
        asked = body["sampling_params"]
        for part in range(2):
            for sample in range(asked["n"]):
                tokens = [asked["seed"] % 1000, sample] if part == 0 else [body["token_ids"][0]]
                choice = {
                    "index": sample,
                    "token_ids": tokens,
                    "logprobs": {"content": [{"token_id": token, "logprob": -0.5} for token in tokens]},
                    "finish_reason": None,
                    "weight_versions": None,
                }
                while self.fake.waits and part == 1 and body["name"] not in self.fake.aborted:
                    time.sleep(0.01)
                if part == 1:
                    spans = [{"version": self.fake.version, "start": 0, "end": 3}]
                    choice |= {"finish_reason": "stop" if sample else "length", "weight_versions": spans}
                    if self.fake.waits:
                        choice |= {"token_ids": [], "logprobs": {"content": []}, "finish_reason": "abort"}
                    choice |= self.fake.changes
                yield {"request_id": "r", "output_mode": "tokens", "choices": [choice]}
