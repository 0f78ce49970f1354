"""The verdict on one program: an outcome, and the facts behind it.

A verdict repeats cargo's results (`build`, `clippy`, `test` and the counts) and adds one that cargo cannot give:
whether libtest itself reported the tests (`genuine`). Whether the tests are worth anything is another question: a test
without an assert passes here, and `rewards.strictness.judge` refuses it by the `Evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

__all__ = ["PHASES", "Diagnostic", "Evidence", "Function", "Outcome", "Run", "Verdict"]

PHASES = ("build", "clippy", "test")


class Outcome(StrEnum):
    """How a grading ended. Where several apply, it is the first in this order."""

    HOST_ERROR = "host_error"  # the sandbox failed, not the program: it must not be scored
    TIMEOUT = "timeout"  # a phase used up its CPU time or its disk, only waited, or hit the wall-clock backstop
    OUT_OF_MEMORY = "out_of_memory"
    BUILD_ERROR = "build_error"
    TEST_BUILD_ERROR = "test_build_error"  # builds, but its tests do not compile
    UNTRUSTED = "untrusted"  # cargo test succeeded, in a program that has powers: it could have written the report
    FORGED = "forged"  # cargo test succeeded, but the report does not agree with itself
    TEST_FAILED = "test_failed"
    NO_TESTS = "no_tests"
    LINT_ERROR = "lint_error"  # all tests pass, clippy fails
    PASSED = "passed"


@dataclass(frozen=True)
class Diagnostic:
    """One message of rustc or clippy. `line` counts from 1 in the program's own text."""

    level: str  # "error" or "warning"
    code: str | None  # "E0308", "clippy::needless_return"; None where rustc gives none
    message: str
    line: int | None
    rendered: str = field(default="", compare=False)  # an error as rustc shows it (`sandbox.rendering`); "" if left out


@dataclass(frozen=True)
class Function:
    """A function outside tests, as far as tests have to do with it."""

    name: str
    tokens: int = 0  # of its body
    # "free"; "method" of a type or a trait of the program's own, "trait" of one that implements a trait of another
    # crate, "unasked" for traits whose methods are for people; "macro": made by a macro
    kind: str = "free"
    # what tests must notice: "any change"; "a failure" at least, where it makes a value of its own type from others;
    # "nothing", where it makes one from nothing, drops or hashes
    demand: str = "any change"
    seen: bool = True  # whether it writes down when it is entered
    asked: bool = False  # whether the tests call it themselves


@dataclass(frozen=True)
class Run:
    """What one run of the tests reported. Functions have the experiment's numbers, asserts their places in the text."""

    mutant: int  # 0: none
    function: int = -1  # the function that the mutant changes
    kind: str = ""  # the kind of change: `sandbox.evidence.experiment.Mutant.kind`
    called_function: bool = False  # whether the tests call that function themselves
    ends: bool = False  # whether false asserts ended their tests, as they do without an experiment
    held: tuple[str, ...] = ()  # asserts that were true at least once
    failed: tuple[str, ...] = ()  # asserts that were false at least once
    broken: tuple[str, ...] = ()  # asserts that a panic of test code ended
    alike: tuple[str, ...] = ()  # asserts that were true for values that differ in one part, where that was asked
    panics: tuple[str, ...] = ()  # explicit panics that test code reached
    missed: tuple[int, ...] = ()  # tests that should have panicked and did not
    entered: tuple[int, ...] = ()  # functions that were called
    called: tuple[int, ...] = ()  # those that no other function of the program called, but the tests
    returned: tuple[int, ...] = ()  # those that ended without a panic at least once
    swallowed: tuple[int, ...] = ()  # lines of test code that panicked, and no test failed or should have panicked
    reached: bool = False  # whether the mutant was
    unknown: bool = False  # whether the mutant could change nothing, since no other value of its type is known
    passed: bool = False  # whether libtest reported that all tests passed, some of which may have false asserts
    endless: bool = False  # whether it was ended because it did not end by itself


