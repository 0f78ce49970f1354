"""Where a Ray cluster is, and whether anything listens there: Ray itself takes a minute to say that nothing does."""

from __future__ import annotations

import re
import socket

from sandbox.errors import ClusterError

__all__ = ["ADVICE", "check_address"]

ADDRESS = re.compile(r"(ray://)?(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
ANSWERS_S = 5.0
ADVICE = (
    'give sandbox.ray_address as HOST:PORT of its head (a node of it must run here: "ray start --address=HOST:PORT '
    '--num-cpus=0"), as ray://HOST:10001, or as "auto"'
)


def check_address(address: str) -> None:
    """Check that something listens at an address; "" and "auto" name none. Raises: ClusterError.

    >>> check_address("http://head:6379")
    Traceback (most recent call last):
    sandbox.errors.ClusterError: 'http://head:6379' is no address of Ray: give HOST:PORT, ray://HOST:PORT or auto
    """
    if address in ("", "auto"):
        return
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise ClusterError(f"{address!r} is no address of Ray: give HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((found[2].strip("[]"), int(found[3])), timeout=ANSWERS_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"nothing answers at {address} ({error}): start Ray there, or {ADVICE}") from error
