"""The cheap path: the same verdicts from one or two compiler calls instead of cargo's three builds.

**At once.** `clippy-driver --test` lints a program and compiles its tests in one call. Where the tests stand apart
(`sandbox.grading.separation`), that answers all three questions:

- It succeeds: so do build, clippy and the tests' compilation, since the same bodies went through the same checks.
- rustc itself refuses something outside the tests: neither does it build, nor do its tests.
- rustc itself refuses the tests alone: they do not build, and one call without them, up to object code, tells the rest.

**Step by step** in all other cases. `clippy-driver` checks the program without its tests, up to object code, and
`rustc --test` compiles the tests:

1. Clippy's call succeeds: clippy and build do. Object code, because some lints and errors only come with it
   (`arithmetic_overflow`, `unconditional_panic`, constants of generic code).
2. It fails with an error of rustc's front end (an E code): both fail.
3. It fails otherwise: a call that stops before object code is clippy's verdict. If that is no, for lints or constants
   alone (clippy computes some that a build never does), a real build decides about the build; else there is none.
4. What could make linking, the crate's kind, its files, environment or `cfg` matter is for the exact path: `HAZARDS`.

Arguments and environment are those that cargo gives; what only its temporary paths could tell apart is not promised.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.grading.canary import Canary
from sandbox.grading.messages import Message, read_messages
from sandbox.grading.phases import Grading, Tested, TestRun
from sandbox.grading.separation import TestSeparation, find_test_module
from sandbox.isolation.process import Finished
from sandbox.verdict import PHASES

__all__ = ["DirectGrading", "NeedsCargo"]

# Words, wherever they stand: a comment that holds one costs time and not correctness.
WORDS = """
    unsafe unsafe_code extern asm global_asm naked link link_name link_section export_name no_mangle
    no_main no_std no_core crate_type crate_name feature proc_macro cfg_attr cfg_select clippy
    recursion_limit type_length_limit Backtrace env option_env include include_str include_bytes
    fs exists try_exists is_file is_dir metadata symlink_metadata read_dir read_link canonicalize
