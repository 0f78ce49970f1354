"""One answer of the model, and what is known of it: what every reward function looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from rewards.gold import GoldProgram
from rewards.rust.parse import Program, extract_code, parse
from rewards.strictness.judge import Judgement, judge
from rewards.strictness.mutation import INSENSITIVE, notice_nothing
from sandbox import Outcome, Verdict

__all__ = ["GradedCompletion", "Gold", "Score"]


class Score(NamedTuple):
    """A reward and why: 0 to 1, or None where it does not apply."""

    value: float | None
    reason: str


class Gold(NamedTuple):
    """The gold tests' program of an answer, None where they cannot be put to it, and its verdict."""

    program: GoldProgram | None
    verdict: Verdict | None


@dataclass(frozen=True)
class GradedCompletion:
    """An answer's text and the verdicts on it.

    `verdict` is None without code, `gold` where there are no gold tests; `mutants` are the verdicts on
    `rewards.strictness.mutation.mutants` of the code, where that was asked for.
    """

    text: str
    verdict: Verdict | None = None
    gold: Gold | None = None
    mutants: tuple[Verdict, ...] = ()

    @cached_property
    def code(self) -> str | None:
        """The program in the answer."""
        return extract_code(self.text)

    @cached_property
    def program(self) -> Program | None:
        """The structure of that program."""
        return None if self.code is None else parse(self.code)

    @cached_property
    def judgement(self) -> Judgement:
        """Whether its pass is strict."""
        if self.code is None or self.verdict is None:
            return Judgement(False, NO_CODE)
        judgement = judge(self.code, self.verdict, program=self.program)
        if judgement.strict and notice_nothing(self.mutants):
            return Judgement(False, INSENSITIVE)
        return judgement

    @property
    def ungraded(self) -> bool:
        """Whether the sandbox failed, so that nothing can be said of the program."""
        return self.verdict is not None and self.verdict.outcome is Outcome.HOST_ERROR

    @property
    def gold_ungraded(self) -> bool:
        """Whether the sandbox failed at the gold tests."""
        verdict = self.gold.verdict if self.gold is not None else None
        return verdict is not None and verdict.outcome is Outcome.HOST_ERROR


NO_CODE = "no closed ```rust block with code in the answer"
