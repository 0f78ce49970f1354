"""Asks one program, as a crate of its own: the program, its harness, and a `main` that runs the harness."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.answers.harness import Harness, main_function
from sandbox.answers.records import read_records
from sandbox.grading.direct import FOR_LLD, OUTPUT, DirectGrading
from sandbox.grading.phases import Tested
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Finished
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import HEAD, Project
from sandbox.rust_library import rust_library
from sandbox.verdict import Outcome

__all__ = ["BINARY", "Asking", "answers_of"]

BINARY = f"{OUTPUT}/program"
LIBRARY = "libanswers.rlib"
SOURCES = Path(__file__).parent / "support"


class Asking(DirectGrading):
    """Compiles a program with its harness and runs it."""

    def take_library(self) -> None:
        """Copy the library into the project. Must be called before `prepare`, which gives it to the program's user."""
        shutil.copyfile(rust_library(self.toolchain, SOURCES), self.project.root / LIBRARY)

    def compile_program(self, word: str) -> Finished:
        """Compile and link src/main.rs, without `cfg(test)`, as `cargo build` compiles it. Warnings are not given.

        Args:
            word: The name that the library has there.
        """
        linking = FOR_LLD if self.toolchain.links_with_lld else ()
        flags = ("--crate-type=bin", "--emit=link", "-Ccodegen-units=1", "-Awarnings", *linking)
        flags += ("--extern", f"{word}={LIBRARY}")
        done = self._compile("build", ["rustc"], *flags, "-o", BINARY)
        self.messages += [message for message in self.read(done) if message.level == "error"]
        return done

    def new_file(self) -> Path:
        """Make the file of answers. Must be called before `prepare`, which gives it to the program's user."""
        path = self.project.directory / "tmp" / f"answers-{secrets.token_hex(8)}"
        path.touch(mode=0o600)
        return path

    def run(self, binary: Path, place: int, file: Path, count: int) -> Answers:
        """Run a compiled program and read its answers.

        Args:
            binary: The program.
            place: The place of its harness in `main_function`.
            file: Made by `new_file`.
            count: The number of calls.
        """
        done = self.run_binary("test", [binary, str(place), file])
        terms, fault = read_records(file, count)
        if self.stopped or self._no_memory:
            return self.result(terms)
        if fault:
            return self.result(terms, Outcome.FORGED, fault)
        if len(terms) < count:
            ended = f"by signal {-done.exit_code}" if done.exit_code < 0 else f"with exit code {done.exit_code}"
            reason = f"the program ended {ended} before answering call {len(terms) + 1} of {count}"
            return self.result(terms, Outcome.TEST_FAILED, reason)
        return self.result(terms, Outcome.PASSED)

    def result(self, terms: tuple[str, ...] = (), outcome: Outcome | None = None, reason: str = "") -> Answers:
        """The answers with times and messages; without an outcome, that of the limit or error that was met."""
        if outcome is None:
            outcome = self._outcome(False, None, Tested())
            reason = self.limits_reached or (
                "memory ran out" if outcome is Outcome.OUT_OF_MEMORY else self._first_error()
            )
        return Answers(outcome, terms, self._diagnostics(), dict(self._ms), self.cpu_ms, reason)

    def _first_error(self) -> str:
        found = self._diagnostics()
        return f"it does not compile with the calls: {found[0].message}" if found else "it does not compile"


def answers_of(
    calls: Calls,
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Answers:
    """Ask one program.

    Args:
        calls: The program and its calls.
        isolation: How its commands are started.
        limits: What it may use.
        workdir: An existing directory, in which a project is made and removed.
        on_start: Called with the process group of every command.
    Raises: OSError when the host fails.
    """
    if not limits.fits(calls.source):
        reason = f"the program has more than the {limits.source_kb << 10:,} bytes that sandbox.source_kb allows"
        return Answers(Outcome.BUILD_ERROR, reason=reason)
    project = Project(Path(tempfile.mkdtemp(dir=workdir)), calls.source)
    try:
        project.create()
        word = f"w{secrets.token_hex(8)}"
        harness = Harness(calls, word)
        text = HEAD + calls.source + "\n" + harness.code() + main_function([harness.module], word)
        (project.root / "src" / "main.rs").write_bytes(text.encode("utf-8", "surrogatepass"))
        asking = Asking(project, isolation, limits, on_start)
        file = asking.new_file()
        asking.take_library()
        asking.prepare()
        if asking.compile_program(word).exit_code:
            return asking.result()
        return asking.run(project.root / BINARY, 0, file, len(calls.calls))
    finally:
        remove_tree(project.directory)
