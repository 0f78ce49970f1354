"""What a guest can reach: decided once for a host, proved by a trial, and applied to every command.

Every command is started by the launcher, under one of two policies. *Compile*: the toolchain and system libraries may
be read and executed, the project written. *Run*: a compiled test reads system libraries and its project, writes only
there, and starts no process. Neither reaches the network, other files or other processes.

| isolation | files | network | processes |
|---|---|---|---|
| landlock | Landlock | system-call filter, Landlock for TCP | filter, a user per worker for root, Landlock's scopes |
| bubblewrap | a mount namespace | filter, a network namespace | filter, a process namespace |
| none | - | - | - |

Without Landlock and bubblewrap the sandbox refuses to start, unless "none" is asked for by name.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.errors import IsolationError
from sandbox.isolation.build_launcher import launcher
from sandbox.isolation.shared_toolchain import publish_file, publish_toolchain
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.toolchain import Toolchain

__all__ = ["ISOLATIONS", "Isolation", "isolate"]

ISOLATIONS = ("auto", "landlock", "bubblewrap", "none")
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin")
LIBRARIES = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/etc/ld.so.cache")
USERS = (1_500_000_000, 100_000)  # where user ids for workers begin, the first that the host knows
MAX_PIDS = 1 << 22
PROCESSES = 512  # threads of one worker's user
TRIAL_TIMEOUT_S = 30

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Isolation:
    """How commands are started on this host."""

    kind: str  # "landlock", "bubblewrap" or "none"
    program: Path  # the launcher
    toolchain: Toolchain  # as guests reach it
    landlock: int = 0  # the version of Landlock in force
    mark: str = field(default_factory=lambda: secrets.token_hex(8))  # how the launcher signs, unknown to guests
    first_user: int | None = None  # workers run guests as this user id plus their process id; None: as their own user

    def __str__(self) -> str:
        """The protection in force, in one line."""
        if self.kind == "none":
            return "NONE: programs can read your files and reach the network; only their resources are limited"
        files = f"Landlock {self.landlock}" if self.kind == "landlock" else "bubblewrap"
        users = "a user per worker" if self.first_user else "the caller's own user"
        return f"{files}, system-call filter, {users}"

    @property
    def is_real(self) -> bool:
        """Whether anything protects the host."""
        return self.kind != "none"

    @property
    def user(self) -> int | None:
        """The user id that guests of this process run as."""
        return None if self.first_user is None else self.first_user + os.getpid() % MAX_PIDS

    def failed(self, stderr: bytes) -> str:
        """Why the launcher could not start a command, by what it printed; empty if it did."""
        _, found, reason = stderr.partition(f"launcher {self.mark}: ".encode())
        return reason.splitlines()[0].decode("utf-8", "replace") if found and reason else ""

    def hand_over(self, project: Project) -> None:
        """Give a project's files to the user that its guests run as."""
        if self.user is None:
            return
        for path in (project.directory, *project.directory.rglob("*")):
            os.chown(path, self.user, self.user, follow_symlinks=False)

    def compile(self, command: Sequence[str | Path], project: Project, limits: Limits) -> list[str]:
        """A command that starts a compiler, or cargo."""
        paths = [("--read-execute", path) for path in (*SYSTEM, self.toolchain.bin.parent)]
        paths += [
            ("--execute", self.program),
            ("--read", "/etc/ld.so.cache"),
            ("--read", "/etc/alternatives"),
            *_devices(),
        ]
        paths += [("--read-write-execute", project.directory)]
        return [
            *self._outer("compile", paths, project),
            *self._limits(limits, limits.compile_cpu_s),
            "--",
            *map(str, command),
        ]

    def run(self, command: Sequence[str | Path], project: Project, limits: Limits) -> list[str]:
        """A command that runs compiled tests."""
        return [
            *self._outer("run", _of_tests(project), project),
            *self._limits(limits, limits.run_cpu_s),
            "--",
            *map(str, command),
        ]

    def runner(self, project: Project, limits: Limits) -> list[str]:
        """What cargo, itself started by `compile`, puts before the command that runs compiled tests."""
        rules = [] if self.kind != "landlock" else [str(word) for pair in _of_tests(project) for word in pair]
        return [str(self.program), *self._policy("run"), *rules, *self._limits(limits, limits.run_cpu_s), "--"]

    def _outer(self, policy: str, paths: Sequence[tuple[str, str | Path]], project: Project) -> list[str]:
        """The launcher with policy, user and rules."""
        words = [str(self.program), *self._policy(policy)]
        if self.kind == "bubblewrap":
            return [*_bubblewrap([*paths, ("--execute", self.program)], project), *words]
        if self.kind == "landlock":
            words += [str(word) for pair in paths for word in pair]
        if self.user is not None:
            words += ["--user", str(self.user), "--processes", str(PROCESSES)]
        return words

    def _policy(self, policy: str) -> list[str]:
        """The launcher's options for a policy."""
        landlock = [] if self.kind == "landlock" else ["--landlock", "off"]
        return ["--mark", self.mark, "--policy", "open" if self.kind == "none" else policy, *landlock]

    @staticmethod
    def _limits(limits: Limits, cpu_s: int) -> list[str]:
        """The launcher's options for limits."""
        numbers = {"--cpu-s": cpu_s, "--memory-mb": limits.memory_mb, "--file-mb": limits.file_mb}
        return [word for option, number in numbers.items() for word in (option, str(number))]


