"""Keeps a run in an Oxen repository: every so many steps its logs, metrics and report become a commit.

Promises that no call waits for a commit (`close` alone does, with a limit) and none raises for one: each commit is made
by a process of its own (`grpo_rust.following.oxen_commit`), which is ended when it takes too long. What failed is told
once, until something works again, and tried again at the next time with all that came since; what fails in the end is
what `close` returns. Nothing of Oxen is loaded here. Left out: checkpoints.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from grpo.errors import BadInput
from grpo.rollout.oxen_source import OxenRemote, oxen_environment, oxen_remote

__all__ = ["OxenKeeper", "OxenPlace", "oxen_place"]

LIMIT_S = 600.0  # of one commit with its push
CLOSE_S = 60.0  # that the end waits for each of the last two


class OxenPlace(NamedTuple):
    """Where a run is kept.

    >>> str(OxenPlace(Path("/data/kept"), None))
    'the folder /data/kept'
    """

    folder: Path  # the local repository
    remote: OxenRemote | None  # what it is pushed to

    def __str__(self) -> str:
        """In words."""
        if self.remote is None:
            return f"the folder {self.folder.resolve()}"
        return f"the remote repository {self.remote.url}, and {self.folder.resolve()} until it is pushed"


def oxen_place(run: Path, repository: str) -> OxenPlace:
    """Where a run is kept.

    Args:
        run: The run directory.
        repository: "local" for RUN.oxen beside the run; `namespace/name` on hub.oxen.ai, or
            `https://host/namespace/name`, for a remote one, with RUN.oxen beside the run as its copy here; or the
            path of a local one, which is made where it is missing: an absolute one, one that begins with ./, ../ or ~,
            one that ends in .oxen, or one that exists.
    Raises:
        BadInput: For an empty name, for one that is none of these, and for an address that is none of a repository,
            which is not repeated: it may hold a password.

    >>> oxen_place(Path("runs/a"), "me/runs").remote.url, str(oxen_place(Path("runs/a"), "./me/runs").folder)
    ('https://hub.oxen.ai/me/runs', 'me/runs')
    """
    if not repository.strip():
        raise BadInput("no Oxen repository is named: give a path, local, or namespace/name of a remote one")
    named = run.resolve() if run.name in ("", "..") else run  # nothing can be named beside "."
    beside = named.with_name(f"{run.resolve().name}.oxen")
    path = Path(repository).expanduser()
    remote = oxen_remote(repository)
    if "://" in repository and (remote is None or remote.file):
        raise BadInput(
            "track.oxen: an address is https://host/namespace/name, without user, password or more; "
            "oxen config --auth HOST TOKEN keeps what a server asks for"
        )
    if repository == "local":
        return OxenPlace(beside, None)
    if path.is_dir() or repository.startswith((".", "/", "~")) or repository.endswith(".oxen"):
        return OxenPlace(path, None)
    if remote is None or remote.file:
        raise BadInput(
            f"track.oxen = {repository!r} is no folder that exists and no namespace/name of a remote repository: a "
            f"folder that is to be made begins with . or /, as ./{repository}"
        )
    return OxenPlace(beside, remote)


class OxenKeeper:
    """Commits a run every so many steps. It belongs to the process that follows the run, not to the trainer."""

    def __init__(
        self,
        run: Path,
        *,
        repository: str,
        every: int,
        say: Callable[[str], None],
        limit_s: float = LIMIT_S,
        close_s: float = CLOSE_S,
    ) -> None:
        """
        Args:
            run: The run directory.
            repository: As `oxen_place` takes it.
            every: Steps between commits.
            say: Is told in one line what fails, and that it works again.
            limit_s: The longest time that one commit, with its push, may take.
            close_s: The longest wait of `close` for one commit.
        Raises:
            BadInput: For a repository without a name.
        """
        oxen_place(run, repository)
        self._run, self._repository, self._every, self._say = run, repository, max(1, every), say
        self._limit_s, self._close_s = limit_s, close_s
        self._step: int | None = None  # the newest
        self._asked = 0  # the step of the last try
        self._failing = False
        self._ends = False  # whether the commit that is being made is the last one
        self._problem = ""  # of the last commit
        self._running: _Commit | None = None

    def step(self, step: int) -> None:
        """A step's lines are on disk: begin a commit where one is due, and hear how the last one went."""
        self._step = step
        self._hear(self._limit_s)
        if step // self._every > self._asked // self._every and self._running is None:
            self._begin(step)

    def close(self, step: int | None = None) -> str:
        """Commit what is left, and wait for that.

        Args:
            step: The run's last step, where `step` was told none.
        Returns: Why that is not kept; "" where it is.
        """
        self._wait()
        last = step if self._step is None else self._step
        if last is not None:  # also where that step is kept: the summary may have come since
            self._ends = True
            self._begin(last)
            self._wait()
        return self._problem

    def _begin(self, step: int) -> None:
        """Start the process that commits."""
        self._asked, self._problem = step, ""
        try:
            self._running = _Commit(self._run, self._repository, step)
        except OSError as error:
            self._failed(f"its process cannot be started ({error.strerror or error})")

    def _wait(self) -> None:
        """Wait for the commit that is being made."""
        until = time.monotonic() + self._close_s
        while self._running is not None:
            self._hear(self._close_s if time.monotonic() > until else self._limit_s)
            if self._running is not None:
                self._running.wait(0.2)

    def _hear(self, limit_s: float) -> None:
        """Take the result of the commit that is being made, where it has ended or taken too long."""
        if (commit := self._running) is None:
            return
        problem = commit.problem(limit_s)
        if problem is None:
            return
        self._running = None
        if problem:
            self._failed(problem)
            return
        if self._failing:
            self._say(f"the Oxen repository {self._repository} keeps the run again, up to step {commit.step}")
        self._failing = False

    def _failed(self, problem: str) -> None:
        """Tell the first of a row of failures; that of the last commit is for whoever closes."""
        self._problem = problem
        if not self._failing and not self._ends:
            often = "after every step" if self._every == 1 else f"every {self._every} steps"
            self._say(
                f"the Oxen repository {self._repository} does not keep the run: {problem}. The training goes on; it is "
                f"tried again {often}"
            )
        self._failing = True


class _Commit:
    """A process that makes one commit."""

    def __init__(self, run: Path, repository: str, step: int) -> None:
        self.step = step
        self._began = time.monotonic()
        self._said: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grpo_rust.following.oxen_commit", str(run), repository, str(step)],
            env=oxen_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C stops the trainer, and not what keeps its last step
        )

    def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def problem(self, limit_s: float) -> str | None:
        """What went wrong, in one line, "" for nothing; None while it works. It is ended when the limit is over."""
        code = self._process.poll()
        if code is None and time.monotonic() - self._began < limit_s:
            return None
        if code is None:
            self._process.kill()
            self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip().splitlines()
        self._said.close()
        if code is None:
            return f"no answer within {limit_s:g} s"
        return "" if code == 0 else (said[-1][-300:] if said else f"its process ended with code {code}")
