"""Grades several programs: those that can be compiled together in one batch, the others one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.grading.batch import Batch
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.verdict import Verdict

__all__ = ["grade_together"]


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
        batch = Batch([s if limits.fits(s) else "" for s in sources], isolation, limits, directory, on_start)
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
