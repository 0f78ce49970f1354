"""Finds the strongest isolation that this host can give, and tries it out before it is used.

Without Landlock and bubblewrap the sandbox refuses to start, unless "none" is asked for by name.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.errors import IsolationError
from sandbox.isolation.build_launcher import launcher
from sandbox.isolation.policy import ISOLATIONS, MAX_PIDS, Isolation
from sandbox.isolation.shared_toolchain import publish_file, publish_toolchain
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.toolchain import Toolchain

__all__ = ["isolate"]

USERS = (1_500_000_000, 100_000)  # where user ids for workers begin; the first that the host knows is taken
TRIAL_TIMEOUT_S = 30

log = logging.getLogger(__name__)


def isolate(toolchain: Toolchain, wanted: str = "auto") -> Isolation:
    """The strongest isolation that this host can give, after trying it out.

    Args:
        toolchain: What guests compile with.
        wanted: Of `ISOLATIONS`; "auto" takes what the variable SANDBOX_ISOLATION names, else Landlock, else bubblewrap.
    Raises:
        IsolationError: There is neither Landlock nor bubblewrap, or the isolation that was asked for does not work.
        ToolchainError: The launcher cannot be built.
        ValueError: There is no isolation of this name.
    """
    if wanted == "auto":
        wanted = os.environ.get("SANDBOX_ISOLATION", "auto")
    if wanted not in ISOLATIONS:
        raise ValueError(f"isolation is {wanted!r}; it must be one of {', '.join(ISOLATIONS)}")
    try:
        plain = Isolation("none", launcher(toolchain), toolchain)
    except OSError as error:
        raise IsolationError(f"there is no place for the sandbox's launcher: {error}") from error
    if wanted == "none":
        return plain
    problems: list[str] = []
    for candidate in _candidates(plain, ("landlock", "bubblewrap") if wanted == "auto" else (wanted,), problems):
        try:
            _try_out(candidate)
            return candidate
        except (OSError, IsolationError) as error:
            problems.append(f"{candidate}: {error}")
    raise IsolationError(
        f"this host cannot be protected from the programs that are graded ({'; '.join(problems) or 'no way known'}). "
        'Use a kernel with Landlock (5.13 or newer), install bubblewrap, or ask for isolation "none" by name where '
        "nothing can be stolen or broken"
    )


def _candidates(plain: Isolation, kinds: Sequence[str], problems: list[str]) -> Iterator[Isolation]:
    """The isolations of these kinds that may work here, the strongest first. Why one cannot be tried is a problem."""
    for kind in kinds:
        if kind == "landlock":
            try:
                version = _landlock_version(plain.program)
            except (OSError, IsolationError) as error:
                problems.append(f"{kind}: {error}")
                continue
            if not version:
                continue
            found = replace(plain, kind=kind, landlock=version)
        elif shutil.which("bwrap"):
            found = replace(plain, kind=kind)
        else:
            continue
        if os.geteuid() == 0 and kind == "landlock":
            yield from _with_users(found)
        yield found


def _landlock_version(launcher: Path) -> int:
    """The version of Landlock that this kernel has, 0 for none.

    Raises:
        IsolationError: The launcher does not say.
        OSError: It cannot be started.
    """
    done = subprocess.run([launcher, "--probe"], capture_output=True)
    if done.returncode or not done.stdout.strip().isdigit():
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()[:300]
        raise IsolationError(f"the launcher does not say the version of Landlock ({done.returncode}: {said})")
    return int(done.stdout)


def _with_users(found: Isolation) -> Iterator[Isolation]:
    """The same with a user id for every worker, where such users can reach the launcher and the toolchain."""
    try:
        shared = replace(found, program=publish_file(found.program), toolchain=publish_toolchain(found.toolchain))
    except OSError as error:
        log.warning("programs run as the caller's own user: %s", error)
        return
    yield from (replace(shared, first_user=first) for first in USERS if _knows_users(first))


def _knows_users(first: int) -> bool:
    """Whether this user namespace has an id for every worker."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(start <= first and first + MAX_PIDS <= start + count for start, _, count in ranges)


def _try_out(isolation: Isolation) -> None:
    """Check that a compiler starts and that reading a foreign file fails.

    Raises: IsolationError when one of them is not so.
    """
    with tempfile.TemporaryDirectory() as directory:
        secret = Path(directory) / "secret"
        secret.write_text("seen")
        os.chmod(directory, 0o711)
        project = Project(Path(directory) / "guest", "")
        project.create()
        isolation.hand_over(project)
        trials: list[tuple[list[str | Path], bool]] = [
            ([isolation.toolchain.bin / "rustc", "--version"], True),
            (["/bin/cat", project.root / "Cargo.toml"], True),
            (["/bin/cat", secret], False),
        ]
        for command, is_allowed in trials:
            done = _start(isolation.compile(command, project, Limits()), project)
            if (done.returncode == 0) != is_allowed:
                said = done.stderr.decode("utf-8", "replace").strip()[:300]
                raise IsolationError(f"{command[0]} {'fails' if is_allowed else 'reads a foreign file'} ({said})")


def _start(command: Sequence[str], project: Project) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end. Raises: IsolationError when it takes too long."""
    try:
        return subprocess.run(command, cwd=project.root, env={}, capture_output=True, timeout=TRIAL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise IsolationError(f"{command[0]} did not end in {TRIAL_TIMEOUT_S} s") from error
