"""Grades programs: from source text to verdict, by any backend."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.grading.batch import Batch
from sandbox.grading.cargo import CargoGrading
from sandbox.grading.direct import DirectGrading, NeedsCargo
from sandbox.grading.phases import Grading
from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.verdict import PHASES, Outcome, Verdict

__all__ = ["grade", "grade_together"]


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
    if not _fits(source, limits):
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


def grade_together(
    sources: Sequence[str],
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Iterator[tuple[int, Verdict | None]]:
    """Build, lint and test several programs: in one batch those that can be compiled together, the others one by one.

    Args:
        sources: The programs, not more than `BATCH_SIZE`.
        isolation: As for `grade`.
        limits: As for `grade`.
        workdir: As for `grade`.
        on_start: As for `grade`.
    Returns: An iterator of two pairs for each program: its index in `sources` and None when its own run starts, then
        its index and its verdict.
    Raises:
        OSError: The host fails.
    """
    directory = Path(tempfile.mkdtemp(dir=workdir))
    directory.chmod(0o711)
    shares = [0.0] * len(sources)
    try:
        batch = Batch([s if _fits(s, limits) else "" for s in sources], isolation, limits, directory, on_start)
        together = batch.compile()
        started = {member.number for member in together}
        left = set(range(len(sources)))
        for member in together:
            yield member.number, None
            if verdict := batch.verdict(member):
                yield member.number, verdict
                left.remove(member.number)
        for member in batch.members:
            shares[member.number] = member.cpu_ms
    finally:
        remove_tree(directory)
    for number in sorted(left):
        if number not in started:
            yield number, None
        alone = grade(sources[number], isolation, limits, workdir, backend="direct", on_start=on_start)
        yield number, replace(alone, cpu_ms=alone.cpu_ms + shares[number])


def _fits(source: str, limits: Limits) -> bool:
    """Whether a program is within the size limit."""
    return len(source.encode("utf-8", "surrogatepass")) <= limits.source_kb << 10
