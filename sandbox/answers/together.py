"""Asks several programs that are modules of one crate: compiled once, each run by itself on its own calls.

A batch answers only for programs that compile without an error. A program that an error points at is asked alone, and
so are all of them when an error points at no program. A program takes part only if it behaves the same as a module as
it does as a crate, by the rule of `sandbox.grading.separation`.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.answers.alone import BINARY, Asking, answers_of
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.answers.harness import Harness, main_function
from sandbox.grading.separation import is_portable_code
from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import HEAD, TAIL, Project

__all__ = ["answers_together"]

ATTEMPTS = 6  # compilations: rustc reports errors in rounds
SMALLEST = 2  # programs
OUTWARD = re.compile(r"\bcrate\b|\bsuper\s*::\s*super\b")  # what the calls must not name
INVISIBLE = re.compile("[\u0085\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")  # rustc skips some of these


@dataclass
class _Member:
    """A program in a batch."""

    number: int  # index among all programs
    calls: Calls
    harness: Harness
    module: str
    cpu_ms: float = 0.0  # its share of the compilations

    @property
    def file(self) -> str:
        return f"src/{self.module}.rs"

    def text(self) -> str:
        """The content of its file. TAIL has a `main`, so that a program with one of its own fails as it does alone."""
        return HEAD + self.calls.source + TAIL + self.harness.code()


def answers_together(
    programs: Sequence[Calls],
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Iterator[tuple[int, Answers | None]]:
    """Ask several programs: in one batch those that compile together, the others one by one.

    Args:
        programs: Not more than `BATCH_SIZE`.
        isolation: As for `answers_of`.
        limits: As for `answers_of`.
        workdir: As for `answers_of`.
        on_start: As for `answers_of`.
    Returns: An iterator of two pairs for each program: its index and None when its own run starts, then its index and
        its answers.
    Raises: OSError when the host fails.
    """
    directory = Path(tempfile.mkdtemp(dir=workdir))
    directory.chmod(0o711)
    shares = [0.0] * len(programs)
    try:
        batch = _Crate(programs, isolation, limits, directory, on_start)
        together = batch.compile()
        for place, member in enumerate(together):
            yield member.number, None
            yield member.number, batch.ask(member, place)
        for member in batch.members:
            shares[member.number] = member.cpu_ms
    finally:
        remove_tree(directory)
    for number in sorted(set(range(len(programs))) - {member.number for member in together}):
        yield number, None
        alone = answers_of(programs[number], isolation, limits, workdir, on_start=on_start)
        yield number, replace(alone, cpu_ms=alone.cpu_ms + shares[number])


class _Crate:
    """Programs that are compiled together."""

    def __init__(
        self,
        programs: Sequence[Calls],
        isolation: Isolation,
        limits: Limits,
        workdir: Path,
        on_start: Callable[[int], None],
    ) -> None:
        self._settings = (isolation, limits)
        self._on_start = on_start
        self._workdir = workdir
        self._word = f"w{secrets.token_hex(8)}"
        self._binary = workdir
        self.members = [
            _Member(number, calls, Harness(calls, self._word), f"m{secrets.token_hex(8)}")
            for number, calls in enumerate(programs)
            if limits.fits(calls.source) and _is_portable(calls)
        ]

    def compile(self) -> list[_Member]:
        """Compile, and return the members that compile together without an error."""
        left = self.members
        for attempt in range(ATTEMPTS):
            if len(left) < SMALLEST:
                return []
            blamed = self._attempt(left, attempt)
            if not blamed:
                return left
            left = [member for member in left if member not in blamed]
        return []

    def ask(self, member: _Member, place: int) -> Answers:
        """Run a member that compiled."""
        project = Project(self._workdir / f"member-{member.number}", member.calls.source)
        project.create()
        asking = Asking(project, *self._settings, self._on_start)
        file = asking.new_file()
        asking.prepare()
        answers = asking.run(self._binary, place, file, len(member.calls.calls))
        return replace(answers, cpu_ms=answers.cpu_ms + member.cpu_ms)

    def _attempt(self, members: Sequence[_Member], attempt: int) -> list[_Member]:
        """Compile members as one crate, and return those with errors; all of them when errors cannot be assigned."""
        isolation, limits = self._settings
        shared = Project(self._workdir / f"crate-{attempt}", "")
        shared.create()
        modules = "".join(f"pub mod {member.module};\n" for member in members)
        paths = [f"{member.module}::{member.harness.module}" for member in members]
        (shared.root / "src" / "main.rs").write_text(HEAD + modules + main_function(paths, self._word))
        for member in members:
            (shared.root / member.file).write_bytes(member.text().encode("utf-8", "surrogatepass"))
        hasty = replace(limits, compile_cpu_s=max(1, limits.compile_cpu_s // 3))  # one slow program delays them all
        asking = Asking(shared, isolation, hasty, self._on_start)
        asking.take_library()
        asking.prepare()
        compiled = asking.compile_program(self._word)
        self._binary = shared.root / BINARY
        for member in members:
            member.cpu_ms += compiled.cpu_ms / len(members)
        if compiled.exit_code == 0:
            return []
        files = {message.file for message in asking.messages}
        blamed = [member for member in members if member.file in files]
        return blamed if blamed and len(blamed) == len(files) else list(members)


def _is_portable(calls: Calls) -> bool:
    """Whether a program and its calls behave the same as a module of a larger crate."""
    ours = "\n".join((*calls.uses, *(text for call in calls.calls for text in call.texts)))
    return not (INVISIBLE.search(calls.source) or OUTWARD.search(ours)) and is_portable_code(calls.source)
