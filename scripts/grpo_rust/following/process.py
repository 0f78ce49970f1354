"""The trainer's side of a follower: starts it, passes on what it says, and waits for it in the end, but not for long.

The follower is a process in a session of its own, so that Ctrl-C and a terminal that goes away do not reach it, and
knows the end by its standard input, which ends with the trainer, however that ends. Nothing of it is ever an error of
the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpo
import grpo_rust
from grpo_rust.following.sent import FOLDER
from sandbox.terminal import plain

__all__ = ["LOG", "FollowerProcess"]

LOG = f"{FOLDER}.log"  # in the run's directory
LAST_S = 30.0  # that the trainer waits in the end
LOOK_EVERY_S = 0.05


class FollowerProcess:
    """A process that follows a run. Use it as a context manager around the training."""

    def __init__(self, run: Path, say: Callable[[str], None], *, last_s: float = LAST_S) -> None:
        """
        Args:
            run: The run's directory; its config.toml says which trackers there are.
            say: Tells a person something.
            last_s: How long to wait for what is left when the run has ended.
        """
        self._run, self._say, self._last_s = run, say, last_s
        self._process: subprocess.Popen[bytes] | None = None
        self._unfinished = b""  # of a message
        self._gone = False

    def __enter__(self) -> FollowerProcess:
        command = [sys.executable, "-P", "-m", "grpo_rust.following", str(self._run), "--follow"]
        places = [str(Path(package.__file__ or "").resolve().parents[1]) for package in (grpo_rust, grpo)]
        search = os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])
        try:
            with open(self._run / LOG, "ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": search},
                )
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
        except OSError as error:
            self._lost(f"cannot be started ({error})")
        return self

    def listen(self) -> None:
        """Pass on what the follower has said; say once if it is gone. Does not wait."""
        if self._process is None or self._gone:
            return
        self._pass_on()
        if (code := self._process.poll()) is not None:
            self._lost(f"has ended with {f'signal {-code}' if code < 0 else f'code {code}'}")

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # which is the end of its input
        if self._process is None or self._gone or error_type is KeyboardInterrupt:  # there is no time then
            return
        until = time.monotonic() + self._last_s
        while (code := self._process.poll()) is None and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
        self._pass_on()
        if code is None:
            self._say(
                f"trackers have not taken everything after {self._last_s:.0f} s: process {self._process.pid} goes on "
                "with it"
            )
            self._process.returncode = 0  # else its end would be waited for when this object goes
        elif code:
            self._lost(f"has ended with {f'signal {-code}' if code < 0 else f'code {code}'}")

    def _pass_on(self) -> None:
        """Say every whole line that has arrived."""
        assert self._process is not None and self._process.stdout is not None
        while True:
            try:
                data = os.read(self._process.stdout.fileno(), 65_536)
            except OSError:  # nothing there now
                return
            if not data:
                return
            *lines, self._unfinished = (self._unfinished + data).split(b"\n")
            for line in lines:
                self._say(plain(line.decode(errors="replace")))

    def _lost(self, why: str) -> None:
        """Say that there is no follower."""
        self._gone = True
        self._say(
            f"the process that feeds the trackers {why}: the run goes on without it; {self._run / LOG} has the "
            f"details, and python -m grpo_rust.following {self._run} sends everything later"
        )
