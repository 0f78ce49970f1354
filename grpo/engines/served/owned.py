"""The engine with a `vllm serve` of its own on this machine: vLLM's tensor and data parallelism.

The server runs under a small process that ends it when this process ends, however that happens, and it is started again
when it dies. What it prints goes to a log, whose end is quoted.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from grpo.distributed.place import without_place
from grpo.engines import EngineDied
from grpo.engines.process import end_of
from grpo.engines.served.connection import Connection
from grpo.engines.served.engine import ServedEngine
from grpo.run.stuck import note_progress

__all__ = ["OwnedEngine", "OwnServer"]

START_S = 1800.0  # for a server to load, to compile, and to record graphs
ENDING_S = 20.0
LOOK_EVERY_S = 0.5


class OwnServer:
    """A server process on a free port of this machine."""

    def __init__(
        self, command: Callable[[int], Sequence[str]], environment: Mapping[str, str], log: Path, *, start_s: float
    ) -> None:
        """
        Args:
            command: What starts it on a port.
            environment: Beyond this process's.
            log: A file for its output.
            start_s: Seconds until it has to answer.
        Raises:
            EngineDied: When it ends, or does not answer in time.
        """
        self._command, self._environment, self._log, self._start_s = command, environment, log, start_s
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, in the place of one that runs: at its address, or at a new one where that is taken by now.

        Raises: EngineDied.
        """
        self.end()
        self.port = _free_port(self.port)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grpo.engines.served.keeper", *self._command(self.port)],
                stdin=subprocess.PIPE,  # its end tells that this process has ended
                stdout=output,
                stderr=output,
                env={**without_place(os.environ), **self._environment},
                start_new_session=True,  # Ctrl-C is ours to interpret
            )
        self._wait()

    def end(self) -> None:
        """End it, and wait for that."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(2 * ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _wait(self) -> None:
        """Wait until it answers."""
        assert self._process is not None
        deadline = time.monotonic() + self._start_s
        while True:
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.end()
                why = f"ended with code {code}" if code is not None else f"did not answer within {self._start_s:g} s"
                raise EngineDied(f"vLLM's server {why}; the end of {self._log}:\n{end_of(self._log)}")
            with suppress(EngineDied):
                Connection(self.url).get("/health")
                return
            note_progress()  # it has a limit of its own, which may be the longer one
            time.sleep(LOOK_EVERY_S)


def _free_port(wanted: int) -> int:
    """A port that nobody listens at: the wanted one if it is such, else any."""
    for port in (wanted, 0):
        with socket.socket() as free, suppress(OSError):
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a server before may linger
            free.bind(("127.0.0.1", port))
            return int(free.getsockname()[1])
    raise EngineDied("no port of this machine is free for vLLM's server")


class OwnedEngine(ServedEngine):
    """Samples with a server that it starts, restarts and ends."""

    def __init__(self, server: OwnServer, **settings: Any) -> None:
        """
        Args:
            server: Runs, and is ended by `close`.
            settings: As of `ServedEngine`.
        """
        self._server = server
        try:
            super().__init__(server.url, **settings)
        except BaseException:
            server.end()
            raise

    def restart(self) -> bool:
        """As `Engine.restart`."""
        self._way.forget(self._connection)
        self._server.start()
        self._connection = Connection(self._server.url)
        return super().restart()

    def close(self) -> None:
        """End the server."""
        super().close()
        self._server.end()
