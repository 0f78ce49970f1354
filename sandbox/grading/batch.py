"""Many programs at the cost of fewer: their modules are compiled as one crate, and their tests run one after the other.

Starting a compiler and linking the standard library cost more than most programs do, and a crate of sixteen programs
pays for them once. Only programs take part that cannot tell the difference (`sandbox.grading.separation`). Each has a module with
a random name in a file of its own, a canary of its own, and a project of its own in which its tests run as a process of
their own.

A batch never says no. What it compiles without an error builds, lints and is tested, as in one front end alone. A
program that an error points at leaves the batch, the rest is compiled again, and whoever has left is graded alone; so
is everybody if the error points at nobody, since one program's items can confuse the compiler about another's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.grading.canary import Canary
from sandbox.grading.direct import CLIPPY, HAZARDS, TESTS, DirectGrading
from sandbox.grading.messages import Message
from sandbox.grading.phases import Tested
from sandbox.grading.separation import TestSeparation, find_test_module
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import HEAD, TAIL, Project
from sandbox.verdict import Verdict

__all__ = ["Batch", "Member", "fits_a_batch"]

ATTEMPTS = 6  # compilations: errors come in rounds, of syntax, names, types, borrows and lints
SMALLEST = 2


def fits_a_batch(source: str) -> bool:
    """Whether a program says the same as a part of a larger crate."""
    return _portable(source) is not None


def _portable(source: str) -> TestSeparation | None:
    """The shape of a program that fits a batch, None for any other."""
    anatomy = None if HAZARDS.search(source) else find_test_module(source)
    return anatomy if anatomy and anatomy.is_portable else None


@dataclass
class Member:
    """A program in a batch."""

    number: int  # among those that the batch was asked for
    anatomy: TestSeparation
    canary: Canary
    project: Project  # where its tests run
    module: str
    cpu_ms: float = 0.0  # its share of what the batch has cost

    @property
    def file(self) -> str:
        """Its file in the shared crate, as compilers name it."""
        return f"src/{self.module}.rs"

    def text(self) -> str:
        """The content of that file: what would be the crate, alone."""
        return HEAD + self.project.source + TAIL + self.canary.code()


class Batch:
    """Programs on their way through one compilation."""

    def __init__(
        self,
        sources: Sequence[str],
        isolation: Isolation,
        limits: Limits,
        workdir: Path,
        on_start: Callable[[int], None] = lambda pid: None,
    ) -> None:
        """Args: sources, of which those take part that can; workdir, empty, in which everything is made and left."""
        self._settings = (isolation, limits)
        self._on_start = on_start
        self._workdir = workdir
        self._messages: list[Message] = []
        self._shared: Project | None = None
        self.members = [
            Member(
                number,
                anatomy,
                Canary.for_source(source),
                Project(workdir / f"member-{number}", source),
                f"m{secrets.token_hex(8)}",
            )
            for number, source in enumerate(sources)
            if (anatomy := _portable(source))
        ]

    def compile(self) -> list[Member]:
        """The members that compile together, without an error of anybody's; the others have to be graded alone."""
        left = self.members
        for attempt in range(ATTEMPTS):
            if len(left) < SMALLEST:
                return []
            blamed = self._attempt(left, attempt)
            if not blamed:
                return left
            left = [member for member in left if member not in blamed]
        return []

    def verdict(self, member: Member) -> Verdict:
        """The verdict on one of those that compiled: its tests run now."""
        assert self._shared is not None
        member.project.create()
        grading = _MemberGrading(member, self._shared.root / TESTS, self._messages, *self._settings, self._on_start)
        verdict = grading.verdict()
        return replace(verdict, cpu_ms=verdict.cpu_ms + member.cpu_ms)

    def _attempt(self, members: Sequence[Member], attempt: int) -> list[Member]:
        """Compile members as one crate; those that stand in the way, all of them when it cannot be told."""
        isolation, limits = self._settings
        shared = Project(self._workdir / f"crate-{attempt}", "\n".join(f"pub mod {m.module};" for m in members))
        shared.create()
        for member in members:
            (shared.root / member.file).write_bytes(member.text().encode("utf-8", "surrogatepass"))
        hasty = replace(limits, compile_cpu_s=max(1, limits.compile_cpu_s // 3))  # who takes longer spoils it for all
        grading = DirectGrading(shared, isolation, hasty, self._on_start)
        grading.prepare()
        compiled = grading.compile_tests(CLIPPY)
        self._messages, self._shared = grading.read(compiled), shared
        for member in members:
            member.cpu_ms += compiled.cpu_ms / len(members)
        if compiled.exit_code == 0:
            return []
        files = {message.file for message in self._messages if message.level == "error"}
        blamed = [member for member in members if member.file in files]
        return blamed if blamed and len(blamed) == len(files) else list(members)


class _MemberGrading(DirectGrading):
    """The verdict on one member of a batch that compiled."""

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
        self._of_all = messages

    def answer(self, phases: Sequence[str]) -> tuple[bool, bool, Tested]:
        self.prepare()
        own = [message for message in self._of_all if message.file == self._member.file]
        self.messages = self.outside_tests(own, self._member.anatomy)
        prefix = f"{self._member.module}::"
        tested = Tested.of(self.run_compiled(self._binary, prefix), self._member.canary)
        output = tested.output.replace(prefix, "").replace(self._member.file, "src/main.rs")
        return True, True, replace(tested, output=output)
