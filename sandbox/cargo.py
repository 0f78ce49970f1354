"""The exact path: what cargo says of a program, by asking cargo.

One fresh project per program, laid out as in the published recipe (edition 2021, no dependencies, the program between
`#![allow(dead_code)]` and a `main` that prints "Hello World"), then `cargo build`, `cargo clippy` and `cargo test` in
it, offline. Cheaper than three projects, with the same verdicts: no debug information, no incremental state, no
rustup proxies.

Build and clippy see the program as it is. The tests are run with the canary appended, and counted without it. Where the
build failed, the tests are compiled without the canary first, since appended code could complete what is torn.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.canary import Canary
from sandbox.limits import Limits
from sandbox.process import Finished, Stop, run
from sandbox.toolchain import Toolchain
from sandbox.verdict import PHASES, Diagnostic, Outcome, Verdict

__all__ = ["grade"]

MANIFEST = """[package]
name = "rust-program"
version = "0.1.0"
edition = "2021"

[dependencies]
"""
HEAD = "#![allow(dead_code)]\n"
TAIL = '\n\nfn main() {\n    println!("Hello World");\n}\n'
RESULT_LINE = re.compile(
    rb"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; \d+ filtered out",
    re.MULTILINE,
)
OUT_OF_MEMORY = re.compile(rb"memory allocation of \d+ bytes failed|LLVM ERROR: out of memory|rustc-LLVM ERROR: out of")
OVER_CPU = re.compile(rb"\(signal: 24[,)]")  # as cargo reports SIGXCPU
RUN_STDERR = re.compile(rb"^ +Running unittests [^\n]*\n(.*?)(?:^error: test failed|\Z)", re.MULTILINE | re.DOTALL)
TAIL_SHOWN = 4000  # characters of test output that a verdict keeps
MAX_DIAGNOSTICS = 50
MAX_MESSAGE = 2000
FREE_BYTES_NEEDED = 64 << 20


def grade(
    source: str,
    toolchain: Toolchain,
    limits: Limits,
    workdir: Path,
    *,
    phases: Sequence[str] = PHASES,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Verdict:
    """Build, lint and test one program.

    Args: source, hostile text of any kind; workdir, an existing directory in which a project is made and removed;
        phases, of `PHASES`; on_start, told the process group of every command.
    Returns: the verdict; a phase that was not asked for is None in it.
    Raises: OSError when the host fails (no disk, no processes).
    """
    encoded = source.encode("utf-8", "surrogatepass")
    if len(encoded) > limits.source_kb << 10:
        reason = f"the program has {len(encoded):,} bytes; sandbox.source_kb allows {limits.source_kb << 10:,}"
        build, clippy, test = (False if phase in phases else None for phase in PHASES)
        return Verdict(Outcome.BUILD_ERROR, build, clippy, test, reason=reason)
    with tempfile.TemporaryDirectory(dir=workdir, ignore_cleanup_errors=True) as directory:
        grading = _Grading(source, encoded, toolchain, limits, Path(directory), on_start)
        try:
            return grading.verdict(phases)
        finally:
            _make_removable(Path(directory))


@dataclass
class _Grading:
    """One program on its way through the phases."""

    source: str
    encoded: bytes
    toolchain: Toolchain
    limits: Limits
    directory: Path
    on_start: Callable[[int], None]
    finished: list[Finished] = field(default_factory=list)
    ms: dict[str, float] = field(default_factory=dict)
    messages: list[Diagnostic] = field(default_factory=list)
    stopped: dict[str, Stop] = field(default_factory=dict)  # phase -> limit
    out_of_memory: bool = False

    def verdict(self, phases: Sequence[str]) -> Verdict:
        """Run the phases and say what came out."""
        project = self.directory / "project"
        for path in (project / "src", self.directory / "home", self.directory / "tmp", self.directory / "answers"):
            path.mkdir(parents=True)
        (project / "Cargo.toml").write_text(MANIFEST)
        self._write_program()
        build = self._compile("build") if "build" in phases else None
        clippy = self._compile("clippy") if "clippy" in phases else None
        warnings = {m for m in self.messages if m.level == "warning"} if clippy is not None else set()
        tests = self._test(build) if "test" in phases else _Tests()
        return Verdict(
            outcome=self._outcome(build, clippy, tests),
            build=build,
            clippy=clippy,
            test=tests.ok,
            genuine=tests.genuine,
            passed=tests.passed,
            failed=tests.failed,
            ignored=tests.ignored,
            warnings=len(warnings),
            diagnostics=tuple(dict.fromkeys(sorted(self.messages, key=lambda m: m.level)))[:MAX_DIAGNOSTICS],
            test_output=tests.output,
            ms=self.ms,
            cpu_ms=sum(finished.cpu_ms for finished in self.finished),
            peak_memory_mb=max((finished.peak_memory_mb for finished in self.finished), default=0.0),
            reason="; ".join(self._reason(phase, stop) for phase, stop in self.stopped.items()),
        )

    def _outcome(self, build: bool | None, clippy: bool | None, tests: _Tests) -> Outcome:
        """The first outcome that applies, in the order of `Outcome`."""
        cases = (
            (bool(self.stopped), Outcome.TIMEOUT),
            (self.out_of_memory, Outcome.OUT_OF_MEMORY),
            (build is False, Outcome.BUILD_ERROR),
            (tests.ok is False and not tests.compiled, Outcome.TEST_BUILD_ERROR),
            (tests.ok is True and not tests.genuine, Outcome.FORGED),
            (tests.ok is False, Outcome.TEST_FAILED),
            (tests.ok is True and tests.passed + tests.failed == 0, Outcome.NO_TESTS),
            (clippy is False, Outcome.LINT_ERROR),
        )
        return next((outcome for applies, outcome in cases if applies), Outcome.PASSED)

    def _compile(self, phase: str) -> bool:
        """`cargo build` or `cargo clippy`; whether it succeeded."""
        if self.stopped:
            return False
        done = self._cargo(phase, [phase, "--quiet", "--message-format=json", "--offline"], self.limits.compile_cpu_s)
        self._read_messages(done.stdout.splitlines())
        return done.exit_code == 0

    def _test(self, build: bool | None) -> _Tests:
        """`cargo test`, with the canary where it cannot change the verdict."""
        if self.stopped:
            return _Tests(ok=False)
        if build is False and not self._run_tests(None).ok:
            return self._last_tests
        canary = Canary.for_source(self.source, self.directory / "answers")
        tests = self._run_tests(canary)
        if not tests.compiled and tests.blames_canary:
            return self._run_tests(None)  # the program forbids something that the canary needs: nobody vouches for it
        return tests

    def _run_tests(self, canary: Canary | None) -> _Tests:
        """One `cargo test`."""
        self._write_program(canary.code() if canary else "")
        # A runner, so that the compiled tests get a CPU limit of their own, lower than the compiler's.
        seconds = self.limits.run_cpu_s
        runner = ["sh", "-c", f'ulimit -S -t {seconds}; ulimit -H -t {seconds + 1}; exec "$@"', "tests"]
        arguments = ["test", "--message-format=json", "--offline", "--config"]
        arguments += [f"target.{self.toolchain.host}.runner={json.dumps(runner)}", "--", "--test-threads=1"]
        done = self._cargo("test", arguments, self.limits.compile_cpu_s + self.limits.run_cpu_s)
        built, lines = _split_build(done.stdout)
        self._read_messages(built, warnings=False)
        compiled = any(b'"build-finished","success":true' in line for line in built)
        counts = [tuple(map(int, match)) for match in RESULT_LINE.findall(lines)]
        passed, failed, ignored = counts[-1] if counts else (0, 0, 0)
        answered = canary is not None and canary.answered()
        printed = RUN_STDERR.search(done.stderr)
        output = _without_canary(lines + (printed[1] if printed else b""), canary)
        program_lines = self.source.count("\n") + HEAD.count("\n") + TAIL.count("\n") + 1
        self._last_tests = _Tests(
            ok=done.exit_code == 0,
            compiled=compiled,
            genuine=answered and bool(counts) and done.exit_code == (0 if not failed else 101),
            passed=max(0, passed - answered),
            failed=failed,
            ignored=ignored,
            output=output if compiled else "",
            blames_canary=canary is not None and any(_error_line(line) > program_lines for line in built),
        )
        return self._last_tests

    def _write_program(self, appended: str = "") -> None:
        """Write src/main.rs."""
        program = HEAD.encode() + self.encoded + TAIL.encode() + appended.encode()
        (self.directory / "project" / "src" / "main.rs").write_bytes(program)

    def _cargo(self, phase: str, arguments: Sequence[str], tree_cpu_s: int) -> Finished:
        """Run cargo in the project; notes time, limits and memory."""
        limits = self.limits
        done = run(
            [self.toolchain.cargo, *arguments],
            cwd=self.directory / "project",
            env=self._environment(),
            cpu_s=limits.compile_cpu_s,
            tree_cpu_s=tree_cpu_s,
            wall_s=limits.wall_s,
            memory_mb=limits.memory_mb,
            file_mb=limits.file_mb,
            output_bytes=limits.output_kb << 10,
            on_start=self.on_start,
        )
        self.finished.append(done)
        self.ms[phase] = round(self.ms.get(phase, 0.0) + done.wall_ms, 1)
        if done.stop:
            self.stopped[phase] = done.stop
        elif done.exit_code:
            _check_disk(self.directory)
            if OVER_CPU.search(done.stderr[-TAIL_SHOWN:]):
                self.stopped[phase] = Stop.CPU
            elif OUT_OF_MEMORY.search(done.stderr) or OUT_OF_MEMORY.search(done.stdout[-TAIL_SHOWN:]):
                self.out_of_memory = True
        return done

    def _environment(self) -> dict[str, str]:
        """All that a guest's compiler and tests know of the world."""
        return {
            "PATH": f"{self.toolchain.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.directory / "home"),
            "CARGO_HOME": str(self.directory / "home"),
            "TMPDIR": str(self.directory / "tmp"),
            "LC_ALL": "C",
            "CARGO_INCREMENTAL": "0",
            "CARGO_PROFILE_DEV_DEBUG": "0",
            "CARGO_PROFILE_TEST_DEBUG": "0",
            "CARGO_TERM_COLOR": "never",
            "RUST_BACKTRACE": "0",
        }

    def _reason(self, phase: str, stop: Stop) -> str:
        """A limit in words."""
        if stop is Stop.WALL:
            return f"{phase}: reached the wall-clock backstop of {self.limits.wall_s} s"
        compiling, running = self.limits.compile_cpu_s, self.limits.run_cpu_s
        return f"{phase}: used up its CPU time ({compiling} s to compile, {running} s to run)"

    def _read_messages(self, lines: Iterable[bytes], *, warnings: bool = True) -> None:
        """Keep what rustc and clippy said."""
        for line in lines:
            message = _compiler_message(line)
            if message is None or (message["level"] == "warning" and not (warnings and message["code"])):
                continue
            if message["level"] not in ("error", "warning") or message["message"].startswith("aborting due to"):
                continue
            number = _line_number(message)
            inside = number is not None and 1 <= number - HEAD.count("\n") <= self.source.count("\n") + 1
            self.messages.append(
                Diagnostic(
                    message["level"],
                    message["code"]["code"] if message["code"] else None,
                    message["message"][:MAX_MESSAGE],
                    number - HEAD.count("\n") if number is not None and inside else None,
                )
            )


