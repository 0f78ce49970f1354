"""How a guest's command is started, so that it reaches only what it needs.

The launcher starts every command, under one of two policies:

- compile: a compiler may read and execute the toolchain and the system's libraries, and write the project.
- run: a compiled test may read the system's libraries, read and write its project, and start no process.

Neither policy gives access to the network, to other files or to other processes. What enforces them:

| isolation | files | network | processes |
|---|---|---|---|
| landlock | Landlock | system-call filter, Landlock for TCP | filter, a user per worker for root, Landlock's scopes |
| bubblewrap | a mount namespace | filter, a network namespace | filter, a process namespace |
| none | - | - | - |

`sandbox.isolation.probe` finds the one to use on a host.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.toolchain import Toolchain

__all__ = ["ISOLATIONS", "MAX_PIDS", "Isolation"]

ISOLATIONS = ("auto", "landlock", "bubblewrap", "none")
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin")
LIBRARIES = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/etc/ld.so.cache")
MAX_PIDS = 1 << 22  # more than Linux gives process ids
PROCESSES = 512  # threads of one worker's user


@dataclass(frozen=True)
class Isolation:
    """How commands are started on this host."""

    kind: str  # "landlock", "bubblewrap" or "none"
    program: Path  # the launcher
    toolchain: Toolchain  # as guests reach it
    landlock: int = 0  # the version of Landlock, 0 without it
    first_user: int | None = None  # a worker's guests run as this user id + its process id; None: as its user

    def __str__(self) -> str:
        """The isolation in one line, for people."""
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
        """The user id that this process's guests run as; None for its own."""
        return None if self.first_user is None else self.first_user + os.getpid() % MAX_PIDS

    def hand_over(self, project: Project) -> None:
        """Make the user that guests run as the owner of a project's files."""
        if self.user is None:
            return
        for path in (project.directory, *project.directory.rglob("*")):
            os.chown(path, self.user, self.user, follow_symlinks=False)

    def protect(self, binary: Path) -> None:
        """Let no program change a compiled test, which a batch runs for several programs, before it runs again.

        Its owner becomes the user of this process. Without a user of its own a program may change the mode, which is
        set here.

        Args:
            binary: A file that compilers made, and no program has replaced by a link.
        Raises:
            OSError: There is no such file.
        """
        descriptor = os.open(binary, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if self.user is not None:
                os.fchown(descriptor, os.geteuid(), os.getegid())
            os.fchmod(descriptor, 0o755)
        finally:
            os.close(descriptor)

    def compile(self, command: Sequence[str | Path], project: Project, limits: Limits) -> list[str]:
        """The command that starts a compiler, or cargo, under the policy compile."""
        paths = [("--read-execute", path) for path in (*SYSTEM, self.toolchain.bin.parent)]
        paths += [("--execute", self.program), ("--read", "/etc/ld.so.cache"), ("--read", "/etc/alternatives")]
        paths += [*_devices(), ("--read-write-execute", project.directory)]
        return [
            *self._outer("compile", paths, project),
            *self._limits(limits, limits.compile_cpu_s),
            "--",
            *map(str, command),
        ]

    def run(self, command: Sequence[str | Path], project: Project, limits: Limits) -> list[str]:
        """The command that runs compiled tests under the policy run. They need not lie in the project."""
        return [
            *self._outer("run", [*_of_tests(project), ("--execute", command[0])], project),
            *self._limits(limits, limits.run_cpu_s),
            "--",
            *map(str, command),
        ]

    def runner(self, project: Project, limits: Limits) -> list[str]:
        """What cargo, which `compile` started, puts before the command that runs compiled tests."""
        rules = [] if self.kind != "landlock" else [str(word) for pair in _of_tests(project) for word in pair]
        return [str(self.program), *self._policy("run"), *rules, *self._limits(limits, limits.run_cpu_s), "--"]

    def _outer(self, policy: str, paths: Sequence[tuple[str, str | Path]], project: Project) -> list[str]:
        """The launcher with its policy, user and file rules."""
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
        report = ["--report", "keep"] if policy == "compile" else []  # for the launcher that cargo starts tests with
        return ["--policy", "open" if self.kind == "none" else policy, *landlock, *report]

    @staticmethod
    def _limits(limits: Limits, cpu_s: int) -> list[str]:
        """The launcher's options for limits."""
        numbers = {"--cpu-s": cpu_s, "--memory-mb": limits.memory_mb, "--file-mb": limits.file_mb}
        return [word for option, number in numbers.items() for word in (option, str(number))]


def _bubblewrap(paths: Sequence[tuple[str, str | Path]], project: Project) -> list[str]:
    """bubblewrap with the same file rules as mounts."""
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    bound = {Path("/dev")}
    for option, path in paths:
        if Path(path).exists() and not bound & {Path(path), *Path(path).parents}:
            bound.add(Path(path))
            words += ["--bind" if "write" in option else "--ro-bind", str(path), str(path)]
    return [*words, "--chdir", str(project.root)]


def _of_tests(project: Project) -> list[tuple[str, str | Path]]:
    """The files that compiled tests may reach, with the launcher's options."""
    paths: list[tuple[str, str | Path]] = [("--read", path) for path in LIBRARIES]
    paths += [("--execute", path) for path in _loaders()]
    writable = (project.root, project.directory / "tmp", project.directory / "home")
    return [*paths, *_devices(), *(("--read-write", path) for path in writable)]


def _devices() -> list[tuple[str, str]]:
    """The devices that programs need."""
    return [("--use", "/dev/null"), ("--read", "/dev/zero"), ("--read", "/dev/urandom")]


def _loaders() -> list[Path]:
    """The dynamic loaders, which the kernel executes to start a dynamically linked program."""
    return [path for folder in ("/lib64", "/lib") for path in Path(folder).glob("ld-*.so*")]