""".split()
HAZARDS = re.compile(rf"\b(?:{'|'.join(WORDS)})\b|#\s*\[\s*used|\bcfg\b(?!\s*\(\s*test\s*\)\s*\])")
E_CODE = re.compile(r"E\d{4}")
OF_CONSTANTS = "E0080"  # comes late for constants of generic code
OUTPUT = "target/debug/deps"
CLIPPY = ("clippy-driver", "rustc")
FOR_LLD = ("-Clink-arg=-Wl,--threads=1,-O0",)  # too little work for two threads, and for sharing the ends of strings
TESTS = f"{OUTPUT}/rust_program-0000000000000000"
BASE = [
    "--crate-name", "rust_program", "--edition=2021", "src/main.rs", "--error-format=json",
    "--json=diagnostic-rendered-ansi,artifacts,future-incompat", "-Cembed-bitcode=no",
    "--check-cfg", "cfg(docsrs,test)", "--check-cfg", "cfg(feature, values())", "-Cstrip=debuginfo",
    "-L", f"dependency={OUTPUT}",
]  # fmt: skip
ABOUT_TESTS = "clippy::items_after_test_module"  # told of what we append, and only where the tests are seen
AMBIGUOUS = ("E0282", "E0283", "E0284", "E0790")  # the test harness brings implementations of its own into play
OF_OBJECT_CODE = ("arithmetic_overflow", "unconditional_panic")  # lints that cargo's clippy never comes to
EMPTY = "AUTHORS DESCRIPTION HOMEPAGE LICENSE LICENSE_FILE README REPOSITORY RUST_VERSION VERSION_PRE".split()
# The last line is for rustc's allocator, jemalloc: a process of a tenth of a second need not give memory back.
OF_COMPILERS = {
    "CARGO_BIN_NAME": "rust-program",
    "CARGO_CRATE_NAME": "rust_program",
    "CARGO_PRIMARY_PACKAGE": "1",
    "CLIPPY_ARGS": "",
    "MALLOC_CONF": "narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:-1",
}
VERSION = {"VERSION": "0.1.0", "VERSION_MAJOR": "0", "VERSION_MINOR": "1", "VERSION_PATCH": "0"}
PACKAGE = {"NAME": "rust-program", **VERSION, **dict.fromkeys(EMPTY, "")}


class NeedsCargo(Exception):
    """The program is one that only the exact path can grade."""


class DirectGrading(Grading):
    """Calls the compilers itself."""

    def answer(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        """Raises: NeedsCargo when only the exact path can tell."""
        if HAZARDS.search(self.project.source):
            raise NeedsCargo
        self.prepare()
        anatomy = find_test_module(self.project.source) if set(phases) == set(PHASES) else None
        if anatomy and (answer := self._at_once(anatomy)):
            return answer
        build, clippy = self._without_tests() if set(phases) & {"build", "clippy"} else (None, None)
        tested = Tested()
        if "test" in phases:
            tested = Tested(ok=False) if self.stopped else self.test(parses=build is not False)
        return build if "build" in phases else None, clippy if "clippy" in phases else None, tested

    def prepare(self) -> None:
        os.makedirs(self.project.root / OUTPUT)
        super().prepare()

    def compile_tests(self, program: Sequence[str] = ("rustc",)) -> Finished:
        """Compile and link the tests."""
        linking = FOR_LLD if self.toolchain.links_with_lld else ()
        return self._compile("test", program, "--test", "--emit=link", "-Ccodegen-units=1", *linking, "-o", TESTS)

    def run_tests(self) -> TestRun:
        compiled = self.compile_tests()
        errors = tuple(message for message in self.read(compiled) if message.level == "error")
        self.messages += errors
        if compiled.exit_code:
            return TestRun(compiled=False, errors=errors)
        return self.run_compiled(self.project.root / TESTS)

    def _at_once(self, anatomy: TestSeparation) -> tuple[bool, bool, Tested] | None:
        """All answers from one compilation; None where it cannot give them."""
        canary = Canary.for_source(self.project.source)
        self.project.write(canary.code())
        compiled = self.compile_tests(CLIPPY)
        messages = self.read(compiled)
        errors = [message for message in messages if message.level == "error"]
        outside = self.outside_tests(messages, anatomy)
        if compiled.exit_code == 0:
            self.messages = outside
            return True, True, Tested.of(self.run_compiled(self.project.root / TESTS), canary)
        if self.stopped:
            return False, False, Tested(ok=False)
        self.project.write()
        last = self.project.num_lines
        if any((error.line or last) >= last or not _is_rustcs(error) for error in errors):
            return None
        self.messages = [message for message in outside if message.level == "warning"] + errors
        if any(error in outside and _is_early(error) and error.code not in AMBIGUOUS for error in errors):
            return False, False, Tested(ok=False)
        if errors and not set(errors) & set(outside) and self._clippy("obj"):
            return True, True, Tested(ok=False)
        self.messages = []
        return None

    def outside_tests(self, messages: Sequence[Message], anatomy: TestSeparation) -> list[Message]:
        """What was said of the program without its tests."""
        lines = [(self.project.line_in_source(message.line), message) for message in messages]
        return [m for line, m in lines if line is not None and line <= anatomy.last_line and m.code != ABOUT_TESTS]

    def run_compiled(self, binary: Path, *names: str) -> TestRun:
        """Run compiled tests, those whose names contain one of some if any are given."""
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

    def of_compilers(self) -> dict[str, str]:
        return OF_COMPILERS

    def _without_tests(self) -> tuple[bool, bool]:
        """Whether `cargo build` and `cargo clippy` succeed: rules 1 to 3."""
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
        """Whether `cargo clippy` succeeds, by "metadata"; with "obj", whether it and `cargo build` do."""
        done = self._compile("clippy", CLIPPY, "--crate-type=bin", f"--emit={emit}", "--out-dir", OUTPUT)
        self.messages += self.read(done)
        return done.exit_code == 0

    def _compile(self, phase: str, program: Sequence[str], *arguments: str) -> Finished:
        """Call a compiler."""
        command: list[str | Path] = [self.toolchain.bin / program[0], *program[1:], *BASE, *arguments]
        return self.compile(phase, command)

    def read(self, done: Finished) -> list[Message]:
        """What a compiler said, as far as cargo's commands would have."""
        told = read_messages(done.stderr.splitlines())
        return [message for message in told if message.level == "error" or message.code not in OF_OBJECT_CODE]


def _is_rustcs(error: Message) -> bool:
    """Whether an error is rustc's own, and not a lint's."""
    return error.code is None or E_CODE.fullmatch(error.code) is not None


def _is_early(error: Message) -> bool:
    """Whether an error comes from the front end, whose work is the same for a program with its tests and without."""
    if error.code is None:
        return error.text.startswith("expected ")  # the parser's
    return E_CODE.fullmatch(error.code) is not None and error.code != OF_CONSTANTS