@dataclass(frozen=True)
class _Tests:
    """What a test run came to; `ok` None: it was not asked for."""

    ok: bool | None = None
    compiled: bool = False
    genuine: bool = False
    passed: int = 0
    failed: int = 0
    ignored: int = 0
    output: str = ""
    blames_canary: bool = False


def _split_build(stdout: bytes) -> tuple[list[bytes], bytes]:
    """Cargo's JSON lines up to the end of the build, and what the test binary printed after it."""
    end = re.search(rb'^\{"reason":"build-finished".*$\n?', stdout, re.MULTILINE)
    cut = end.end() if end else len(stdout)
    return stdout[:cut].splitlines(), stdout[cut:]


def _compiler_message(line: bytes) -> dict[str, Any] | None:
    """The message of a `compiler-message` line."""
    if not line.startswith(b'{"reason":"compiler-message"'):
        return None
    try:
        message: dict[str, Any] = json.loads(line)["message"]
    except (ValueError, KeyError):
        return None  # cut in the middle by the output's bound
    return message


def _line_number(message: dict[str, Any]) -> int | None:
    """The line in main.rs that a message points at."""
    spans = sorted(message["spans"], key=lambda span: not span["is_primary"])
    return int(spans[0]["line_start"]) if spans else None


def _error_line(line: bytes) -> int:
    """The line in main.rs of an error, 0 for anything else."""
    message = _compiler_message(line)
    return (_line_number(message) or 0) if message and message["level"] == "error" else 0


def _without_canary(output: bytes, canary: Canary | None) -> str:
    """The tail of a test run's output as text, without the line of the test that the program does not know."""
    text = output[-2 * TAIL_SHOWN :].decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if canary is None or canary.name not in line]
    return "\n".join(lines)[-TAIL_SHOWN:]


def _check_disk(directory: Path) -> None:
    """A full disk is the host's failure and not the program's."""
    disk = os.statvfs(directory)
    if disk.f_bavail * disk.f_frsize < FREE_BYTES_NEEDED or (disk.f_files and not disk.f_favail):
        raise OSError(28, "no space left for the sandbox", str(directory))


def _make_removable(directory: Path) -> None:
    """Undo what a guest may have done to the permissions of its directories, so that all can be removed."""
    for path, names, _ in os.walk(directory):
        for name in names:
            inner = Path(path, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
