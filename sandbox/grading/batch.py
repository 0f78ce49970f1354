"""The backend `batch`: compiles several programs as modules of one crate, and runs their tests one after the other.

Starting a compiler and linking the standard library cost more than compiling a typical program. A crate of sixteen
programs pays these costs once. A program takes part only if it behaves the same as a module as it does as a crate
(`sandbox.grading.separation`). Each program has a module with a random name in a file of its own, and a
project of its own, in which its tests run as a separate process.

A batch decides only programs that compile without an error: their build and clippy succeed, and their tests run. It
never rejects a program. A program that an error points at leaves the batch and is graded alone, and the other programs
are compiled again. If an error points at no program of the batch, all of them are graded alone, since the items of one
program can cause errors in another.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.grading.direct import CLIPPY, TESTS, DirectGrading
from sandbox.grading.messages import Message
from sandbox.grading.phases import Tested
from sandbox.grading.powers import powers_of, split
from sandbox.grading.separation import HAZARDS, TestSeparation, find_test_module
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Finished
from sandbox.limits import Limits
from sandbox.project import HEAD, TAIL, Project
from sandbox.verdict import Verdict

__all__ = ["Batch", "Member", "is_portable"]

ATTEMPTS = 6  # compilations: rustc reports errors in rounds: syntax, names, types, borrows, lints
SMALLEST = 2  # programs
OTHERS = re.compile(rb"(.*^test result: [^\n]* measured; )\d+( filtered out; )", re.MULTILINE | re.DOTALL)


def _portable(source: str) -> TestSeparation | None:
    """How a program's tests are separated, if it can take part in a batch; None if it cannot."""
    separation = None if HAZARDS.search(source) else find_test_module(source)
    return separation if separation and separation.is_portable else None


def is_portable(source: str) -> bool:
    """Whether a program behaves the same as a module of a crate as it does as a crate."""
    return _portable(source) is not None


@dataclass
class Member:
    """A program in a batch."""

    number: int  # index among the batch's sources
    separation: TestSeparation
    project: Project  # where its tests run
    module: str
    cpu_ms: float = 0.0  # its share of the compilations of the batch

    @property
    def file(self) -> str:
        """Its file in the shared crate, as in compilers' messages."""
        return f"src/{self.module}.rs"

    def text(self) -> str:
        """The content of that file: the crate that the program would be alone."""
        return HEAD + self.project.source + TAIL


class Batch:
    """Programs that are compiled together."""

    def __init__(
        self,
        sources: Sequence[str],
        isolation: Isolation,
        limits: Limits,
        workdir: Path,
        on_start: Callable[[int], None] = lambda pid: None,
    ) -> None:
        """Choose the programs that can take part; `members` lists them.

        Args:
            sources: The programs.
            isolation: How commands are started.
            limits: What each program may use.
            workdir: An empty directory for all files. The caller removes it.
            on_start: Called with the process group of every command.
        """
        self._settings = (isolation, limits)
        self._on_start = on_start
        self._workdir = workdir
        self._messages: list[Message] = []
        self._shared: Project | None = None
        self.members = [
            Member(
                number,
                separation,
                Project(workdir / f"member-{number}", source),
                f"m{secrets.token_hex(8)}",
            )
            for number, source in enumerate(sources)
            if (separation := _portable(source))
        ]

    def compile(self) -> list[Member]:
        """Compile, and return the members that compile together without an error. Grade the others alone."""
        left = self.members
        for attempt in range(ATTEMPTS):
            if len(left) < SMALLEST:
                return []
            blamed = self._attempt(left, attempt)
            if not blamed:
                return left
            left = [member for member in left if member not in blamed]
        return []

    def verdict(self, member: Member) -> Verdict | None:
        """Run the tests of a member that compiled; its verdict, None if it must be graded alone for its long output."""
        assert self._shared is not None
        member.project.create()
        grading = _MemberGrading(member, self._shared.root / TESTS, self._messages, *self._settings, self._on_start)
        verdict = grading.verdict()
        if grading.is_cut:
            member.cpu_ms += verdict.cpu_ms
            return None
        return replace(verdict, cpu_ms=verdict.cpu_ms + member.cpu_ms)

    def _attempt(self, members: Sequence[Member], attempt: int) -> list[Member]:
        """Compile members as one crate, and return those with errors; all of them when errors cannot be assigned."""
        isolation, limits = self._settings
        shared = Project(self._workdir / f"crate-{attempt}", "\n".join(f"pub mod {m.module};" for m in members))
        shared.create()
        for member in members:
            (shared.root / member.file).write_bytes(member.text().encode("utf-8", "surrogatepass"))
        hasty = replace(
            limits, compile_cpu_s=max(1, limits.compile_cpu_s // 3)
        )  # one slow program delays the whole batch
        grading = DirectGrading(shared, isolation, hasty, self._on_start)
        grading.prepare()
        compiled = grading.compile_tests(CLIPPY)
        self._messages, self._shared = grading.read(compiled), shared
        for member in members:
            member.cpu_ms += compiled.cpu_ms / len(members)
        if compiled.stderr_cut_at is not None:
            return list(members)  # the messages of one have pushed out those of others
        if compiled.exit_code == 0:
            return []
        files = {message.file for message in self._messages if message.level == "error"}
        blamed = [member for member in members if member.file in files]
        return blamed if blamed and len(blamed) == len(files) else list(members)


class _MemberGrading(DirectGrading):
    """Grades one member of a batch that compiled."""

    is_cut = False  # whether output was dropped: less than is dropped of the program alone, with its shorter names

    def __init__(
        self,
        member: Member,
        binary: Path,
        messages: Sequence[Message],
        isolation: Isolation,
        limits: Limits,
        on_start: Callable[[int], None],
    ) -> None:
        super().__init__(member.project, isolation, limits, on_start)
        self._member = member
        self._binary = binary
        self._batch_messages = messages

    def run_phases(self, phases: Sequence[str]) -> tuple[bool, bool, Tested]:
        self.prepare()
        place = f"{self._member.module}::"
        own = [
            replace(message, text=message.text.replace(place, ""))
            for message in self._batch_messages
            if message.file == self._member.file
        ]
        own, reports = split(own)
        self.messages = self.outside_tests(own, self._member.separation)
        self.powers = powers_of(reports, self.project)
        return True, True, Tested.of(self.run_compiled(self._binary, place))

    def run_binary(self, phase: str, command: Sequence[str | Path]) -> Finished:
        """Run its tests, and give them the output that they have alone."""
        done = super().run_binary(phase, command)
        self.is_cut = done.stop is None and (done.stdout_cut_at, done.stderr_cut_at) != (None, None)
        names = {f"{self._member.module}::".encode(): b"", self._member.file.encode(): b"src/main.rs"}
        stdout, stderr = done.stdout, done.stderr
        for name, alone in names.items():
            stdout, stderr = stdout.replace(name, alone), stderr.replace(name, alone)
        return replace(done, stdout=OTHERS.sub(rb"\g<1>0\2", stdout, count=1), stderr=stderr)
