"""Rewards for both sides: the published ones, ours for TRL, and one that costs nothing. No completion comes twice.

A model that repeats itself would be paid from a cache; so every completion's code gets a comment of its own before it is
graded, on all sides.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from bench.naive_grading import NaiveGrading
from grpo.rollout.records import Completion, Example, Grader
from rewards.rust.parse import extract_code
from sandbox import find_toolchain
from sandbox.isolation.policy import isolate
from sandbox.isolation.process import become_reaper
from sandbox.limits import Limits

__all__ = ["PHASES", "Trivial", "Unique", "published_rewards", "trivial_reward", "unique"]

PHASES = {"build": 1.0, "clippy": 1.0, "test": 2.0}  # and the published weights
_numbers = count()


def unique(text: str) -> str:
    """A completion that was never seen before and means the same."""
    code = extract_code(text)
    return text if code is None else text.replace(code, f"{code}\n// {next(_numbers)}\n", 1)


def trivial_reward(text: str) -> float:
    """A reward that costs nothing and differs within groups: the share of lower-case letters."""
    return sum("a" <= letter <= "z" for letter in text) / max(1, len(text))


def published_rewards() -> list[Callable[..., list[float]]]:
    """Three functions as the published recipe has them: each makes a fresh project per completion and runs one command."""
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

    return [function(phase) for phase in PHASES]


@dataclasses.dataclass(frozen=True)
class Unique:
    """A grader whose completions are made unique first."""

    grader: Grader

    @property
    def weights(self) -> Mapping[str, float]:
        return self.grader.weights

    def start(self, example: Example, completion: Completion) -> Any:
        return self.grader.start(example, dataclasses.replace(completion, text=unique(completion.text)))

    def finish(self, tickets: Sequence[Any]) -> Any:
        return self.grader.finish(tickets)

    def busy(self) -> float:
        return self.grader.busy()


@dataclasses.dataclass(frozen=True)
class TrivialGrade:
    """Implements `grpo.rollout.records.Grade`."""

    rewards: Mapping[str, float | None]
    checks: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    verdict: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Trivial:
    """Implements `grpo.rollout.records.Grader` with `trivial_reward`."""

    weights: Mapping[str, float] = {"trivial": 1.0}

    def start(self, example: Example, completion: Completion) -> Any:
        return completion.text

    def finish(self, tickets: Sequence[Any]) -> list[TrivialGrade]:
        return [TrivialGrade({"trivial": trivial_reward(text)}) for text in tickets]

    def busy(self) -> float:
        return 0.0
