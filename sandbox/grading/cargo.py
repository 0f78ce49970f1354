"""The backend `cargo`: runs `cargo build`, `cargo clippy` and `cargo test` in one fresh project, offline.

The published recipe makes three projects. This backend gives the same verdicts at a lower cost: one project, no debug
information, no incremental state, no rustup proxies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.grading.messages import read_messages
from sandbox.grading.phases import Grading, Tested, TestRun

__all__ = ["CargoGrading"]

RUN_STDERR = re.compile(rb"^ +Running unittests [^\n]*\n(.*)", re.MULTILINE | re.DOTALL)
FAILURE = b"error: test failed, to rerun pass"  # cargo's, in the middle of a line if the tests did not end theirs
BUILD_FINISHED = re.compile(rb'^\{"reason":"build-finished".*$\n?', re.MULTILINE)


class CargoGrading(Grading):
    """Grades a program by calling cargo."""

    def run_phases(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        self.prepare()
        build = self.run_cargo("build") if "build" in phases else None
        self.messages = [
            message for message in self.messages if message.level == "error"
        ]  # warnings are clippy's alone, so that none is counted twice
        clippy = self.run_cargo("clippy") if "clippy" in phases else None
        if "test" not in phases:
            return build, clippy, Tested()
        return build, clippy, Tested(ok=False) if self.stopped else Tested.of(self.run_tests())

    def run_tests(self) -> TestRun:
        # cargo starts the tests by a runner, which gives them the limits and rights of tests: fewer than a compiler's.
        runner = self.isolation.runner(self.project, self.limits)
        command: list[str | Path] = [self.toolchain.cargo, "test", "--message-format=json", "--offline", "--config"]
        command += [f"target.{self.toolchain.host}.runner={json.dumps(runner)}", "--", "--test-threads=1"]
        both = self.limits.compile_cpu_s + self.limits.run_cpu_s
        done = self.compile("test", command, tree_cpu_s=both)
        self._has_run = True  # the tests may have run, even where cargo failed
        end = BUILD_FINISHED.search(done.stdout)
        built, printed = (done.stdout[: end.end()], done.stdout[end.end() :]) if end else (done.stdout, b"")
        errors = tuple(message for message in read_messages(built.splitlines()) if message.level == "error")
        self.messages += errors
        if end is None or b'"success":true' not in end[0]:
            return TestRun(compiled=False, errors=errors)
        found = RUN_STDERR.search(done.stderr)
        stderr = found[1] if found else b""
        if done.exit_code and not done.stop and FAILURE in stderr:
            stderr = stderr[: stderr.rindex(FAILURE)]
        whole = len(printed) <= self.limits.output_kb << 10
        return TestRun.ended(done.exit_code, printed, stderr, whole=whole)

    def run_cargo(self, phase: str) -> bool:
        """Run `cargo build` or `cargo clippy`, and return whether it succeeded."""
        if self.stopped:
            return False
        command: list[str | Path] = [self.toolchain.cargo, phase, "--quiet", "--message-format=json", "--offline"]
        done = self.compile(phase, command)
        self.messages += read_messages(done.stdout.splitlines())
        return done.exit_code == 0