@dataclass(frozen=True)
class Evidence:
    """All runs of an experiment. `runs` starts with the one without a mutant; it is empty where nothing is known."""

    outcome: Outcome  # PASSED: the experiment was made
    runs: tuple[Run, ...] = ()
    removed: tuple[int, ...] = ()  # mutants that do not compile
    functions: tuple[Function, ...] = ()  # by their numbers
    hidden: tuple[str, ...] = ()  # what the tests use and what could not be changed
    asserts: tuple[tuple[str, str], ...] = ()  # each assert of the tests: its place, and what it says
    alike: tuple[str, ...] = ()  # asserts that are true for values that differ in one part
    reason: str = ""  # why nothing, or not everything, is known
    waived: bool = False  # whether nobody asked for it
    cpu_ms: float = 0.0

    def noticed(self, run: Run) -> bool:
        """Whether the tests noticed the change of a run: an assert became false, a panic was reached or missed."""
        plain = self.runs[0]
        asserts, panics = set(run.failed) - set(plain.failed), {*run.panics, *run.broken} - set(plain.panics)
        return bool(run.missed or (asserts and not (run.ends and run.passed)) or (panics and not run.passed))

    def settled(self, run: Run) -> bool:
        """Whether the tests noticed the change of a run, or it failed them anyhow: no other change need be tried."""
        failed = not run.passed and not run.called_function  # whatever the failure
        return failed or self.noticed(replace(run, broken=()))

    def to_json(self) -> dict[str, Any]:
        """The evidence as a dict of plain values."""
        return {**asdict(self), "outcome": self.outcome.value}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """The evidence that `to_json` wrote."""
        numbers = (
            "held",
            "failed",
            "broken",
            "alike",
            "panics",
            "missed",
            "entered",
            "called",
            "returned",
            "swallowed",
        )
        runs = tuple(Run(**{**run, **{name: tuple(run[name]) for name in numbers}}) for run in record["runs"])
        lists: dict[str, Any] = {name: tuple(record[name]) for name in ("removed", "hidden", "alike")}
        lists["functions"] = tuple(Function(**function) for function in record["functions"])
        lists["asserts"] = tuple((place, text) for place, text in record["asserts"])
        return cls(**{**record, "outcome": Outcome(record["outcome"]), "runs": runs, **lists})


@dataclass(frozen=True)
class Verdict:
    """The facts about one graded program. A phase that was not asked for is None."""

    outcome: Outcome
    build: bool | None = None
    clippy: bool | None = None
    test: bool | None = None
    genuine: bool = False
    passed: int = 0
    failed: int = 0
    ignored: int = 0
    powers: tuple[str, ...] = ()  # what it uses that could write its tests' report: see `sandbox.grading.powers`
    warnings: int = 0  # distinct compiler and clippy warnings of the clippy phase
    diagnostics: tuple[Diagnostic, ...] = ()
    test_output: str = ""  # the end of what the test binary printed: hostile text
    ms: Mapping[str, float] = field(default_factory=dict)  # wall-clock milliseconds per phase
    cpu_ms: float = 0.0  # user + system time of every process of the grading
    evidence: Evidence | None = None  # whether the tests depend on the code, where that was examined
    peak_memory_mb: float = 0.0  # the largest resident set of one process
    reason: str = ""  # for host errors and limits: what happened, for people

    @property
    def facts(self) -> tuple[bool | None, bool | None, bool | None, int, int, int]:
        """Build, clippy and test; the numbers of tests passed, failed and ignored. Every backend gives the same."""
        return self.build, self.clippy, self.test, self.passed, self.failed, self.ignored

    def to_json(self) -> dict[str, Any]:
        """The verdict as a dict of plain values."""
        evidence = self.evidence.to_json() if self.evidence is not None else None
        return {**asdict(self), "outcome": self.outcome.value, "ms": dict(self.ms), "evidence": evidence}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        diagnostics = tuple(Diagnostic(**item) for item in record["diagnostics"])
        evidence = Evidence.from_json(record["evidence"]) if record["evidence"] else None
        outcome, powers = Outcome(record["outcome"]), tuple(record["powers"])
        known = {"outcome": outcome, "diagnostics": diagnostics, "powers": powers, "evidence": evidence}
        return cls(**{**record, **known})
