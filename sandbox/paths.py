"""The ways to grade a program: one verdict, two costs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.cargo import CargoGrading
from sandbox.direct import DirectGrading, NeedsCargo
from sandbox.grading import Grading
from sandbox.isolation import Isolation
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.removal import remove_tree
from sandbox.toolchain import Toolchain
from sandbox.verdict import PHASES, Outcome, Verdict

__all__ = ["PATHS", "choose_path", "grade"]

PATHS: dict[str, type[Grading]] = {"exact": CargoGrading, "direct": DirectGrading}
PROVEN = ("rustc 1.95.",)  # toolchains on which the direct path was compared with cargo, program by program

log = logging.getLogger(__name__)


def choose_path(wanted: str, toolchain: Toolchain) -> str:
    """The path to take: the wanted one, but exact on a toolchain on which the direct one was never compared with cargo.

    Raises: ValueError for a path that does not exist.
    """
    if wanted not in PATHS:
        raise ValueError(f"the path is {wanted!r}; it must be one of {', '.join(PATHS)}")
    if wanted == "direct" and not toolchain.version.startswith(PROVEN):
        log.warning("%s: the direct path was not compared with cargo on it; grading exactly, slower", toolchain.version)
        return "exact"
    return wanted


def grade(
    source: str,
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    path: str = "exact",
    phases: Sequence[str] = PHASES,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Verdict:
    """Build, lint and test one program.

    Args: source, hostile text of any kind; isolation, how its commands are started; workdir, an existing directory, to
        be passed through by the user that guests run as, in which a project is made and removed; path, "exact" asks
        cargo, "direct" its compilers; phases, of `PHASES`; on_start, told the process group of every command.
    Returns: the verdict; a phase that was not asked for is None in it.
    Raises: OSError when the host fails (no disk, no processes).
    """
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > limits.source_kb << 10:
        reason = f"the program has {size:,} bytes; sandbox.source_kb allows {limits.source_kb << 10:,}"
        build, clippy, test = (False if phase in phases else None for phase in PHASES)
        return Verdict(Outcome.BUILD_ERROR, build, clippy, test, reason=reason)
    project = Project(Path(tempfile.mkdtemp(dir=workdir)), source)
    try:
        project.create()
        grading = PATHS[path](project, isolation, limits, on_start)
        try:
            return grading.verdict(phases)
        except NeedsCargo:
            remove_tree(project.directory)
            project.create()
            verdict = CargoGrading(project, isolation, limits, on_start).verdict(phases)
            return replace(verdict, cpu_ms=verdict.cpu_ms + grading.cpu_ms)
    finally:
        remove_tree(project.directory)
