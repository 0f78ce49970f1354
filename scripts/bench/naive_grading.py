"""Grading as the published recipe does it, to compare with: a fresh project for each of three cargo commands.

It uses cargo's own defaults: debug information, incremental state. Two things differ from the recipe: the
programs are isolated, and the toolchain's cargo is called instead of rustup's proxy, which is some milliseconds slower.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.grading.cargo import CargoGrading
from sandbox.grading.phases import TestRun
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import Project

__all__ = ["NaiveGrading"]

OURS = ("CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_DEBUG", "CARGO_PROFILE_TEST_DEBUG")


class NaiveGrading(CargoGrading):
    """One program, every command in a project of its own."""

    def __init__(self, directory: Path, source: str, isolation: Isolation, limits: Limits) -> None:
        """
        Args:
            directory: An existing one, in which the projects are made and left.
            source: The program.
            isolation: How its commands are started.
            limits: Of each command.
        """
        self._directory = directory
        self._source = source
        super().__init__(self._fresh(isolation, 0), isolation, limits)
        self._number = 0

    def run_tests(self) -> TestRun:
        self._next()
        return super().run_tests()

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in super().environment().items() if name not in OURS}

    def run_cargo(self, phase: str) -> bool:
        self._next()
        return super().run_cargo(phase)

    def _next(self) -> None:
        """Use a new project from now on."""
        self._number += 1
        self.project = self._fresh(self.isolation, self._number)

    def _fresh(self, isolation: Isolation, number: int) -> Project:
        """A new project."""
        project = Project(self._directory / str(number), self._source)
        project.create()
        isolation.hand_over(project)
        return project
