"""Who may ask: whoever has the token. It is compared in constant time, and no part of the server writes it into a log.

One token for all; whoever has it may ask for anything that the server does.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import sys
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["ALLOWED", "GOOD_TOKEN", "TOKEN_VARIABLE", "find_token", "is_authorized", "is_loopback", "make_token"]

TOKEN_VARIABLE = "SANDBOX_TOKEN"
GOOD_TOKEN = re.compile(r"[\x21-\x7e]{16,256}")
ALLOWED = "a token has 16 to 256 visible ASCII characters without spaces"


def find_token(file: str | None, environment: MutableMapping[str, str]) -> str | None:
    """The token that a file or the environment gives; None where neither does.

    The variable is taken out of the environment, so that no process which is started later inherits it.

    Args:
        file: The path of a file that holds the token; it wins.
        environment: Usually `os.environ`.
    Raises:
        OSError: The file cannot be read.
        ValueError: What was given is no token. The message does not repeat it.

    >>> environment = {"SANDBOX_TOKEN": "0123456789abcdef"}
    >>> find_token(None, environment), environment
    ('0123456789abcdef', {})
    """
    given = environment.pop(TOKEN_VARIABLE, None)
    where = TOKEN_VARIABLE
    if file is not None:
        where = file
        given = Path(file).read_text(encoding="utf-8", errors="replace").strip()
        if os.stat(file).st_mode & 0o077:
            print(f"sandbox: other users can read the token in {file}; `chmod 600` stops that", file=sys.stderr)
    if given is not None and not GOOD_TOKEN.fullmatch(given):
        raise ValueError(f"{where} holds {len(given)} characters that are no token: {ALLOWED}")
    return given


def make_token() -> str:
    """A new token, from the system's random numbers."""
    return secrets.token_urlsafe(24)


def is_authorized(header: str, token: str) -> bool:
    """Whether the value of an `Authorization` header has the token, in a time that does not depend on how much agrees.

    >>> is_authorized("Bearer 0123456789abcdef", "0123456789abcdef"), is_authorized("Bearer", "0123456789abcdef")
    (True, False)
    """
    scheme, _, given = header.strip().partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org", "")]
    [True, True, True, False, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
