"""A grader that reads text and nothing else: the share of lower-case letters in a completion.

It stands in for the sandbox where the algorithm is tested; it is deterministic, and a random model can learn from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grpo.rollout.prompts import encode_prompts
from grpo.rollout.records import Completion, Example, Spans


@dataclass(frozen=True)
class Grade:
    """Implements `grpo.rollout.records.Grade`."""

    rewards: Mapping[str, float | None]
    solved: bool | None = None
    checks: Mapping[str, float | None] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    spans: Spans = field(default_factory=dict)


def encoded(examples: Sequence[Example], encode: Callable[[Any], tuple[int, ...]]) -> list[Example]:
    """Examples with their prompts as token ids, however long."""
    return encode_prompts(examples, encode, max_tokens=10_000, long_prompts="error")


class LetterGrader:
    """Implements `grpo.rollout.records.Grader`; remembers the order in which completions arrived."""

    weights = {"letters": 2.0, "short": 1.0}
    parts: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.started: list[str] = []
        self.forgotten: list[str] = []
        self.tests: dict[str, str] = {}  # of testers, by id

    def start(self, example: Example, completion: Completion) -> Completion:
        self.started.append(completion.id)
        return completion

    def add_tests(self, example: Example, completion: Completion) -> None:
        self.tests[completion.id] = completion.text

    def forget(self, tickets: Sequence[Completion]) -> None:
        self.forgotten += [ticket.id for ticket in tickets]

    def finish(self, tickets: Sequence[Completion]) -> list[Grade]:
        return [self._grade(ticket) for ticket in tickets]

    def busy(self) -> float:
        return 0.0

    def _grade(self, completion: Completion) -> Grade:
        letters = sum("a" <= symbol <= "z" for symbol in completion.text) / max(1, len(completion.text))
        short = None if completion.terminated else 0.0  # does not apply to completions that ended
        checks = {"build": float(letters > 0.2), "test_strict": float(letters > 0.5), "gold": None}
        seconds, verdict = {"letters": 0.001}, {"outcome": "passed"}
        return Grade({"letters": letters, "short": short}, letters > 0.5, checks, seconds, verdict)
