"""Grades one program: from source text to verdict, by any backend."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.grading.cargo import CargoGrading
from sandbox.grading.direct import DirectGrading, NeedsCargo
from sandbox.grading.phases import Grading
from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.verdict import PHASES, Outcome, Verdict

__all__ = ["grade"]


def grade(
    source: str,
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    backend: str = "cargo",
    phases: Sequence[str] = PHASES,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Verdict:
    """Build, lint and test one program.

    Args:
        source: The program: any text, possibly hostile.
        isolation: How its commands are started.
        limits: What it may use.
        workdir: An existing directory, in which a project is made and removed. The user that programs run as must be
            able to pass through it.
        backend: One of `BACKENDS`. For one program, "batch" is the same as "direct".
        phases: Those of `PHASES` that are wanted.
        on_start: Called with the process group of every command.
    Returns: The verdict, in which a phase that is not in `phases` is None.
    Raises:
        OSError: The host fails: no disk space, no processes.
    """
    if not limits.fits(source):
        size = len(source.encode("utf-8", "surrogatepass"))
        reason = f"the program has {size:,} bytes; sandbox.source_kb allows {limits.source_kb << 10:,}"
        build, clippy, test = (False if phase in phases else None for phase in PHASES)
        return Verdict(Outcome.BUILD_ERROR, build, clippy, test, reason=reason)
    project = Project(Path(tempfile.mkdtemp(dir=workdir)), source)
    try:
        project.create()
        way: type[Grading] = CargoGrading if backend == "cargo" else DirectGrading
        grading = way(project, isolation, limits, on_start)
        try:
            return grading.verdict(phases)
        except NeedsCargo:
            remove_tree(project.directory)
            project.create()
            verdict = CargoGrading(project, isolation, limits, on_start).verdict(phases)
            return replace(verdict, cpu_ms=verdict.cpu_ms + grading.cpu_ms)
    finally:
        remove_tree(project.directory)
