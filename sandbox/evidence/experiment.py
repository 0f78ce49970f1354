"""The records of an experiment: a program with switches, the order of its runs, and what they reported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

from sandbox.verdict import Outcome

__all__ = ["ALWAYS", "MAX_IDS", "SUPPORT", "Evidence", "Experiment", "NO_FUNCTION", "Mutant", "Part", "Run"]

SUPPORT = "SUPPORT_OF_EVIDENCE"  # stands for the path of the support module in `Part.text`
MAX_IDS = 256  # mutants, asserts and functions of a program, each
NO_FUNCTION = -1  # the function of a mutant that changes nothing, which gives other mutants a value
ALWAYS = 0  # the mutant that is never removed: no mutant


class Part(NamedTuple):
    """A piece of the instrumented text."""

    text: str
    mutant: int = ALWAYS  # the mutant that it belongs to
    without: str = ""  # the text in its place where that mutant is removed


class Mutant(NamedTuple):
    """One change. Its number is its place in `Experiment.mutants`, from 1."""

    function: int  # the number of the function in which it stands; or NO_FUNCTION
    kind: str  # "return", "operator", "relation", "condition", "constant", "statement"; "value": it changes nothing
    fragile: bool = False  # whether it must be removed first if the program does not compile with it


@dataclass(frozen=True)
class Experiment:
    """A program with switches, and which to turn on in what order."""

    parts: tuple[Part, ...]  # their texts make the program
    mutants: tuple[Mutant, ...]
    functions: tuple[str, ...]  # names; a function's number is its place, from 0
    asserts: int  # asserts in test code are numbered from 0
    plan: tuple[tuple[int, ...], ...]  # groups of mutants: a group ends with the first that an assert notices
    portable: bool  # whether it can share a crate

    def text(self, removed: Collection[int], support: str) -> str:
        """The program without some mutants. `support` is the support module's name."""
        return "".join(self._pieces(removed)).replace(SUPPORT, support)

    def places(self, removed: Collection[int], support: str) -> dict[int, tuple[int, int]]:
        """Where each mutant that is left begins and ends in `text`, in characters."""
        found: dict[int, tuple[int, int]] = {}
        at = 0
        for part, piece in zip(self.parts, self._pieces(removed), strict=True):
            end = at + len(piece.replace(SUPPORT, support))
            if part.mutant != ALWAYS and part.mutant not in removed:
                found[part.mutant] = (found.get(part.mutant, (at, 0))[0], end)
            at = end
        return found

    def _pieces(self, removed: Collection[int]) -> Iterator[str]:
        return (part.without if part.mutant in removed else part.text for part in self.parts)


@dataclass(frozen=True)
class Run:
    """What one run of the tests reported. Numbers of asserts and functions are those of the experiment."""

    mutant: int  # 0: none
    held: tuple[int, ...] = ()  # asserts that were true at least once
    failed: tuple[int, ...] = ()  # asserts that were false at least once
    entered: tuple[int, ...] = ()  # functions that were called
    reached: bool = False  # whether the mutant was
    unknown: bool = False  # whether the mutant could change nothing, since no other value of its type is known
    passed: bool = False  # whether libtest reported that all tests passed, some of which may have false asserts
    should_panic: bool = False  # whether a test failed because it should have panicked and did not
    endless: bool = False  # whether it was ended because it did not end by itself

    @property
    def noticed(self) -> bool:
        """Whether an assert was false, or a test missed a panic."""
        return bool(self.failed) or self.should_panic


@dataclass(frozen=True)
class Evidence:
    """All runs of an experiment. `runs` starts with the one without a mutant; it is empty where nothing is known."""

    outcome: Outcome  # PASSED: the experiment was made
    runs: tuple[Run, ...] = ()
    removed: tuple[int, ...] = ()  # mutants that do not compile
    reason: str = ""  # why nothing, or not everything, is known
    cpu_ms: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The evidence as a dict of plain values."""
        return {**asdict(self), "outcome": self.outcome.value}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """The evidence that `to_json` wrote."""
        runs = tuple(
            Run(**{key: tuple(value) if isinstance(value, list) else value for key, value in run.items()})
            for run in record["runs"]
        )
        known = {"outcome": Outcome(record["outcome"]), "runs": runs, "removed": tuple(record["removed"])}
        return cls(**{**record, **known})
