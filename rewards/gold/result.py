"""The result of a row's gold tests on one program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["GoldKind", "GoldResult"]

GoldKind = Literal["cases", "tests"]  # values compared outside the program; a test module run inside it


@dataclass(frozen=True)
class GoldResult:
    """How many of a row's gold tests a program passed. The reason may name expected values: it is for people only."""

    passed: int
    total: int
    reason: str  # why the first test failed; "" where all passed
    kind: GoldKind
    inapplicable: str = ""  # why they say nothing of this program, which was not shown what they call; "" where they do
    passes: tuple[bool, ...] = ()  # by check, in the row's order; empty where a test module ran or nothing did

    @property
    def ok(self) -> bool:
        """Whether all passed."""
        return not self.reason and self.passed == self.total > 0
