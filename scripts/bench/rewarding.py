"""Rewards of both sides: the published ones, ours for TRL, and one that costs nothing.

No completion is graded twice: a model that repeats itself would get its rewards from a cache. So the code of every
completion gets a comment of its own before it is graded, on all sides.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from bench.naive_grading import NaiveGrading
from grpo.rollout.records import Completion, Example, Grader, Spans
from rewards import trl_functions
from rewards.rust.parse import extract_code
from sandbox.find_rust import find_toolchain
from sandbox.isolation.probe import isolate
from sandbox.isolation.process import become_reaper
from sandbox.limits import Limits

__all__ = [
    "WEIGHTS",
    "TrivialGrader",
    "UniqueCompletions",
    "published_rewards",
    "trl_rewards",
    "unique",
    "unique_batches",
]

WEIGHTS = {"build": 1.0, "clippy": 1.0, "test": 2.0}  # of the published recipe, by phase
_numbers = count()


def unique(text: str) -> str:
    """A completion of the same meaning that was never graded before."""
    code = extract_code(text)
    return text if code is None else text.replace(code, f"{code}\n// {next(_numbers)}\n", 1)


def trivial_score(text: str) -> float:
    """A score that costs nothing and differs within groups: the share of lower-case letters."""
    return sum("a" <= letter <= "z" for letter in text) / max(1, len(text))


def trl_rewards(kind: str) -> list[Callable[..., Any]]:
    """Reward functions for TRL.

    Args:
        kind: "published", "ours" or "trivial".
    """
    if kind == "published":
        return list(published_rewards())
    if kind == "trivial":
        return [_trivial_reward]
    return unique_batches([getattr(trl_functions, f"cargo_{phase}_reward_func") for phase in WEIGHTS])


def _trivial_reward(*, completions: Any, **_: Any) -> list[float]:
    return [trivial_score(completion[0]["content"]) for completion in completions]


def published_rewards() -> list[Callable[..., list[float]]]:
    """The functions of the published recipe: each makes a new project for every completion and runs one command."""
    become_reaper()
    isolation = isolate(find_toolchain(), "auto")

    def graded(phase: str, text: str) -> float:
        code = extract_code(text)
        if code is None:
            return 0.0
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            Path(directory).chmod(0o711)
            verdict = NaiveGrading(Path(directory), code, isolation, Limits()).verdict((phase,))
        return float(bool(getattr(verdict, phase)))

    def function(phase: str) -> Callable[..., list[float]]:
        def reward(completions: Sequence[Any], **_: Any) -> list[float]:
            return [graded(phase, completion[0]["content"]) for completion in completions]

        reward.__name__ = f"published_{phase}"
        return reward

    return [function(phase) for phase in WEIGHTS]


def unique_batches(functions: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The functions, given unique completions; a batch is made unique once, so that one verdict serves all of them."""
    last: dict[str, Any] = {"completions": None}

    def on_unique(function: Callable[..., Any]) -> Callable[..., Any]:
        def reward(*, completions: Any, **columns: Any) -> Any:
            if completions is not last["completions"]:
                fresh = [[{**c[0], "content": unique(c[0]["content"])}] for c in completions]
                last.update(completions=completions, unique=fresh)
            return function(completions=last["unique"], **columns)

        reward.__name__ = function.__name__
        return reward

    return [on_unique(function) for function in functions]


@dataclasses.dataclass(frozen=True)
class UniqueCompletions:
    """A grader that makes every completion unique first."""

    grader: Grader

    @property
    def weights(self) -> Mapping[str, float]:
        return self.grader.weights

    @property
    def parts(self) -> Mapping[str, str]:
        return {}  # the text that is graded is not the completion's

    def start(self, example: Example, completion: Completion) -> Any:
        return self.grader.start(example, dataclasses.replace(completion, text=unique(completion.text)))

    def add_tests(self, example: Example, completion: Completion) -> None:
        self.grader.add_tests(example, completion)

    def forget(self, tickets: Sequence[Any]) -> None:
        self.grader.forget(tickets)

    def finish(self, tickets: Sequence[Any]) -> Any:
        return self.grader.finish(tickets)

    def busy(self) -> float:
        return self.grader.busy()


@dataclasses.dataclass(frozen=True)
class TrivialGrade:
    """Implements `grpo.rollout.records.Grade`."""

    rewards: Mapping[str, float | None]
    solved: bool | None = None
    checks: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    verdict: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    spans: Spans = dataclasses.field(default_factory=dict)


class TrivialGrader:
    """Implements `grpo.rollout.records.Grader` with `trivial_score`."""

    weights: Mapping[str, float] = {"trivial": 1.0}
    parts: Mapping[str, str] = {}

    def start(self, example: Example, completion: Completion) -> Any:
        return completion.text

    def add_tests(self, example: Example, completion: Completion) -> None:
        """Nothing is compared."""

    def forget(self, tickets: Sequence[Any]) -> None:
        """Nothing is known."""

    def finish(self, tickets: Sequence[Any]) -> list[TrivialGrade]:
        return [TrivialGrade({"trivial": trivial_score(text)}) for text in tickets]

    def busy(self) -> float:
        return 0.0
