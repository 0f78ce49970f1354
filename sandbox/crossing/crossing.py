"""What is asked: test modules to run on codes. What came back: a cell for each pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from sandbox.terminal import counted
from sandbox.verdict import Outcome, Verdict

__all__ = ["Cell", "Crossed", "Crossing"]


@dataclass(frozen=True)
class Crossing:
    """Codes and test modules, any text and possibly hostile, and the pairs of them that are wanted.

    >>> Crossing(("fn f() {}",), ("#[cfg(test)] mod t {}",), ((0, 0),)).program(0, 0)
    'fn f() {}\\n#[cfg(test)] mod t {}'
    """

    codes: tuple[str, ...]  # programs without their tests
    suites: tuple[str, ...]  # test modules: `#[cfg(test)] mod NAME { ... }`
    pairs: tuple[tuple[int, int], ...]  # the index of a code and that of a test module; each pair once
    run_cpu_s: int = 1  # CPU time of the tests of one cell, where the limits allow more
    alone: int = 16  # runs of cells of one code that cannot share; one that reaches a limit counts as eight

    def __post_init__(self) -> None:
        """Refuse pairs that are none, or that are there twice."""
        for code, suite in self.pairs:
            if not (0 <= code < len(self.codes) and 0 <= suite < len(self.suites)):
                sizes = f"there are {counted(len(self.codes), 'code')} and {counted(len(self.suites), 'test module')}"
                raise ValueError(f"the pair ({code}, {suite}) names none: {sizes}, counted from 0")
        if len(set(self.pairs)) != len(self.pairs):
            raise ValueError("a pair is asked for twice; give each once")

    def program(self, code: int, suite: int) -> str:
        """The program that a cell is about."""
        return f"{self.codes[code]}\n{self.suites[suite]}"


@dataclass(frozen=True)
class Cell:
    """The result of one test module on one code: that of `sandbox.grading.grade.grade` with `phases=("test",)`.

    The outcome is one of TIMEOUT, OUT_OF_MEMORY, TEST_BUILD_ERROR, UNTRUSTED, FORGED, TEST_FAILED, NO_TESTS and PASSED.
    """

    outcome: Outcome
    passed: int = 0  # tests
    failed: int = 0
    ignored: int = 0

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """The cell of a verdict on its program."""
        return cls(verdict.outcome, verdict.passed, verdict.failed, verdict.ignored)


@dataclass(frozen=True)
class Crossed:
    """The cells of a crossing in the order of its pairs. Without cells `outcome` is HOST_ERROR or TIMEOUT."""

    outcome: Outcome
    # None: not run alone, since other cells of its code used up `alone`, nor in a process of several that ended well
    cells: tuple[Cell | None, ...] = ()
    cpu_ms: float = 0.0  # user + system time of every process
    reason: str = ""  # why there are no cells, or what limits cells reached, for people

    def to_json(self) -> dict[str, Any]:
        """The cells as a dict of plain values."""
        cells = [None if cell is None else {**asdict(cell), "outcome": cell.outcome.value} for cell in self.cells]
        return {**asdict(self), "outcome": self.outcome.value, "cells": cells}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """The cells that `to_json` wrote."""
        cells = [c if c is None else Cell(**{**c, "outcome": Outcome(c["outcome"])}) for c in record["cells"]]
        return cls(**{**record, "outcome": Outcome(record["outcome"]), "cells": tuple(cells)})
