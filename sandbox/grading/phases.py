"""Takes one program through build, clippy and tests. The backends differ only in how they run each phase.

A report of tests is genuine if it agrees with itself and with the exit code of the process, and if the program has no
power to write that report (`sandbox.grading.powers`).
"""

from __future__ import annotations

import os
import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.grading.messages import Message, Tally, agrees, read_messages, read_tally
from sandbox.grading.powers import EXAMINE, FORCE, UNKNOWN, lists_directory, powers_of, split, write_lists
from sandbox.isolation.disk_usage import Disk
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Finished, Stop, run
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import HEAD, Project
from sandbox.rendering import own_rendering, shortened
from sandbox.verdict import PHASES, Diagnostic, Outcome, Verdict

__all__ = ["Grading", "TestRun", "Tested"]

NO_MEMORY = re.compile(rb"^memory allocation of \d+ bytes failed", re.MULTILINE)
NO_MEMORY_FOR_LLVM = re.compile(rb"^(?:rustc-)?LLVM ERROR: out of memory", re.MULTILINE)
KILLED = re.compile(rb"^  process didn't exit successfully: [^\n]* \(signal: (\d+)[,)]", re.MULTILINE)  # by cargo
TAIL_SHOWN = 4000  # characters of test output that a verdict keeps
MAX_DIAGNOSTICS = 50
MAX_MESSAGE = 2000
MAX_RENDERED = 8000  # characters of all errors as rustc renders them
FREE_BYTES_NEEDED = 64 << 20
COMPILER_OUTPUT = 32 << 20  # bytes kept of a compiler's output: so many, because a lost message could change a verdict


@dataclass(frozen=True)
class TestRun:
    """The result of compiling and running the tests once."""

    compiled: bool
    exit_code: int = 1  # of the test binary, where there is one
    tally: Tally | None = None
    agrees: bool = False  # whether the tally agrees with the rest of the output
    output: bytes = b""
    errors: tuple[Message, ...] = ()  # of the compiler

    @classmethod
    def ended(cls, exit_code: int, stdout: bytes, stderr: bytes, *, whole: bool) -> TestRun:
        """The result of a test binary that ran; `whole` is False when a part of its stdout was dropped."""
        tally = read_tally(stdout)
        credible = tally is not None and agrees(tally, stdout, whole=whole)
        return cls(True, exit_code, tally, credible, stdout + stderr)


