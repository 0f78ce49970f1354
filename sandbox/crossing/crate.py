"""The crate that codes and test modules share: a module for each code, and in it one for each of its test modules.

Every module has a random name, so that no program can name another. An error in the file of a test module is an error
of that cell alone, since nothing in a test module can change the rest of the crate. Where an error points at none of
them, or compiling takes too long, each code gets a crate of its own (`SharedCrate.apart`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.crossing.crossing import Cell, Crossing
from sandbox.crossing.portable import PortableSuite, names_in, portable_code, portable_suite
from sandbox.grading.direct import CLIPPY, TESTS, DirectGrading, is_certain
from sandbox.grading.messages import Message
from sandbox.grading.powers import powers_of, split
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import HEAD, TAIL, Project
from sandbox.verdict import Outcome

__all__ = ["SharedCell", "SharedCrate"]

ATTEMPTS = 6  # compilations: rustc reports errors in rounds: syntax, names, types, borrows, lints
QUIET = ("-Aclippy::all", "-Awarnings")  # errors that rustc gives by itself, and the powers, are all that is wanted


@dataclass
class SharedCell:
    """A cell in the crate."""

    number: int  # the index of its pair in the crossing
    code: int
    suite: PortableSuite
    place: str  # the module of its code
    module: str = field(default_factory=lambda: f"t{secrets.token_hex(8)}")

    @property
    def file(self) -> str:
        """Its file, as in the compiler's messages."""
        return f"src/{self.place}/{self.module}.rs"

    @property
    def filter(self) -> str:
        """The beginning of the names of its tests, and of no others."""
        return f"{self.place}::{self.module}::"


class SharedCrate:
    """The cells of a crossing that can share a crate."""

    def __init__(
        self, crossing: Crossing, isolation: Isolation, limits: Limits, workdir: Path, on_start: Callable[[int], None]
    ) -> None:
        """Choose the cells that can take part; `members` lists them.

        Args:
            crossing: What is asked.
            isolation: How commands are started.
            limits: What the compiler may use.
            workdir: An empty directory for all files. The caller removes it.
            on_start: Called with the process group of every command.
        """
        self._crossing, self._isolation, self._limits = crossing, isolation, limits
        self._workdir, self._on_start = workdir, on_start
        self.cpu_ms = 0.0
        self.binary = workdir
        self.unclear: list[SharedCell] = []  # cells of which nobody knows why they do not compile together
        self.failed: dict[int, Cell] = {}  # by number: the cells that do not compile
        self._powers: dict[str, tuple[str, ...]] = {}  # by file
        places = {
            number: f"m{secrets.token_hex(8)}"
            for number, code in enumerate(crossing.codes)
            if portable_code(code, limits)
        }
        names = {number: names_in(crossing.codes[number]) for number in places}
        suites = [portable_suite(text, limits) for text in crossing.suites]
        self.members = [
            SharedCell(number, code, suite, places[code])
            for number, (code, index) in enumerate(crossing.pairs)
            if code in places and (suite := suites[index]) is not None and suite.name not in names[code]
        ]

    def compile(self) -> list[SharedCell]:
        """Compile, and return the cells whose tests can be run. Grade those alone that are neither there nor failed."""
        left = self.members
        for _ in range(ATTEMPTS):
            if not left:
                return []
            blamed = self._attempt(left)
            if blamed is None:
                break
            if not blamed:
                return left
            left = [member for member in left if member.number not in blamed]
        self.unclear = list(left)
        return []

    def apart(self) -> list[SharedCrate]:
        """A crate for each code of the cells that are unclear, in which it harms no other; none for a single code."""
        codes = dict.fromkeys(member.code for member in self.unclear)
        crates = [copy(self) for _ in codes] if len(codes) > 1 else []
        for code, crate in zip(codes, crates, strict=False):
            crate.members = [member for member in self.unclear if member.code == code]
            crate.cpu_ms, crate.unclear, crate.failed, crate._powers = 0.0, [], {}, {}
        return crates

    def powers(self, member: SharedCell) -> tuple[str, ...]:
        """The powers of a cell that compiled."""
        return self._powers[_code_file(member)] + self._powers[member.file]

    def _attempt(self, members: Sequence[SharedCell]) -> set[int] | None:
        """Compile cells as one crate, and return the numbers of those that leave it; None if nobody knows which."""
        places = dict.fromkeys(member.place for member in members)
        root = "\n".join(f"pub mod {place};" for place in places)
        shared = Project(self._workdir / f"crate-{secrets.token_hex(8)}", root)
        shared.create()
        texts = self._texts(members)
        for file, text in texts.items():
            path = shared.root / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        hasty = replace(self._limits, compile_cpu_s=max(1, self._limits.compile_cpu_s // 3))
        grading = DirectGrading(shared, self._isolation, hasty, self._on_start)
        grading.prepare()
        compiled = grading.compile_tests(CLIPPY, *QUIET)
        messages, reports = split(grading.read(compiled))
        self.binary = shared.root / TESTS
        self.cpu_ms += compiled.cpu_ms
        if compiled.stderr_cut_at is not None or grading.stopped:
            return None
        if compiled.exit_code == 0:
            self._powers = {
                file: powers_of([one for one in reports if one.file == file], Project(self._workdir, text))
                for file, text in texts.items()
            }
            return set()
        errors = [message for message in messages if message.level == "error"]
        return self._blamed(members, errors) or None

    def _texts(self, members: Sequence[SharedCell]) -> dict[str, str]:
        """The files by name."""
        texts: dict[str, str] = {}
        for member in members:
            code = HEAD + self._crossing.codes[member.code] + "\n"
            texts.setdefault(_code_file(member), code)
            texts[_code_file(member)] += f"#[cfg(test)]\nmod {member.module};\n"
            texts[member.file] = member.suite.at(code.count("\n"))
        return {file: text if file.count("/") > 1 else text + TAIL for file, text in texts.items()}

    def _blamed(self, members: Sequence[SharedCell], errors: Sequence[Message]) -> set[int]:
        """The cells that errors point at, none if one points elsewhere; notes those that certainly do not compile."""
        files = {error.file for error in errors}
        if not files <= {file for member in members for file in (member.file, _code_file(member))}:
            return set()
        blamed = set()
        for member in members:
            own = [error for error in errors if error.file == member.file]
            if _code_file(member) in files:
                blamed.add(member.number)
            elif own:
                blamed.add(member.number)
                if any(map(is_certain, own)):
                    self.failed[member.number] = Cell(Outcome.TEST_BUILD_ERROR)
        return blamed


def _code_file(member: SharedCell) -> str:
    """The file of a cell's code."""
    return f"src/{member.place}.rs"
