"""One request to an OpenAI-compatible API, repeated until there is an answer or no hope.

What passes by itself is tried again: a busy server (429), a failing one (5xx), a connection that breaks or is silent
for too long, an answer that is cut off. The wait doubles with every try, with jitter, and is at least what the server
asks for (`Retry-After`). What the caller did wrong (a key, a name, a parameter) stops at once with the server's words.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from grpo.errors import BadInput, HostFailed
from remote_api.reply import QUOTED, Answer, UnreadableReply, read_reply

__all__ = ["Endpoint", "EndpointFailed", "Refused", "Stopped"]

PASSING = {408, 409, 425, 429}  # statuses below 500 that pass by themselves
LONGEST_WAIT_S = 60.0  # of our own; a server may ask for more
LONGEST_ASKED_S = 900.0  # a server that wants more than this is not there today


class EndpointFailed(HostFailed):
    """The API gave no answer, however often it was asked."""


class Refused(BadInput):
    """The API refuses a request, with a status below 500 that does not pass by itself."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Stopped(Exception):
    """The work is being stopped: no further request is sent."""


@dataclass(frozen=True)
class Endpoint:
    """Where and how requests are sent."""

    base_url: str  # up to and without /chat/completions
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 300.0  # of silence
    retries: int = 8
    first_wait_s: float = 1.0

    def ask(self, messages: Sequence[Mapping[str, str]], body: Mapping[str, Any], stop: threading.Event) -> Answer:
        """Send a prompt until it is answered.

        Args:
            messages: The chat.
            body: Further fields of the request, such as the temperature.
            stop: Ends waits between tries.
        Raises:
            Refused: Where the API refuses the request.
            EndpointFailed: Where it does not answer after all tries.
            Stopped: When `stop` is set before a request was answered.
        """
        content = json.dumps({"model": self.model, "messages": [dict(message) for message in messages], **body})
        wait = self.first_wait_s
        for attempt in range(self.retries + 1):
            if stop.is_set():
                raise Stopped
            try:
                return self._send(content.encode())
            except _Passing as failure:
                asked = failure.retry_after_s
                if attempt == self.retries or asked > LONGEST_ASKED_S:
                    wants = f"; it asks to come back in {asked:.0f} s" if asked > LONGEST_ASKED_S else ""
                    raise EndpointFailed(
                        f"{self.base_url} gave no answer in {attempt + 1} tries: {failure}{wants}"
                    ) from failure
                stop.wait(max(asked, wait * random.uniform(0.5, 1.0)))
                wait = min(2 * wait, LONGEST_WAIT_S)
        raise AssertionError("the last try returns or raises")

    def _send(self, content: bytes) -> Answer:
        """One try. Raises: _Passing, Refused."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        request = urllib.request.Request(f"{self.base_url}/chat/completions", content, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
                return read_reply(response.read())
        except UnreadableReply as error:
            raise _Passing(str(error)) from None
        except urllib.error.HTTPError as error:
            with error:
                said = f"status {error.code}: {_quoted(error)}"
            if error.code < 500 and error.code not in PASSING:
                raise Refused(f"{self.base_url} refuses {self.model}: {said}", error.code) from None
            raise _Passing(said, _retry_after_s(error.headers.get("Retry-After"))) from None
        except (OSError, http.client.HTTPException) as error:  # refused, reset, cut off, silent
            raise _Passing(f"{type(error).__name__}: {error}") from None
        except ValueError as error:  # of a reply that leads to no address; its words could quote the key
            raise _Passing(f"a reply that cannot be followed ({type(error).__name__})") from None


class _Passing(Exception):
    """A try that failed in a way that may pass."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def _quoted(error: urllib.error.HTTPError) -> str:
    """What the server says, in one line."""
    try:
        return " ".join(error.read(4 * QUOTED).decode("utf-8", "replace").split())[:QUOTED]
    except (OSError, http.client.HTTPException):
        return error.reason


def _retry_after_s(value: str | None) -> float:
    """The header `Retry-After` in seconds: a number, or a date. 0 where it says nothing.

    >>> _retry_after_s("2.5"), _retry_after_s(None), _retry_after_s("soon")
    (2.5, 0.0, 0.0)
    """
    if value is None:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
