"""A pool's link to its driver: the process is started here, and ends when the link does.

Ray ends a process that loses its cluster, takes over its signals and raises its limits: with a driver of its own none
of that happens to a training. The driver is of a session of its own, so that Ctrl-C reaches the pool alone.
"""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sandbox.cluster.environment import driver_environment
from sandbox.cluster.messages import Close, Opening

__all__ = ["CLOSE_S", "DriverProcess"]

ROOT = Path(__file__).resolve().parents[2]
TICK_S = 0.5
CLOSE_S, KILL_S = 25.0, 2.0  # the first is more than it gives the pools of nodes to clean up
LAST_WORDS = 2000  # bytes


class DriverProcess:
    """One driver. Any thread may `send` and `close`; one reads `messages`."""

    def __init__(self, opening: Opening) -> None:
        """Start it. Raises: OSError when there is no room for a process."""
        self._output, self._directory = tempfile.TemporaryFile(), ""
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        with theirs:
            try:
                self._process = self._start(theirs.fileno(), opening.address)
            except BaseException:
                self._connection.close()
                self._output.close()
                self._remove_directory()
                raise
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.send(opening)
        self._poster = threading.Thread(target=self._post, daemon=True, name="to the Ray driver")
        self._poster.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: Any) -> None:
        """Send a message. Returns at once, whether the driver is alive or not."""
        self._outbox.put(message)

    def messages(self) -> Iterator[Any]:
        """What the driver says, and None from time to time where it says nothing; ends with the driver."""
        try:
            while True:
                yield self._connection.recv() if self._connection.poll(TICK_S) else None
        except (EOFError, OSError):
            return

    def close(self, patience_s: float = CLOSE_S) -> None:
        """End it: asked first, then forced. Ray's own watchman ends a Ray that a killed driver started.

        Args:
            patience_s: How long it may take when it is asked.
        """
        self.send(Close())
        for seconds, insist in ((patience_s, self._process.terminate), (KILL_S, self._process.kill)):
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                insist()
        self._process.wait()
        self._remove_directory()

    def end(self) -> str:
        """Close it, and then the link. Only the thread that reads `messages` may call this, once it has done so.

        Returns: The end of what it and Ray printed.
        """
        self.close()
        self._poster.join()
        self._connection.close()
        with self._output as output:
            output.seek(max(0, output.seek(0, os.SEEK_END) - LAST_WORDS))
            return output.read().decode("utf-8", "replace").strip()

    def _start(self, link: int, address: str) -> subprocess.Popen[bytes]:
        """Start the process, to which a descriptor is given as its end of the link."""
        own = {}
        if not address:  # Ray's sockets lie there, whose paths must be short: not below a TMPDIR of the caller
            self._directory = tempfile.mkdtemp(prefix="ray-", dir=os.environ.get("RAY_TMPDIR") or "/tmp")
            own = {"RAY_TMPDIR": self._directory}
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox.cluster.driver", str(link)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            pass_fds=(link,),
            env={**os.environ, **driver_environment(address), **own, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    def _remove_directory(self) -> None:
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _post(self) -> None:
        """Send what is to be sent, until the link or the driver ends."""
        try:
            while True:
                message = self._outbox.get()
                self._connection.send(message)
                if isinstance(message, Close):
                    return
        except OSError:
            return
