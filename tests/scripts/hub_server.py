"""A small hub on this machine: the endpoints that huggingface_hub asks to make a model and to commit files to it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Hub", "Repository", "serve_hub"]

TOKEN = "hf_a_token_that_may_write"


@dataclass
class Repository:
    """A model on the hub."""

    visibility: str
    files: dict[str, bytes] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


@dataclass
class Hub:
    """What the server holds; `fails` is a pattern of paths that it answers with 500."""

    url: str = ""
    token: str = TOKEN
    fails: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    asked: list[str] = field(default_factory=list)  # method and path of every request


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """A hub that answers on the loopback address until the block ends."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self._body()
        path = self.path.partition("?")[0]
        if self.hub.fails and re.search(self.hub.fails, path):
            return self._answer(400, {"error": "the hub is out of order"})
        if path != "/api/validate-yaml" and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._answer(401, {"error": "Invalid token"})
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if path.endswith("/preupload/main"):
            files = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "lfs" if "safetensors" in n else "regular"} for n in files]
            return self._answer(200, {"files": [{**mode, "shouldIgnore": False} for mode in modes]})
        if path.endswith(".git/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            upload = [{**one, "actions": {"upload": {"href": f"{self.hub.url}/large/{one['oid']}"}}} for one in wanted]
            return self._answer(200, {"transfer": "basic", "objects": upload})
        if found := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            return self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        self._answer(404, {"error": f"this hub has no {path}"})

    def do_PUT(self) -> None:
        content = self._body()
        digest = self.path.rpartition("/")[2]
        right = hashlib.sha256(content).hexdigest() == digest
        if right:
            self.hub.large[digest] = content
        self._answer(200 if right else 400, {})

    def do_GET(self) -> None:
        self._body()
        self._answer(404, {"error": f"this hub has no {self.path}"})

    def _create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted.get('organization') or 'someone'}/{wanted['name']}"
        if name in self.hub.repositories:
            return self._answer(409, {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"})
        self.hub.repositories[name] = Repository(wanted.get("visibility") or "public")
        self._answer(200, {"url": f"{self.hub.url}/{name}", "name": name})

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repository = self.hub.repositories[name]
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                repository.messages.append(value["summary"])
            elif line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            else:
                repository.files[value["path"]] = self.hub.large[value["oid"]]
        self._answer(200, {"commitUrl": f"{self.hub.url}/{name}/commit/{'0' * 40}", "commitOid": "0" * 40})

    def _body(self) -> bytes:
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
