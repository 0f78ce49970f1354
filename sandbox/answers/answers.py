"""What came back from the calls: a value or a panic for each, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.verdict import Diagnostic, Outcome

__all__ = ["Answers"]


@dataclass(frozen=True)
class Answers:
    """The answers of one program, in the order of its calls.

    `outcome` is PASSED when every call was answered, by a value or a panic. Else it is BUILD_ERROR, TIMEOUT,
    OUT_OF_MEMORY, TEST_FAILED (it ended early), FORGED (it wrote something else) or HOST_ERROR, and `reason` says more.
    """

    outcome: Outcome
    terms: tuple[str, ...] = ()  # the JSON of each answer, up to the first that is missing: hostile text
    diagnostics: tuple[Diagnostic, ...] = ()  # of the compiler; lines count in the program's own text
    ms: Mapping[str, float] = field(default_factory=dict)  # wall-clock milliseconds: "build" and "test"
    cpu_ms: float = 0.0  # user + system time of every process
    reason: str = ""  # why calls have no answer, for people

    def to_json(self) -> dict[str, Any]:
        """The answers as a dict of plain values."""
        return {**asdict(self), "outcome": self.outcome.value, "ms": dict(self.ms)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Answers:
        """The answers that `to_json` wrote."""
        diagnostics = tuple(Diagnostic(**item) for item in record["diagnostics"])
        changed = {"outcome": Outcome(record["outcome"]), "diagnostics": diagnostics, "terms": tuple(record["terms"])}
        return cls(**{**record, **changed})
