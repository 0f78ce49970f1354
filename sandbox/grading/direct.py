"""The backend `direct`: gives cargo's verdict by calling cargo's compilers, usually once or twice.

It passes the arguments and the environment that cargo passes. A program that contains a word of `HAZARDS`, for which
linking, the kind of crate, files, environment or `cfg` may matter, is left to cargo.

**One call.** `clippy-driver --test` lints a program and compiles its tests. If the tests are separate from the rest
of the program (`sandbox.grading.separation`), this call can decide all three phases:

- It succeeds: build, clippy and the compilation of the tests succeed, since the same function bodies passed the same
  checks.
- rustc's front end (not a lint) rejects something outside the tests: build, clippy and tests fail.
- rustc rejects only the tests: the tests fail. Build and clippy succeed if one more call succeeds, without the tests
  and up to object code. If it fails, the steps below decide.

**Step by step** in all other cases. `clippy-driver` checks the program without its tests, and `rustc --test` compiles
the tests. `clippy-driver` emits object code, because some lints and errors appear only then (`arithmetic_overflow`,
`unconditional_panic`, constants of generic code):

1. The call of `clippy-driver` succeeds: clippy and build succeed.
2. It fails with an error of rustc's front end (one with an E code): both fail.
3. It fails with other errors: a second call, which stops before object code, decides clippy. If it succeeds, the build
   fails, since only object code brought the errors. If it fails by lints or constants alone, a build decides, since
   clippy evaluates constants that a build does not. If it fails by another error of rustc, the build fails too.

Not covered: a program whose behaviour depends on the names of cargo's temporary files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.grading.messages import Message, read_messages
from sandbox.grading.phases import Grading, Tested, TestRun
from sandbox.grading.powers import FORCE, powers_of, split
from sandbox.grading.separation import HAZARDS, TestSeparation, find_test_module
from sandbox.isolation.process import Finished
from sandbox.verdict import PHASES

__all__ = ["DirectGrading", "NeedsCargo", "is_certain"]

E_CODE = re.compile(r"E\d{4}")
OF_CONSTANTS = "E0080"  # for constants of generic code it appears only with object code
OUTPUT = "target/debug/deps"
CLIPPY = ("clippy-driver", "rustc")
FOR_LLD = (
    "-Clink-arg=-Wl,--threads=1,-O0",
)  # the work is too little for more threads, and for merging strings by their ends
TESTS = f"{OUTPUT}/rust_program-0000000000000000"
BASE = [
    "--crate-name", "rust_program", "--edition=2021", "src/main.rs", "--error-format=json",
    "--json=diagnostic-rendered-ansi,artifacts,future-incompat", "-Cembed-bitcode=no",
    "--check-cfg", "cfg(docsrs,test)", "--check-cfg", "cfg(feature, values())", "-Cstrip=debuginfo",
    "-L", f"dependency={OUTPUT}",
]  # fmt: skip
ABOUT_TESTS = "clippy::items_after_test_module"  # reported for `main`, and only if the tests are compiled
AMBIGUOUS = (
    "E0282",
    "E0283",
    "E0284",
    "E0790",
)  # errors of inference: the test harness adds implementations that can cause them
OF_OBJECT_CODE = ("arithmetic_overflow", "unconditional_panic")  # lints that `cargo clippy` does not reach
EMPTY = "AUTHORS DESCRIPTION HOMEPAGE LICENSE LICENSE_FILE README REPOSITORY RUST_VERSION VERSION_PRE".split()
# The last line tells rustc's allocator, jemalloc, to return no memory: the process lives for a tenth of a second.
COMPILER_ENVIRONMENT = {
    "CARGO_BIN_NAME": "rust-program",
    "CARGO_CRATE_NAME": "rust_program",
    "CARGO_PRIMARY_PACKAGE": "1",
    "CLIPPY_ARGS": "",
    "MALLOC_CONF": "narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:-1",
}
VERSION = {"VERSION": "0.1.0", "VERSION_MAJOR": "0", "VERSION_MINOR": "1", "VERSION_PATCH": "0"}
PACKAGE = {"NAME": "rust-program", **VERSION, **dict.fromkeys(EMPTY, "")}


class NeedsCargo(Exception):
    """Only cargo can grade the program."""


class DirectGrading(Grading):
    """Grades a program by calling the compilers."""

    compiler_environment: Mapping[str, str] = COMPILER_ENVIRONMENT

    def run_phases(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        """Run the phases. Raises: NeedsCargo if the program contains a word of `HAZARDS`."""
        if HAZARDS.search(self.project.source):
            raise NeedsCargo
        self.prepare()
        separation = find_test_module(self.project.source) if set(phases) == set(PHASES) else None
        if separation and (results := self._by_one_call(separation)):
            return results
        build, clippy = self._without_tests() if set(phases) & {"build", "clippy"} else (None, None)
        tested = Tested()
        if "test" in phases:
            tested = Tested(ok=False) if self.stopped else Tested.of(self.run_tests())
        return build if "build" in phases else None, clippy if "clippy" in phases else None, tested

    def prepare(self) -> None:
        os.makedirs(self.project.root / OUTPUT)
        super().prepare()

    def compile_tests(self, program: Sequence[str] = ("rustc",), *levels: str) -> Finished:
        """Compile and link the tests; clippy reports powers besides. `levels` sets those of lints."""
        options = [*(FOR_LLD if self.toolchain.links_with_lld else ()), *(FORCE if program == CLIPPY else ())]
        command = self._command(program, "--test", "--emit=link", "-Ccodegen-units=1", *options, *levels, "-o", TESTS)
        return self.compile("test", command, lists=program == CLIPPY)

    def run_tests(self) -> TestRun:
        compiled = self.compile_tests()
        errors = tuple(message for message in self.read(compiled) if message.level == "error")
        self.messages += errors
        if compiled.exit_code:
            return TestRun(compiled=False, errors=errors)
        return self.run_compiled(self.project.root / TESTS)

    def _by_one_call(self, separation: TestSeparation) -> tuple[bool, bool, Tested] | None:
        """Decide build, clippy and tests by one compilation; None if it cannot decide them."""
        compiled = self.compile_tests(CLIPPY)
        messages, reports = split(self.read(compiled))
        errors = [message for message in messages if message.level == "error"]
        outside = self.outside_tests(messages, separation)
        if compiled.exit_code == 0:
            self.messages = outside
            self.powers = powers_of(reports, self.project) if compiled.stderr_cut_at is None else None
            return True, True, Tested.of(self.run_compiled(self.project.root / TESTS))
        if self.stopped:
            return False, False, Tested(ok=False)
        last = self.project.num_lines
        if any((error.line or last) >= last or not _is_rustcs(error) for error in errors):
            return None
        self.messages = [message for message in outside if message.level == "warning"] + errors
        if any(error in outside and is_certain(error) for error in errors):
            return False, False, Tested(ok=False)
        if errors and not set(errors) & set(outside) and self._clippy("obj"):
            return True, True, Tested(ok=False)
        self.messages = []
        return None

    def outside_tests(self, messages: Sequence[Message], separation: TestSeparation) -> list[Message]:
        """The messages about the program outside its tests."""
        lines = [(self.project.line_in_source(message.line), message) for message in messages]
        return [m for line, m in lines if line is not None and line <= separation.last_line and m.code != ABOUT_TESTS]

    def run_compiled(self, binary: Path, *names: str) -> TestRun:
        """Run compiled tests: all, or those whose names contain one of `names`."""
        done = self.run_binary("test", [binary, "--test-threads=1", *names])
        exit_code = done.exit_code if done.exit_code >= 0 else 101  # a signal, as cargo reports it
        return TestRun.ended(exit_code, done.stdout, done.stderr, whole=done.stdout_cut_at is None)

    def environment(self) -> dict[str, str]:
        root = self.project.root
        libraries = [root / "target/debug", root / OUTPUT, self.toolchain.libraries]
        return {
            **super().environment(),
            **{f"CARGO_PKG_{name}": value for name, value in PACKAGE.items()},
            "CARGO": str(self.toolchain.cargo),
            "CARGO_MANIFEST_DIR": str(root),
            "CARGO_MANIFEST_PATH": str(root / "Cargo.toml"),
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        }

    def _without_tests(self) -> tuple[bool, bool]:
        """Whether `cargo build` and `cargo clippy` succeed, by the rules 1 to 3."""
        if self._clippy("obj"):
            return True, True
        if self.stopped or any(_is_early(message) for message in self.messages if message.level == "error"):
            return False, False
        if self._clippy("metadata"):
            return False, True
        errors = [message for message in self.messages if message.level == "error" and message.code != OF_CONSTANTS]
        if self.stopped or any(map(_is_rustcs, errors)):
            return False, False
        done = self._compile("build", ["rustc"], "--crate-type=bin", "--emit=link", "--out-dir", OUTPUT)
        self.messages += [message for message in self.read(done) if message.level == "error"]
        return done.exit_code == 0, False

    def _clippy(self, emit: str) -> bool:
        """Whether `cargo clippy` succeeds, by `emit` "metadata"; by "obj", whether `cargo build` succeeds too."""
        done = self._compile("clippy", CLIPPY, "--crate-type=bin", f"--emit={emit}", "--out-dir", OUTPUT)
        self.messages += self.read(done)
        return done.exit_code == 0

    def _compile(self, phase: str, program: Sequence[str], *arguments: str) -> Finished:
        """Call a compiler."""
        return self.compile(phase, self._command(program, *arguments))

    def _command(self, program: Sequence[str], *arguments: str) -> list[str | Path]:
        """The command that calls a compiler, with cargo's arguments before `arguments`."""
        return [self.toolchain.bin / program[0], *program[1:], *BASE, *arguments]

    def read(self, done: Finished) -> list[Message]:
        """Read a compiler's messages, except the warnings that cargo's commands do not give."""
        messages = read_messages(done.stderr.splitlines())
        return [message for message in messages if message.level == "error" or message.code not in OF_OBJECT_CODE]


def _is_rustcs(error: Message) -> bool:
    """Whether an error is rustc's, and not a lint's."""
    return error.code is None or E_CODE.fullmatch(error.code) is not None


def is_certain(error: Message) -> bool:
    """Whether an error is one of the program wherever it stands: the front end's, and not by what stands beside it."""
    return _is_early(error) and error.code not in AMBIGUOUS


def _is_early(error: Message) -> bool:
    """Whether an error is of the front end, which checks a program alike with its tests and without them."""
    if error.code is None:
        return error.text.startswith("expected ")  # the parser's
    return E_CODE.fullmatch(error.code) is not None and error.code != OF_CONSTANTS
