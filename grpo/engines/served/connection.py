"""Requests to one `vllm serve`, each with a limit of time; a server that fails in any way has died.

One that answers, but not as a server that was started for a run, has died too, and says so by `WrongServer`: to start
it again in the same way would not help.

Environment variables for proxies are not read: weights and completions stay within the network.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx2

from grpo.engines import EngineDied

__all__ = ["KEY", "Connection", "WrongServer"]

KEY = "VLLM_API_KEY"  # the environment variable that `vllm serve` reads too
ANSWER_S = 10.0  # for what a server answers without computing
QUOTED = 500  # characters of an answer, in a message
COMMAND = "start it with the command of docs/scale/engines.md"
ADVICE = {  # by the status of an answer that only another start, or another key, changes
    401: f"give its --api-key in {KEY}",
    403: COMMAND,
    404: COMMAND,
}


class WrongServer(EngineDied):
    """Something answers, but it was not started for a run, or asks for another key."""


class Connection:
    """The address of a server, and what every request to it needs."""

    def __init__(self, url: str) -> None:
        self.url = url
        key = os.environ.get(KEY, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.settings: dict[str, Any] = {
            "base_url": url,
            "headers": headers,
            "trust_env": False,
            "verify": _certificates(),
        }

    def get(self, path: str) -> Any:
        """What a server says. Raises: EngineDied."""
        return self._request("GET", path, None, ANSWER_S)

    def ask(self, path: str, name: str) -> Any:
        """A value by its name in what a server says. Raises: EngineDied; WrongServer where there is none."""
        return _value(self.get(path), name, f"GET {path}")

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float = ANSWER_S) -> Any:
        """What a server answers; None for nothing. Raises: EngineDied."""
        return self._request("POST", path, body, timeout_s)

    def call_workers(self, method: str, *arguments: str, timeout_s: float = ANSWER_S) -> list[Any]:
        """What a method of `worker` returns in each of vLLM's workers.

        Raises:
            EngineDied: When the method fails.
            WrongServer: When the workers have no such method.
        """
        body, path = {"method": method, "args": list(arguments)}, "/collective_rpc"
        try:
            answer = self.post(path, body, timeout_s=timeout_s)
        except EngineDied as error:
            if any(words in str(error) for words in (f"'{method}' is not implemented", f"no attribute '{method}'")):
                raise WrongServer(f"its workers have no {method}: {COMMAND} ({error})") from error
            raise
        results = _value(answer, "results", f"POST {path}")
        if not isinstance(results, list) or not results:
            raise WrongServer(f"POST {path}: no worker has answered: {str(answer)[:QUOTED]}")
        return results

    def _request(self, verb: str, path: str, body: Mapping[str, Any] | None, timeout_s: float) -> Any:
        try:
            with httpx2.Client(timeout=timeout_s, **self.settings) as client:
                response = client.request(verb, path, json=body)
        except httpx2.HTTPError as error:
            raise EngineDied(f"{verb} {path}: {said(error)}") from error
        if response.status_code != httpx2.codes.OK:
            kind = WrongServer if response.status_code in ADVICE else EngineDied
            raise kind(f"{verb} {path}: {refusal(response.status_code, response.text)}")
        try:
            return response.json() if response.content else None
        except ValueError as error:
            raise WrongServer(f"{verb} {path}: the answer is no JSON: {response.text[:QUOTED]!r}") from error


def said(error: httpx2.HTTPError) -> str:
    """An error of a connection in words; several of them have no text of their own."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def refusal(status: int, text: str) -> str:
    """What a server means that answers with an error."""
    advice = f"; {ADVICE[status]}" if status in ADVICE else ""
    return f"status {status}: {text[:QUOTED].strip()}{advice}"


def _value(answer: Any, name: str, asked: str) -> Any:
    """A value of an answer. Raises: WrongServer."""
    if not isinstance(answer, dict) or name not in answer:
        raise WrongServer(f"{asked}: the answer has no {name!r}, as vLLM's would: {str(answer)[:QUOTED]}; {COMMAND}")
    return answer[name]


@cache
def _certificates() -> ssl.SSLContext:
    """Whom an https server may be vouched for by; read once, since that takes longer than a request."""
    return ssl.create_default_context()