class Grading(ABC):
    """Grades one program: runs commands, and collects what decides the verdict."""

    compiler_environment: Mapping[str, str] = {}  # variables for compilers only; a subclass may add some
    powers: tuple[str, ...] | None = None  # `Verdict.powers`; None until the compiler was asked

    def __init__(
        self, project: Project, isolation: Isolation, limits: Limits, on_start: Callable[[int], None] = lambda pid: None
    ) -> None:
        """Keep what the commands need.

        Args:
            project: The program's project, already created.
            isolation: How commands are started.
            limits: What the program may use.
            on_start: Called with the process group of every command.
        """
        self.project = project
        self.isolation = isolation
        self.toolchain = isolation.toolchain
        self.limits = limits
        self.messages: list[Message] = []
        self._on_start = on_start
        self._finished: list[Finished] = []
        self._ms: dict[str, float] = {}
        self._stopped: dict[str, Stop] = {}  # phase -> limit
        self._no_memory = False
        self._has_run = False  # whether the program ran, and may have changed its project

    @abstractmethod
    def run_phases(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        """Run the phases; the result of build or clippy is None where it is not in `phases`."""

    @abstractmethod
    def run_tests(self) -> TestRun:
        """Compile src/main.rs with its tests, and run them one after the other."""

    def verdict(self, phases: Sequence[str] = PHASES) -> Verdict:
        """Grade the program."""
        build, clippy, tested = self.run_phases(phases)
        if tested.compiled and self.powers is None:
            self.powers = self._find_powers()
        tested = replace(tested, genuine=tested.genuine and not self.powers)
        warnings = {message for message in self.messages if message.level == "warning"}
        return Verdict(
            outcome=self._outcome(build, clippy, tested),
            build=build,
            clippy=clippy,
            test=tested.ok,
            genuine=tested.genuine,
            passed=tested.tally.passed,
            failed=tested.tally.failed,
            ignored=tested.tally.ignored,
            powers=self.powers or (),
            warnings=len(warnings),
            diagnostics=self._diagnostics(),
            test_output=tested.output,
            ms=self._ms,
            cpu_ms=self.cpu_ms,
            peak_memory_mb=max((finished.peak_memory_mb for finished in self._finished), default=0.0),
            reason=self.limits_reached,
        )

    def prepare(self) -> None:
        """Make what the commands need. Must be called in a fresh project before any command."""
        write_lists(self.project)
        self.isolation.hand_over(self.project)

    def start_afresh(self) -> None:
        """Make the project again if the program has run, since it may have changed its files."""
        if self._has_run:
            remove_tree(self.project.directory)
            self.project.create()
            self.prepare()
            self._has_run = False

    def compile(
        self, phase: str, command: Sequence[str | Path], *, tree_cpu_s: int | None = None, lists: bool = False
    ) -> Finished:
        """Run a compiler or cargo.

        Args:
            phase: The phase that its time and limits are recorded for.
            command: Program and arguments.
            tree_cpu_s: CPU seconds for it and all processes that it starts; None for `compile_cpu_s`.
            lists: Whether clippy reads the lists of `sandbox.grading.powers`.
        """
        isolated = self.isolation.compile(command, self.project, self.limits)
        environment = {**self.environment(), **self.compiler_environment}
        if lists:
            environment["CLIPPY_CONF_DIR"] = str(lists_directory(self.project))
        return self._run(phase, isolated, environment, tree_cpu_s or self.limits.compile_cpu_s, COMPILER_OUTPUT)

    def run_binary(self, phase: str, command: Sequence[str | Path]) -> Finished:
        """Run compiled tests."""
        self._has_run = True
        self.isolation.protect(Path(command[0]))
        isolated = self.isolation.run(command, self.project, self.limits)
        output_bytes = self.limits.output_kb << 10
        return self._run(phase, isolated, self.environment(), self.limits.run_cpu_s, output_bytes)

    def _run(
        self,
        phase: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        tree_cpu_s: int,
        output_bytes: int,
    ) -> Finished:
        """Run a command of a phase, and record its time, memory, and the limit that it reached."""
        done = run(
            command,
            cwd=self.project.root,
            env=environment,
            tree_cpu_s=tree_cpu_s,
            idle_s=self.limits.idle_s,
            wall_s=self.limits.wall_s,
            disk=Disk(self.project.directory, self.limits.files, self.limits.disk_mb << 20),
            output_bytes=output_bytes,
            on_start=self._on_start,
        )
        self._finished.append(done)
        self._ms[phase] = round(self._ms.get(phase, 0.0) + done.wall_ms, 1)
        if done.stop:
            self._stopped[phase] = done.stop
        elif done.exit_code:
            if done.not_started:
                raise OSError(f"the launcher could not start a command: {done.not_started}")
            _check_disk(self.project.directory)
            if self._over_cpu(done):
                self._stopped[phase] = Stop.CPU
            elif done.exit_code == -signal.SIGKILL and not self.powers:  # with powers it may have killed itself
                raise OSError(f"{phase}: somebody killed the process (SIGKILL), and no limit did")
            elif _ran_out_of_memory(done):
                self._no_memory = True
        return done

    def environment(self) -> dict[str, str]:
        """All of a command's environment."""
        return self.project.environment(self.toolchain.bin)

    @property
    def cpu_ms(self) -> float:
        """CPU time of all processes so far."""
        return round(sum(finished.cpu_ms for finished in self._finished), 3)

    @property
    def stopped(self) -> bool:
        """Whether a limit was reached. No further command is run then."""
        return bool(self._stopped)

    @property
    def limits_reached(self) -> str:
        """The limits that were reached, in words; empty for none."""
        return "; ".join(self._reason(phase, stop) for phase, stop in self._stopped.items())

    def _find_powers(self) -> tuple[str, ...]:
        """Compile the program with its tests once more, only to find its powers."""
        if self.stopped:
            return UNKNOWN
        self.start_afresh()
        output = self.project.directory / "tmp"
        command: list[str | Path] = [
            self.toolchain.bin / "clippy-driver",
            "rustc",
            *EXAMINE,
            *FORCE,
            "--out-dir",
            output,
        ]
        no_memory = self._no_memory
        done = self.compile("powers", command, lists=True)
        self._stopped.pop("powers", None)  # what this call reaches is no limit of cargo's commands
        self._no_memory = no_memory
        if done.exit_code != 0 or done.stderr_cut_at is not None:
            return UNKNOWN
        return powers_of(split(read_messages(done.stderr.splitlines()))[1], self.project)

    def _over_cpu(self, done: Finished) -> bool:
        """Whether the kernel ended a process for its CPU time: by SIGXCPU, or by SIGKILL if it ignored SIGXCPU.

        The kernel counts clock ticks for the limit, while `cpu_ms` is measured exactly. The two differ on a busy
        machine, so that half of the limit is enough here.
        """
        least = min(self.limits.compile_cpu_s, self.limits.run_cpu_s)
        return _signal(done) in (signal.SIGXCPU, signal.SIGKILL) and done.cpu_ms >= 1e3 * least / 2

    def _outcome(self, build: bool | None, clippy: bool | None, tested: Tested) -> Outcome:
        """The first outcome that applies, in the order of `Outcome`."""
        cases = (
            (self.stopped, Outcome.TIMEOUT),
            (self._no_memory, Outcome.OUT_OF_MEMORY),
            (build is False, Outcome.BUILD_ERROR),
            (tested.ok is False and not tested.compiled, Outcome.TEST_BUILD_ERROR),
            (tested.ok is True and bool(self.powers), Outcome.UNTRUSTED),
            (tested.ok is True and not tested.genuine, Outcome.FORGED),
            (tested.ok is False, Outcome.TEST_FAILED),
            (tested.ok is True and tested.tally.passed + tested.tally.failed == 0, Outcome.NO_TESTS),
            (clippy is False, Outcome.LINT_ERROR),
        )
        return next((outcome for applies, outcome in cases if applies), Outcome.PASSED)

    def _diagnostics(self) -> tuple[Diagnostic, ...]:
        """The messages without duplicates, errors first, in the order of the program's lines."""
        found = (
            Diagnostic(m.level, m.code, m.text[:MAX_MESSAGE], self.project.line_in_source(m.line), m.rendered)
            for m in self.messages
        )
        unique = sorted(set(found), key=lambda d: (d.level, d.line or 0, d.code or "", d.message))[:MAX_DIAGNOSTICS]
        hidden = (f"{self.project.root}/", f"{self.project.directory}/", f"{self.toolchain.bin.parent}/")
        texts = (own_rendering(d.rendered, drop_lines=HEAD.count("\n"), hidden=hidden) for d in unique)
        shown = zip(unique, shortened(texts, MAX_RENDERED), strict=True)
        return tuple(replace(diagnostic, rendered=text) for diagnostic, text in shown)

    def _reason(self, phase: str, stop: Stop) -> str:
        """The text for a limit that was reached."""
        if stop is Stop.DISK:
            return f"{phase}: wrote more than {self.limits.files:,} files or {self.limits.disk_mb:,} MiB"
        if stop is Stop.DEADLOCK:
            return f"{phase}: every thread waits for another one (a deadlock)"
        if stop is Stop.IDLE:
            why = "it waits for something that never comes (a deadlock), or sleeps"
            return f"{phase}: no thread did anything for {self.limits.idle_s} s (sandbox.idle_s): {why}"
        if stop is Stop.WALL:
            return f"{phase}: reached the wall-clock backstop of {self.limits.wall_s} s"
        compiling, running = self.limits.compile_cpu_s, self.limits.run_cpu_s
        return f"{phase}: used up its CPU time ({compiling} s to compile, {running} s to run)"


@dataclass(frozen=True)
class Tested:
    """The tests' part of a verdict. `ok` is None when the phase was not asked for."""

    ok: bool | None = None
    compiled: bool = False
    genuine: bool = False
    tally: Tally = Tally(0, 0, 0)
    output: str = ""

    @classmethod
    def of(cls, attempt: TestRun) -> Tested:
        """Read the result of a run."""
        tally = attempt.tally or Tally(0, 0, 0)
        honest_exit = attempt.exit_code == (101 if tally.failed else 0)
        shown = attempt.output[-2 * TAIL_SHOWN :].decode("utf-8", "replace")
        return cls(
            ok=attempt.compiled and attempt.exit_code == 0,
            compiled=attempt.compiled,
            genuine=attempt.tally is not None and attempt.agrees and honest_exit,
            tally=tally,
            output=shown[-TAIL_SHOWN:] if attempt.compiled else "",
        )


def _signal(done: Finished) -> int:
    """The signal that ended a command, or the tests under cargo; 0 for none. Tests can fake cargo's line."""
    reported = KILLED.findall(done.stderr[-TAIL_SHOWN:])
    return int(reported[-1]) if reported else max(0, -done.exit_code)


def _ran_out_of_memory(done: Finished) -> bool:
    """Whether a program or a compiler reported that memory ran out, and ended as it then does."""
    if NO_MEMORY_FOR_LLVM.search(done.stderr):
        return True
    return _signal(done) == signal.SIGABRT and NO_MEMORY.search(done.stderr) is not None


def _check_disk(directory: Path) -> None:
    """Raise OSError if the disk is full: that is a failure of the host, not of the program."""
    disk = os.statvfs(directory)
    if disk.f_bavail * disk.f_frsize < FREE_BYTES_NEEDED or (disk.f_files and not disk.f_favail):
        raise OSError(28, "no space left for the sandbox", str(directory))
