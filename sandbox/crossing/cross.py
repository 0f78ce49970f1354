"""From a crossing to its cells: one compilation, one process for each code, and what cannot share alone."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from sandbox.crossing.crate import SharedCell, SharedCrate
from sandbox.crossing.crossing import Cell, Crossed, Crossing
from sandbox.grading.direct import DirectGrading
from sandbox.grading.grade import grade
from sandbox.grading.messages import Tally
from sandbox.grading.phases import Tested
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Finished
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.verdict import Outcome, Verdict

__all__ = ["cross", "read_cells"]

TEST = ("test",)
LIMIT_COSTS = 8  # runs that one which reaches a limit counts for: it takes as long as many
LAST_PROCESSES = 2  # for the cells of a code that share one, once no more may be run alone; each may reach a limit
CLEAN = (Outcome.PASSED, Outcome.TEST_FAILED, Outcome.NO_TESTS)
REPORTS_END = b"\nfailures:\n"  # after it libtest repeats what tests printed
NAME = rb"^test ((m\w{16}::t\w{16}::)\S+)(?: - should panic)? \.\.\. "
REPORTED = re.compile(NAME + rb"(ok|FAILED|ignored)\b", re.MULTILINE)
STARTED = re.compile(NAME + rb"\Z", re.MULTILINE)
Settings = tuple[Isolation, Limits, Callable[[int], None]]


def cross(
    crossing: Crossing,
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Crossed:
    """Run test modules on codes.

    Args:
        crossing: What is asked. Its codes are programs that build.
        isolation: How commands are started.
        limits: What a program may use; the tests of a cell at most `crossing.run_cpu_s`.
        workdir: An existing directory, in which directories are made and removed.
        on_start: Called with the process group of every command.
    Raises: OSError when the host fails.
    """
    limits = replace(limits, run_cpu_s=min(limits.run_cpu_s, crossing.run_cpu_s))
    directory = Path(tempfile.mkdtemp(dir=workdir))
    directory.chmod(0o711)
    try:
        crate = SharedCrate(crossing, isolation, limits, directory, on_start)
        runs = _Runs(crossing, directory, (isolation, limits, on_start))
        runs.share(crate)
        for one in crate.apart():
            runs.share(one)
        runs.grade_others()
    finally:
        remove_tree(directory)
    cells = tuple(runs.cells.get(number) for number in range(len(crossing.pairs)))
    return Crossed(Outcome.PASSED, cells, round(runs.cpu_ms, 3), "; ".join(runs.limits))


class _Runs:
    """The runs of a crossing."""

    _crate: SharedCrate  # whose cells are run now

    def __init__(self, crossing: Crossing, directory: Path, settings: Settings) -> None:
        self._crossing, self._directory, self._settings = crossing, directory, settings
        self.cells: dict[int, Cell] = {}  # by number
        self.limits: dict[str, None] = {}  # that cells reached, in words, each once
        self._tried: set[int] = set()  # numbers of cells that need not be graded alone
        self.cpu_ms = 0.0
        self._alone: Counter[int] = Counter()  # runs of cells that cannot share, by code

    def share(self, crate: SharedCrate) -> None:
        """Compile a crate, and run the tests of its cells, as many as possible in one process."""
        self._crate = crate
        compiled = crate.compile()
        self.cpu_ms += crate.cpu_ms
        self.cells |= crate.failed
        self._tried.update(crate.failed, (member.number for member in compiled))
        rows: dict[int, list[SharedCell]] = {}
        for member in compiled:
            if not crate.powers(member):
                rows.setdefault(member.code, []).append(member)
        self._share(list(rows.values()), self._row, attempts=2)
        for member in compiled:
            if crate.powers(member):
                self._one([member])

    def grade_others(self) -> None:
        """Grade alone the cells that no crate had."""
        for number in range(len(self._crossing.pairs)):
            if number not in self._tried:
                self._grade(number)

    def _row(self, row: Sequence[SharedCell]) -> None:
        """Run the tests of cells of one code; those that may not be run alone any more share some last processes."""
        self._share([[member] for member in row], self._one, attempts=len(row))
        parts = [[member] for member in row if member.number not in self.cells]
        for _ in range(LAST_PROCESSES):
            if not parts or not (ended_it := self._together(parts, is_last=True)):
                break
            parts = [part for part in parts if part not in ended_it]

    def _share(
        self, parts: Sequence[list[SharedCell]], alone: Callable[[list[SharedCell]], None], *, attempts: int
    ) -> None:
        """Run several parts in one process; take out one during which it ends, and run that one by `alone`."""
        for _ in range(attempts):
            if len(parts) < 2 or not any(self._may_run(part[0].code) for part in parts):
                break
            ended_it = self._together(parts)
            if ended_it is None:
                return
            if not ended_it:
                break
            alone(ended_it[0])
            parts = [part for part in parts if part not in ended_it]
        for part in parts:
            alone(part)

    def _together(self, parts: Sequence[list[SharedCell]], *, is_last: bool = False) -> list[list[SharedCell]] | None:
        """Run parts in one process.

        Args:
            parts: Lists of cells.
            is_last: Whether its limits are told, since what they leave without a result has none in the end.
        Returns: None where it ended well: the cells are there. Else the part during which it ended, in a list that is
            empty where nobody knows.
        """
        members = list(chain.from_iterable(parts))
        done = self._process(members)
        if done.ended_well and (cells := read_cells(done.output, done.tested.tally, members)):
            self.cells |= cells
            return None
        if is_last and done.limits_reached:
            self.limits[done.limits_reached] = None
        return [part for part in parts if done.started in [member.filter.encode() for member in part]]

    def _may_run(self, code: int) -> bool:
        """Whether a cell of a code may be run alone: counted, not timed, so that a busy machine changes nothing."""
        return self._alone[code] < self._crossing.alone

    def _note(self, number: int, verdict: Verdict) -> None:
        """Note the verdict on a cell that was run alone."""
        self._alone[self._crossing.pairs[number][0]] += 1 if verdict.outcome is not Outcome.TIMEOUT else LIMIT_COSTS
        self.cells[number] = Cell.of(verdict)
        if verdict.reason:
            self.limits[verdict.reason] = None

    def _one(self, members: Sequence[SharedCell]) -> None:
        """Run the tests of one cell in a process of their own, if it may."""
        [member] = members
        if not self._may_run(member.code):
            return
        self._note(member.number, self._process(members).verdict(TEST))

    def _grade(self, number: int) -> None:
        """Grade the program of a cell, if it may be run."""
        code, suite = self._crossing.pairs[number]
        if not self._may_run(code):
            return
        isolation, limits, on_start = self._settings
        program, where = self._crossing.program(code, suite), self._directory
        verdict = grade(program, isolation, limits, where, backend="direct", phases=TEST, on_start=on_start)
        self.cpu_ms += verdict.cpu_ms
        self._note(number, verdict)

    def _process(self, members: Sequence[SharedCell]) -> _CellsGrading:
        """Run the tests of cells in one process."""
        project = Project(Path(tempfile.mkdtemp(dir=self._directory)), self._crossing.codes[members[0].code])
        project.create()
        powers = self._crate.powers(members[0]) if len(members) == 1 else ()
        done = _CellsGrading(project, *self._settings)
        done.prepare()
        done.report(self._crate.binary, [member.filter for member in members], powers)
        remove_tree(project.directory)
        self.cpu_ms += done.cpu_ms
        return done


class _CellsGrading(DirectGrading):
    """Runs the tests of some cells that compiled."""

    started = b""  # the cell of the test that had started and not ended
    output = b""  # what libtest printed
    tested = Tested()

    def report(self, binary: Path, filters: Sequence[str], powers: tuple[str, ...]) -> None:
        """Run the tests whose names begin with one of `filters`."""
        self.powers = powers
        self.tested = Tested.of(self.run_compiled(binary, *filters))

    def run_phases(self, phases: Sequence[str]) -> tuple[bool | None, bool | None, Tested]:
        """What the tests reported."""
        return None, None, self.tested

    @property
    def ended_well(self) -> bool:
        """Whether all tests ran to their end, and the report agrees with itself."""
        verdict = self.verdict(TEST)
        return verdict.outcome in CLEAN and verdict.genuine

    def run_binary(self, phase: str, command: Sequence[str | Path]) -> Finished:
        """Run the tests, and note what they printed."""
        done = super().run_binary(phase, command)
        self.output = done.stdout
        last = STARTED.search(self.output)
        self.started = last[2] if last else b""
        return done


def read_cells(output: bytes, tally: Tally, members: Sequence[SharedCell]) -> dict[int, Cell]:
    """The cells of a process that ran the tests of several; none where its lines do not add up to its summary.

    Args:
        output: What libtest printed.
        tally: Its summary.
        members: The cells, none of which has powers.
    """
    reported = REPORTED.findall(output.partition(REPORTS_END)[0])
    counts = {member.filter.encode(): {b"ok": 0, b"FAILED": 0, b"ignored": 0} for member in members}
    if len({name for name, _, _ in reported}) != len(reported) or not all(place in counts for _, place, _ in reported):
        return {}
    for _, place, word in reported:
        counts[place][word] += 1
    sums = Tally(*(sum(count[word] for count in counts.values()) for word in (b"ok", b"FAILED", b"ignored")))
    return (
        {member.number: _cell(*counts[member.filter.encode()].values()) for member in members} if sums == tally else {}
    )


def _cell(passed: int, failed: int, ignored: int) -> Cell:
    """The cell of a test module without powers, by its numbers of tests."""
    outcome = Outcome.TEST_FAILED if failed else Outcome.PASSED if passed else Outcome.NO_TESTS
    return Cell(outcome, passed, failed, ignored)
