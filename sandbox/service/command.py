"""`python -m sandbox serve`: starts a pool and its endpoint, and ends both when it is told to.

The first Ctrl-C or SIGTERM lets what was accepted be answered and refuses what is new; the second ends at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys

from sandbox.exit_codes import ExitCode
from sandbox.service.access import find_token, is_loopback, make_token
from sandbox.service.endpoint import SandboxEndpoint
from sandbox.service.service_limits import ServiceLimits
from sandbox.terminal import counted
from sandbox.workers.pool import SandboxPool

__all__ = ["listen", "serve"]

POLL_S = 0.05
BACKLOG = 256  # connections that wait to be accepted


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes.

    Args:
        arguments: As `sandbox.__main__` parses them.
    Returns: The exit code.
    Raises:
        SandboxError: The pool cannot be started.
        OSError: The address cannot be listened on, or the token's file cannot be read.
        ValueError: The arguments do not fit together.
    """
    limits = ServiceLimits.of(vars(arguments))
    given = find_token(arguments.token_file, os.environ)
    if not is_loopback(arguments.host):
        if given is None:
            raise ValueError(f"--host {arguments.host} is no loopback address; give --token-file or SANDBOX_TOKEN")
        if arguments.isolation == "none":
            raise ValueError(f"--host {arguments.host} with --isolation none would run strangers' programs unprotected")
    token = given or make_token()
    with SandboxPool(arguments.jobs, backend=arguments.backend, isolation=arguments.isolation) as pool:
        return asyncio.run(_run(pool, arguments, SandboxEndpoint(pool, token, limits), limits, "" if given else token))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on one address of a host, the one that is printed.

    A name has several: localhost is 127.0.0.1 and ::1, which would get a free port each.

    Args:
        host: A name, the first of whose addresses that can be had is taken, IPv4 before IPv6; or an address.
        port: 0 for a free one.
    Raises: OSError, of the first address, where none can be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    failures: list[OSError] = []
    for family, _, _, _, address in sorted(found, key=lambda one: one[0] != socket.AF_INET):
        try:
            return socket.create_server(address[:2], family=family, backlog=BACKLOG)
        except OSError as error:
            failures.append(error)
    raise failures[0]


async def _run(
    pool: SandboxPool, arguments: argparse.Namespace, endpoint: SandboxEndpoint, limits: ServiceLimits, made: str
) -> int:
    """Listen, until all that was accepted is answered after a signal, or until a second one."""
    loop = asyncio.get_running_loop()
    first, second = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: (second if first.is_set() else first).set())
    listening = listen(arguments.host, arguments.port)
    server = await asyncio.start_server(endpoint.connect, sock=listening, limit=limits.max_header_kb << 10)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    what = f"{counted(pool.jobs, 'job')}, {pool.toolchain.version}, isolation: {pool.isolation}"
    print(f"sandbox: http://{shown}:{port}: {what}")
    print(f"sandbox: token: {made}" if made else "sandbox: the token is the one that was given", flush=True)
    await first.wait()
    endpoint.is_stopping = True
    print(
        f"sandbox: stopping; {counted(endpoint.busy, 'request')} to answer first, Ctrl-C ends at once", file=sys.stderr
    )
    while endpoint.busy and not second.is_set():
        await asyncio.sleep(POLL_S)
    await asyncio.sleep(0 if second.is_set() else POLL_S)  # the last answers go out
    server.close()
    await endpoint.cut()
    return ExitCode.INTERRUPTED if second.is_set() else ExitCode.DONE
