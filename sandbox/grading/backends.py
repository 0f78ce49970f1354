"""The ways to grade programs: one verdict, three costs.

exact   asks cargo, one program at a time.
direct  calls its compilers, one program at a time.
batch   calls them for several programs at once, where they fit together; for the others it is direct.
"""

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

__all__ = ["BATCH_SIZE", "BACKENDS", "grade", "grade_together"]

BACKENDS = ("cargo", "direct", "batch")
BATCH_SIZE = 16  # programs at most


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

    Args: source, hostile text of any kind; isolation, how its commands are started; workdir, an existing directory, to
        be passed through by the user that guests run as, in which a project is made and removed; backend, of `BACKENDS`
        (a batch of one is direct); phases, of `PHASES`; on_start, told the process group of every command.
    Returns: the verdict; a phase that was not asked for is None in it.
    Raises: OSError when the host fails (no disk, no processes).
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
    """Build, lint and test several programs, together as far as they fit together.

    Args: as for `grade`; no more than `BATCH_SIZE` sources make sense.
    Returns: for every program its place among the sources, twice: with None when its own turn comes, with its verdict.
    Raises: OSError when the host fails.
    """
    directory = Path(tempfile.mkdtemp(dir=workdir))
    directory.chmod(0o711)
    shares = [0.0] * len(sources)
    try:
        batch = Batch([s if _fits(s, limits) else "" for s in sources], isolation, limits, directory, on_start)
        together = batch.compile()
        for member in together:
            yield member.number, None
            yield member.number, batch.verdict(member)
        for member in batch.members:
            shares[member.number] = member.cpu_ms
    finally:
        remove_tree(directory)
    for number in sorted(set(range(len(sources))) - {member.number for member in together}):
        yield number, None
        alone = grade(sources[number], isolation, limits, workdir, backend="direct", on_start=on_start)
        yield number, replace(alone, cpu_ms=alone.cpu_ms + shares[number])


def _fits(source: str, limits: Limits) -> bool:
    """Whether a program is short enough to be graded at all."""
    return len(source.encode("utf-8", "surrogatepass")) <= limits.source_kb << 10
