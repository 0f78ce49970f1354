"""Addresses and keys, looked at before a request is made of them: what cannot be sent is the caller's to put right."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from grpo.errors import BadInput

__all__ = ["check_address", "check_key"]

NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}")  # a part of a host's name
LONGEST_NAME = 253  # characters
GIVE = "give the address of the API, as http://HOST:PORT/v1"


def check_address(url: str) -> None:
    """Check the address of an API. Raises: BadInput.

    >>> check_address("https://api.example.org/v1"), check_address("http://[::1]:8000/v1")
    (None, None)
    """
    if not re.match("https?://", url):
        raise BadInput(f"--base-url {url or 'is missing'}: {GIVE}")
    if problem := _problem(url):
        raise BadInput(f"--base-url {ascii(url)[1:-1]}: {problem}: {GIVE}")


def check_key(key: str, variable: str) -> None:
    """Check a key, which no message shows. Raises: BadInput."""
    if not re.fullmatch("[!-~]*", key):
        raise BadInput(
            f"the key in {variable} has a space, a line break, or a character beyond ASCII, which no request can hold: "
            "set it again"
        )


def _problem(url: str) -> str:
    """What is wrong with an address; "" for nothing."""
    if not re.fullmatch("[!-~]+", url):
        return "it has a space, or a character beyond ASCII (write such a host in its xn-- form)"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return str(error)
    if "@" in parts.netloc:
        return "it holds a name or a password; --api-key-env names the variable of a key"
    if parts.query or parts.fragment:
        return "it has a part after ? or #, which the path of a request comes behind"
    if port == 0:
        return "no server has port 0"
    return "" if _is_host(host) else f"{host!r} is no host"


def _is_host(host: str) -> bool:
    """Whether this is a name or a number that a host can have."""
    if ":" in host:
        try:
            return "%" not in host and bool(ipaddress.IPv6Address(host))
        except ValueError:
            return False
    names = host.removesuffix(".").split(".")
    return len(host) <= LONGEST_NAME and all(NAME.fullmatch(name) for name in names)
