"""Grading as the published recipe does it, to compare with: three fresh projects, one for each cargo command.

Cargo's own defaults hold: debug information, incremental state, no canary. Only the isolation is ours, and that the
toolchain's cargo is called and not rustup's proxy, which would cost some milliseconds more.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.grading.cargo import CargoGrading
from sandbox.grading.phases import Tested, TestRun
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import Project

__all__ = ["NaiveGrading"]

OURS = ("CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_DEBUG", "CARGO_PROFILE_TEST_DEBUG")


class NaiveGrading(CargoGrading):
    """One program, every command in a project of its own."""

    def __init__(self, directory: Path, source: str, isolation: Isolation, limits: Limits) -> None:
        """Args: directory, an existing one in which the projects are made and left."""
        self._directory = directory
        self._source = source
        super().__init__(self._fresh(isolation, 0), isolation, limits)
        self._number = 0

    def run_tests(self) -> TestRun:
        self._next()
        return super().run_tests()

    def test(self, *, parses: bool) -> Tested:
        return Tested.of(self.run_tests(), None)

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in super().environment().items() if name not in OURS}

    def _compile(self, phase: str) -> bool:
        self._next()
        return super()._compile(phase)

    def _next(self) -> None:
        """Go on in another project."""
        self._number += 1
        self.project = self._fresh(self.isolation, self._number)

    def _fresh(self, isolation: Isolation, number: int) -> Project:
        """A project that no command has seen."""
        project = Project(self._directory / str(number), self._source)
        project.create()
        isolation.hand_over(project)
        return project
