"""Makes experiments: compiles programs with switches, and runs their tests without a mutant and then by the plan."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.evidence.crate import Crate, CrateMember
from sandbox.evidence.experiment import Experiment
from sandbox.grading.direct import DirectGrading
from sandbox.grading.messages import agrees, read_tally
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process import Finished
from sandbox.isolation.remove_tree import remove_tree
from sandbox.limits import Limits
from sandbox.project import HEAD, Project
from sandbox.verdict import Evidence, Outcome, Run

__all__ = ["examine"]

BUDGET_MS = 4000  # CPU time of all runs of one program; what is known by then counts
BUDGET_S = 15.0  # wall time of the same
MUTANT_S = 1  # CPU seconds of one run with a mutant, which its fuel ends much earlier in most cases
FUEL = 1 << 40  # of the run without a mutant, which the limits of the program end
MORE_FUEL = 200_000  # iterations of loops that a mutant may make in any case
TIMES_FUEL = 20  # times as many as the run without a mutant made
NOT_COMPILED = "the instrumented program does not compile"
PHASE = "the instrumented program"
LINE = "\n"
UNTOLD = "0:0"  # the place of an equality that could not be asked about values that differ
OnStart = Callable[[int], None]


def examine(
    experiments: Sequence[Experiment],
    isolation: Isolation,
    limits: Limits,
    workdir: Path,
    *,
    on_start: OnStart = lambda pid: None,
) -> Iterator[tuple[int, Evidence | None]]:
    """Make experiments: those that can share a crate in one, the others one by one.

    Args:
        experiments: What to make, not more than `BATCH_SIZE`.
        isolation: How commands are started.
        limits: What each program may use.
        workdir: An existing directory, in which others are made and removed.
        on_start: Called with the process group of every command.
    Returns: An iterator of two pairs for each experiment: its index and None when its own runs start, then its index
        and the evidence.
    Raises:
        OSError: The host fails.
    """
    members = [CrateMember(number, made, f"m{number}") for number, made in enumerate(experiments) if made.portable]
    done: set[int] = set()
    if len(members) > 1:
        for number, evidence in _together(members, isolation, limits, workdir, on_start):
            done.add(number)
            yield number, evidence
    for number in range(len(experiments)):
        if number not in done:
            yield number, None
            alone = [CrateMember(number, experiments[number], "")]
            found = [evidence for _, evidence in _together(alone, isolation, limits, workdir, on_start) if evidence]
            yield number, found[0] if found else Evidence(Outcome.TEST_BUILD_ERROR, reason=NOT_COMPILED)


def _together(
    members: Sequence[CrateMember], isolation: Isolation, limits: Limits, workdir: Path, on_start: OnStart
) -> Iterator[tuple[int, Evidence | None]]:
    """Make the experiments of one crate. Those that do not compile are left out; what a limit stopped alone, not."""
    directory = Path(tempfile.mkdtemp(dir=workdir))
    directory.chmod(0o711)
    try:
        crate = Crate(members, isolation, limits, directory)
        compiled = list(crate.compile(on_start))
        if crate.limits_reached and len(members) == 1:
            reason, cpu_ms = crate.limits_reached, round(crate.cpu_ms, 3)
            yield members[0].number, Evidence(Outcome.TIMEOUT, reason=reason, cpu_ms=cpu_ms)
        for member in compiled:
            yield member.number, None
            project = Project(directory / f"member-{member.number}", "")
            project.create()
            isolation.hand_over(project)
            runs = _Runs(member, crate, project, isolation, limits, on_start)
            yield member.number, runs.evidence(crate.cpu_ms / len(members))
    finally:
        remove_tree(directory)


class _Running(DirectGrading):
    """Runs an instrumented program once."""

    def __init__(
        self, project: Project, isolation: Isolation, limits: Limits, on_start: OnStart, switches: str
    ) -> None:
        super().__init__(project, isolation, limits, on_start)
        self._switches = switches

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "EVIDENCE": self._switches}


class _Runs:
    """The runs of one program."""

    def __init__(
        self,
        member: CrateMember,
        crate: Crate,
        project: Project,
        isolation: Isolation,
        limits: Limits,
        on_start: OnStart,
    ) -> None:
        self._member, self._crate, self._project = member, crate, project
        self._isolation, self._limits, self._on_start = isolation, limits, on_start
        self._cpu_ms = 0.0
        self._started = time.monotonic()
        self._fuel = FUEL
        self._reason = ""

    def evidence(self, cpu_ms: float) -> Evidence:
        """Run the program by its plan.

        Args:
            cpu_ms: What its compilation cost.
        """
        self._plain = self._run(0)
        runs = [self._plain]
        if self._reason:
            return Evidence(Outcome.TIMEOUT, reason=self._reason, cpu_ms=cpu_ms + self._cpu_ms)
        made = self._member.experiment
        asked = [f for f in self._plain.entered if f in self._plain.called or f in made.named]
        for function in asked:
            runs += self._group(function, by_tests=True)
        for function in sorted(set(self._plain.entered) - set(asked)):
            if made.functions[function].demand == "nothing":
                continue
            runs += self._group(function, by_tests=False)
        looks = made.equality and made.equality not in self._member.removed
        alike = self._run(made.equality).alike if looks else ()
        unseen = {number for number, guard in made.guards.items() if guard in self._member.removed}
        functions = [
            replace(function, seen=number in made.guards and number not in unseen, asked=number in asked)
            for number, function in enumerate(made.functions)
        ]
        hidden = [made.functions[number].name for number in sorted(unseen) if number in made.named]
        return Evidence(
            Outcome.PASSED,
            tuple(runs),
            removed=tuple(sorted(self._member.removed)),
            functions=tuple(functions),
            hidden=(*made.hidden, *hidden),
            asserts=made.asserts,
            alike=alike,
            reason=self._reason,
            cpu_ms=round(cpu_ms + self._cpu_ms, 3),
        )

    def _group(self, function: int, *, by_tests: bool) -> Iterator[Run]:
        """Run the mutants of a function, at most until the tests notice one."""
        thorough = self._member.experiment.thorough
        for mutant in self._member.experiment.plan.get(function, ()):
            if mutant in self._member.removed:
                continue
            if self._cpu_ms > BUDGET_MS:
                self._reason = f"it was stopped after {BUDGET_MS / 1e3:g} s of CPU time"
                return
            if time.monotonic() - self._started > BUDGET_S:
                self._reason = f"it was stopped after {BUDGET_S:g} s of wall-clock time"
                return
            found = replace(self._run(mutant), called_function=by_tests)
            yield found
            if Evidence(Outcome.PASSED, (self._plain,)).settled(found) and not thorough:
                return

    def _run(self, mutant: int) -> Run:
        """Run the tests once."""
        binary, word, made = self._crate.binary, self._crate.word, self._member.experiment
        names = [f"{self._member.module}::"] if self._member.module else []
        limits = self._limits
        if mutant:
            limits = replace(
                limits, run_cpu_s=min(MUTANT_S, limits.run_cpu_s), wall_s=min(10 * MUTANT_S, limits.wall_s)
            )
        switches = f"{word}:{mutant}:{self._fuel}:{made.salt}:{int(made.catches)}"
        running = _Running(self._project, self._isolation, limits, self._on_start, switches)
        done = running.run_binary(PHASE, [binary, "--test-threads=1", *names])
        self._cpu_ms += done.cpu_ms
        records = [line.split()[1:] for line in done.stderr.split(b"\n") if line.startswith(word.encode() + b" ")]
        if mutant == 0:
            self._start(running, done, records)
        read = _read(mutant, done, records, was_ended=running.stopped)
        broken = [_place(record[1].decode()) for record in records if record[0] == b"b" and self._in_tests(*record[2:])]
        read = replace(read, broken=tuple(sorted(set(broken))))
        if mutant == 0:
            return replace(read, swallowed=self._swallowed(records))
        function = self._member.experiment.mutants[mutant - 1].function
        return replace(read, function=function, kind=self._kind(mutant), ends=self._member.experiment.catches)

    def _kind(self, mutant: int) -> str:
        return self._member.experiment.mutants[mutant - 1].kind

    def _swallowed(self, records: Sequence[Sequence[bytes]]) -> tuple[int, ...]:
        """The lines of test code that panicked, though no test should: or in a helper of one that should."""
        tests = self._member.experiment.tests
        places = [record for record in records if record[0] in (b"h", b"x") and self._in_tests(*record[1:])]
        lines = {int(line) - HEAD.count(LINE) for kind, _, line in places if kind == b"h"}
        helpers = {int(line) - HEAD.count(LINE) for kind, _, line in places if kind == b"x"}
        return tuple(sorted(lines | {line for line in helpers if not _in(tests, line)}))

    def _in_tests(self, file: bytes, line: bytes) -> bool:
        """Whether a place stands in test code of this program."""
        lines = self._member.experiment.test_lines
        return file.decode() == self._member.file and _in(lines, int(line) - HEAD.count(LINE))

    def _start(self, running: _Running, done: Finished, records: Sequence[Sequence[bytes]]) -> None:
        """Keep what the run without a mutant tells about the others."""
        self._reason = running.limits_reached
        if not self._reason and done.stderr_cut_at is not None:
            self._reason = f"{PHASE}: printed so much that records may be lost"
        ticks = sum(record[0] == b"t" for record in records)
        self._fuel = MORE_FUEL + TIMES_FUEL * (1 << ticks if ticks else 0)


def _read(mutant: int, done: Finished, records: Sequence[Sequence[bytes]], *, was_ended: bool) -> Run:
    """What a run reported; `was_ended`: by a limit."""

    def found(letter: bytes, value: bytes | None = None) -> list[str]:
        chosen = (r for r in records if r[0] == letter and (value is None or r[2:] == [value]))
        return sorted({r[1].decode() for r in chosen})

    tally = read_tally(done.stdout)
    return Run(
        mutant,
        held=tuple(map(_place, found(b"a", b"1"))),
        failed=tuple(map(_place, found(b"a", b"0"))),
        panics=tuple(map(_place, found(b"r"))),
        missed=tuple(map(int, found(b"p", b"0"))),
        entered=tuple(sorted(map(int, found(b"f")))),
        called=tuple(sorted(map(int, found(b"c")))),
        alike=(
            *map(_place, found(b"q", b"1")),
            *([UNTOLD] if {r[0] for r in records} & {b"v", b"w"} == {b"v"} else ()),
        ),
        returned=tuple(sorted(map(int, found(b"e")))),
        reached=bool(found(b"m")),
        unknown=bool(found(b"u")),
        passed=done.exit_code == 0 and tally is not None and tally.failed == 0 and agrees(tally, done.stdout),
        endless=was_ended or any(record[0] == b"d" for record in records),
    )


def _place(text: str) -> str:
    """A place in the program's own text, from one in the text that was compiled."""
    line, _, what = text.partition(":")
    return f"{int(line) - HEAD.count(LINE)}:{what}"


def _in(parts: Iterable[tuple[int, int]], line: int) -> bool:
    return any(first <= line <= last for first, last in parts)
