"""Compiles programs with switches as modules of one crate, without the mutants that do not compile.

An error that points into the text of a mutant removes that mutant. An error that points elsewhere in a program removes
its fragile mutants, then all but those that return a value, then the program. One outside all programs removes all.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.evidence.experiment import Experiment
from sandbox.grading.direct import FOR_LLD, DirectGrading
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import HEAD, TAIL, Project
from sandbox.rust_library import rust_library

__all__ = ["Crate", "CrateMember"]

Position = tuple[int, int]  # line and column

SUPPORT = Path(__file__).parent / "support"
LIBRARY = "libevidence.rlib"
SAFE = ("return", "nothing", "value")
ATTEMPTS = 7  # compilations
LINKER_KILLED = re.compile(r"linking with `[^`]*` failed: signal: 9\b")
OPTIONS = [
    "--crate-name", "rust_program", "--edition=2021", "src/main.rs", "--error-format=json", "--cap-lints=allow",
    "--test", "--emit=link", "-Ccodegen-units=1", "-Cembed-bitcode=no", "-Cstrip=debuginfo",
]  # fmt: skip


@dataclass
class CrateMember:
    """A program in a crate."""

    number: int  # as the caller counts
    experiment: Experiment
    module: str  # its name in the crate; empty where it is the crate's root
    removed: set[int] = field(default_factory=set)  # mutants
    level: int = 0  # how many times more than the mutants at fault were removed

    @property
    def file(self) -> str:
        return f"src/{self.module}.rs" if self.module else "src/main.rs"

    def retreat(self) -> bool:
        """Remove more mutants than those at fault.

        Returns: Whether there were any.
        """
        mutants = list(enumerate(self.experiment.mutants, 1))
        while self.level < 2:
            self.level += 1
            more = {n for n, about in mutants if (about.fragile if self.level == 1 else about.kind not in SAFE)}
            if more - self.removed:
                self.removed |= more
                return True
        return False


class Crate:
    """Programs that are compiled together."""

    def __init__(self, members: Sequence[CrateMember], isolation: Isolation, limits: Limits, workdir: Path) -> None:
        """Keep what the compiler needs; nothing runs before `compile`.

        Args:
            members: The programs: several with modules, or one without.
            isolation: How the compiler is started.
            limits: What it may use.
            workdir: An existing directory, in which a project is made. The caller removes it.
        """
        self.library = "x" + secrets.token_hex(12)  # the name by which the programs know it
        self.word = "x" + secrets.token_hex(12)  # before records; it stands in no program's text
        self.members = list(members)
        self.cpu_ms = 0.0
        self.limits_reached = ""  # by the last compilation, in words
        self._isolation, self._limits, self._workdir = isolation, limits, workdir

    @property
    def binary(self) -> Path:
        return self._workdir / "crate" / "project" / "tests"

    def compile(self, on_start: Any) -> list[CrateMember]:
        """Compile, and return the members that are in the binary; `removed` of each lists what is missing.

        Raises: OSError when the host fails.
        """
        for attempt in range(ATTEMPTS):
            if not self.members:
                break
            errors = self._attempt(on_start, first=attempt == 0)
            if errors is None:
                return self.members
            self._remove(errors)
        return []

    def _attempt(self, on_start: Any, *, first: bool) -> list[dict[str, Any]] | None:
        """Compile once; None for success, else the errors."""
        project = Project(self._workdir / "crate", "")
        if first:
            project.create()
            shutil.copyfile(rust_library(self._isolation.toolchain, SUPPORT), project.root / LIBRARY)
        for member in self.members:
            text = HEAD + member.experiment.text(member.removed, self.library) + TAIL
            (project.root / member.file).write_bytes(text.encode("utf-8", "surrogatepass"))
        if self.members[0].module:
            modules = "".join(f"pub mod {member.module};\n" for member in self.members)
            (project.root / "src/main.rs").write_text(f"#![allow(warnings)]\n{modules}{TAIL}")
        self._isolation.hand_over(project)
        toolchain = self._isolation.toolchain
        linking = FOR_LLD if toolchain.links_with_lld else ()
        command: list[str | Path] = [toolchain.bin / "rustc", *OPTIONS, *linking]
        command += ["--extern", f"{self.library}={LIBRARY}", "-o", str(self.binary)]
        grading = DirectGrading(project, self._isolation, self._limits, on_start)
        done = grading.compile("compiling the instrumented program", command)
        self.cpu_ms += done.cpu_ms
        self.limits_reached = grading.limits_reached
        if done.exit_code == 0:
            return None
        return [] if grading.stopped else list(_errors(done.stderr))

    def _remove(self, errors: Sequence[dict[str, Any]]) -> None:
        """Remove what the errors point at."""
        compiled = {member.file: _Text(member, self.library) for member in self.members}
        lost: dict[int, CrateMember] = {}
        for error in errors:
            for file, spans in _spans(error).items():
                if (text := compiled.get(file)) is not None and not text.blame(spans):
                    lost[text.member.number] = text.member
        for member in lost.values():
            if not member.retreat():
                self.members.remove(member)
        if not any(text.blamed for text in compiled.values()):
            self.members = []


class _Text:
    """A member's text as it was compiled, in which errors are looked up."""

    def __init__(self, member: CrateMember, support: str) -> None:
        self.member = member
        self.blamed = False
        self._places = member.experiment.places(member.removed, support)
        self._starts = [0]
        for line in member.experiment.text(member.removed, support).split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def blame(self, spans: Sequence[tuple[Position, Position]]) -> bool:
        """Remove the smallest mutant around the first of an error's spans that stands in one.

        Returns: Whether one does.
        """
        self.blamed = True
        for start, end in ((self._offset(*a), self._offset(*b)) for a, b in spans):
            around = [(b - a, mutant) for mutant, (a, b) in self._places.items() if a <= start and end <= b]
            if around:
                self.member.removed.add(min(around)[1])
                return True
        return False

    def _offset(self, line: int, column: int) -> int:
        """A line and a column of the member's file, as rustc counts them, as a place in its text."""
        return self._starts[min(max(0, line - 1 - HEAD.count("\n")), len(self._starts) - 1)] + column - 1


def _errors(stderr: bytes) -> Iterator[dict[str, Any]]:
    """The compiler's errors that point at a place. Raises: OSError where somebody killed its linker."""
    for line in stderr.splitlines():
        if line.startswith(b'{"$message_type":"diagnostic"'):
            try:
                message: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            if message["level"].startswith("error") and message["spans"]:
                yield message
            elif LINKER_KILLED.match(message["message"]) and not message["spans"]:
                raise OSError("somebody killed the linker (SIGKILL), and no limit did")


def _spans(error: dict[str, Any]) -> dict[str, list[tuple[Position, Position]]]:
    """The places that an error points at, by file: also those of the macros that it comes from; primary ones first."""
    found: dict[str, list[tuple[Position, Position]]] = {}
    for span in sorted(error["spans"], key=lambda span: not span["is_primary"]):
        here: dict[str, Any] | None = span
        while here is not None:
            place = (here["line_start"], here["column_start"]), (here["line_end"], here["column_end"])
            found.setdefault(here["file_name"], []).append(place)
            here = here["expansion"]["span"] if here["expansion"] else None
    return found