def isolate(toolchain: Toolchain, wanted: str = "auto") -> Isolation:
    """The strongest protection that this host can give, tried out.

    Args: wanted, of `ISOLATIONS`; "auto" takes what SANDBOX_ISOLATION names, else Landlock, else bubblewrap.
    Raises: IsolationError when there is neither, or what was asked for does not work; ToolchainError when the launcher
        cannot be built; ValueError for an unknown name.
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
    problems = []
    for candidate in _candidates(plain, ("landlock", "bubblewrap") if wanted == "auto" else (wanted,)):
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


def _candidates(plain: Isolation, kinds: Sequence[str]) -> Iterator[Isolation]:
    """What may work here, the strongest first."""
    for kind in kinds:
        if kind == "landlock":
            version = int(subprocess.run([plain.program, "--probe"], capture_output=True, check=True).stdout)
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


def _with_users(found: Isolation) -> Iterator[Isolation]:
    """The same with a user id for every worker, if there are any that can reach what they need."""
    try:
        shared = replace(found, program=publish_file(found.program), toolchain=publish_toolchain(found.toolchain))
    except OSError as error:
        log.warning("programs run as the caller's own user: %s", error)
        return
    yield from (replace(shared, first_user=first) for first in USERS if _knows_users(first))


def _knows_users(first: int) -> bool:
    """Whether this user namespace has ids for all workers."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(start <= first and first + MAX_PIDS <= start + count for start, _, count in ranges)


def _try_out(isolation: Isolation) -> None:
    """Start a compiler, and see that what is forbidden fails.

    Raises: IsolationError when either is not so.
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
    """Run a command to its end."""
    try:
        return subprocess.run(command, cwd=project.root, env={}, capture_output=True, timeout=TRIAL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise IsolationError(f"{command[0]} did not end in {TRIAL_TIMEOUT_S} s") from error


def _bubblewrap(paths: Sequence[tuple[str, str | Path]], project: Project) -> list[str]:
    """bubblewrap with the same paths as mounts."""
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    bound = {Path("/dev")}
    for option, path in paths:
        if Path(path).exists() and not bound & {Path(path), *Path(path).parents}:
            bound.add(Path(path))
            words += ["--bind" if "write" in option else "--ro-bind", str(path), str(path)]
    return [*words, "--chdir", str(project.root)]


def _of_tests(project: Project) -> list[tuple[str, str | Path]]:
    """What compiled tests may reach."""
    paths: list[tuple[str, str | Path]] = [("--read", path) for path in LIBRARIES]
    paths += [("--execute", path) for path in _loaders()]
    writable = (project.root, project.directory / "tmp", project.directory / "home")
    return [*paths, *_devices(), *(("--read-write", path) for path in writable)]


def _devices() -> list[tuple[str, str]]:
    """The devices that programs expect."""
    return [("--use", "/dev/null"), ("--read", "/dev/zero"), ("--read", "/dev/urandom")]


def _loaders() -> list[Path]:
    """The dynamic loaders: the kernel executes one to start a dynamic program."""
    return [path for folder in ("/lib64", "/lib") for path in Path(folder).glob("ld-*.so*")]
