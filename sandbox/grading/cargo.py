"""The exact path: what cargo says of a program, by asking cargo.

`cargo build`, `cargo clippy` and `cargo test` in one fresh project, offline. Cheaper than the published recipe's three
projects, with the same verdicts: no debug information, no incremental state, no rustup proxies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.grading.messages import read_messages
from sandbox.grading.phases import Grading, Tested, TestRun

__all__ = ["CargoGrading"]

RUN_STDERR = re.compile(rb"^ +Running unittests [^\n]*\n(.*?)(?:^error: test failed|\Z)", re.MULTILINE | re.DOTALL)
BUILD_FINISHED = re.compile(rb'^\{"reason":"build-finished".*$\n?', re.MULTILINE)


class CargoGrading(Grading):
    """Asks cargo."""

    def answer(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        self.prepare()
        build = self._compile("build") if "build" in phases else None
        self.messages = [message for message in self.messages if message.level == "error"]  # warnings: clippy's count
        clippy = self._compile("clippy") if "clippy" in phases else None
        if "test" not in phases:
            return build, clippy, Tested()
        return build, clippy, Tested(ok=False) if self.stopped else self.test(parses=build is not False)

    def run_tests(self) -> TestRun:
        # A runner, so that the compiled tests get the limits and rights of tests, fewer than the compiler's.
        runner = self.isolation.runner(self.project, self.limits)
        command: list[str | Path] = [self.toolchain.cargo, "test", "--message-format=json", "--offline", "--config"]
        command += [f"target.{self.toolchain.host}.runner={json.dumps(runner)}", "--", "--test-threads=1"]
        both = self.limits.compile_cpu_s + self.limits.run_cpu_s
        done = self.compile("test", command, tree_cpu_s=both)
        self._has_run = True  # perhaps
        end = BUILD_FINISHED.search(done.stdout)
        built, printed = (done.stdout[: end.end()], done.stdout[end.end() :]) if end else (done.stdout, b"")
        errors = tuple(message for message in read_messages(built.splitlines()) if message.level == "error")
        self.messages += errors
        if end is None or b'"success":true' not in end[0]:
            return TestRun(compiled=False, errors=errors)
        stderr = RUN_STDERR.search(done.stderr)
        whole = len(printed) <= self.limits.output_kb << 10
        return TestRun.ended(done.exit_code, printed, stderr[1] if stderr else b"", whole=whole)

    def _compile(self, phase: str) -> bool:
        """`cargo build` or `cargo clippy`; whether it succeeded."""
        if self.stopped:
            return False
        command: list[str | Path] = [self.toolchain.cargo, phase, "--quiet", "--message-format=json", "--offline"]
        done = self.compile(phase, command)
        self.messages += read_messages(done.stdout.splitlines())
        return done.exit_code == 0
