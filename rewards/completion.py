"""One completion of the model with the verdicts on it: the argument of every built-in reward.

Promises that a failure of the sandbox can be told from a program that failed. Left out: grading, and any score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from rewards.gold.result import GoldResult
from rewards.rust.parse import parse
from rewards.rust.program import Program
from rewards.strictness.judge import Judgement, judge
from rewards.tasks.function import FUNCTION
from rewards.tasks.task import Block, Extracted, Row, Task
from sandbox.answers.answers import Answers
from sandbox.verdict import Outcome, Verdict

__all__ = ["Gold", "GradedCompletion", "Part", "Score"]

Part = Literal["code", "tests"]  # of a completion's program


class Score(NamedTuple):
    """A reward's value and the reason for it."""

    value: float | None  # 0 to 1; None where the reward does not apply or the host failed
    reason: str


class Gold(NamedTuple):
    """The gold tests of a completion's code, in place of its own."""

    result: GoldResult | None  # None without code, and where gold tests cannot be added to it
    verdict: Verdict | Answers | None  # what the sandbox found; None where nothing was run
    is_hidden: bool = False  # whether the prompt does not show what they call, so that they may not apply


@dataclass(frozen=True)
class GradedCompletion:
    """A completion's text and the verdicts on it."""

    text: str
    verdict: Verdict | None = None  # on the completion's program; None without code
    gold: Gold | None = None  # None where the prompt has no gold tests or they were not run
    block: Block = "first"  # of its code blocks, the one that is its program
    task: Task = FUNCTION  # what was asked for
    row: Row = field(default_factory=dict)  # of the data, for tasks whose answers are read with it

    @cached_property
    def extracted(self) -> Extracted:
        """The program in the completion, or why there is none."""
        return self.task.extract(self.text, self.row, self.block)

    @property
    def code(self) -> str | None:
        """The program in the completion, as text; None without one."""
        return self.extracted.code

    @property
    def no_code(self) -> str:
        """Why there is no program in the completion; "" where there is."""
        return self.extracted.reason

    @cached_property
    def program(self) -> Program | None:
        """The structure of the completion's code; None without code."""
        return None if self.code is None else parse(self.code)

    @cached_property
    def judgement(self) -> Judgement:
        """Whether the completion passes its tests strictly, and why or why not."""
        if self.code is None or self.verdict is None:
            return Judgement(False, self.no_code or "not graded")
        return judge(self.code, self.verdict, program=self.program)

    @property
    def ungraded(self) -> bool:
        """Whether the sandbox failed, so that nothing is known about the program."""
        verdict, evidence = self.verdict, self.verdict and self.verdict.evidence
        return any(found is not None and found.outcome is Outcome.HOST_ERROR for found in (verdict, evidence))

    @property
    def gold_ungraded(self) -> bool:
        """Whether the sandbox failed at the gold tests."""
        verdict = self.gold.verdict if self.gold is not None else None
        return verdict is not None and verdict.outcome is Outcome.HOST_ERROR

    @property
    def host_failure(self) -> str | None:
        """Why the sandbox failed at the program, at its evidence or at its gold tests; None where it did not."""
        found = (self.verdict, self.verdict and self.verdict.evidence, self.gold and self.gold.verdict)
        return next((one.reason for one in found if one and one.outcome is Outcome.HOST_ERROR), None)
