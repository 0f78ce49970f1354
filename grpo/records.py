"""The records that cross folders: what a prompt, an answer, a grade and a group are.

`grpo` knows text, tokens and these records. It does not know Rust: the grader behind the `Grader` protocol does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Completion", "Example", "Grade", "Grader", "Group"]


@dataclass(frozen=True)
class Example:
    """One prompt as chat messages (`{"role", "content"}`), and the other columns of its row for the rewards."""

    id: str
    messages: tuple[Mapping[str, str], ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """One sampled answer.

    `token_ids` ends with the sampled end-of-turn token when `terminated`; that token is trained like any other.
    `sampler_logprobs` has one natural-log probability per token, at the sampling temperature, as the engine saw it.
    """

    id: str
    token_ids: tuple[int, ...]
    sampler_logprobs: tuple[float, ...]
    text: str
    terminated: bool  # False: truncated, it ran out of tokens
    policy_version: int  # number of weight updates before it was sampled


@dataclass(frozen=True)
class Grade:
    """What the grader says of one completion.

    rewards: per reward function its score, or None where it does not apply (never trained on, never counted as 0).
    checks: named facts to average over completions (pass rates as 0.0 or 1.0, counts); None where unknown.
    seconds: per reward function the time it took.
    verdict: everything else worth keeping, as plain JSON values.
    """

    rewards: Mapping[str, float | None]
    checks: Mapping[str, float | None] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)


class Grader(Protocol):
    """Scores answers in the background.

    `start` returns a ticket at once, while other answers are still being written; `finish` waits for a batch of tickets,
    up to the grader's own deadline, and returns one grade a ticket in the same order. `weights` gives each reward
    function's weight in the sum.
    """

    weights: Mapping[str, float]

    def start(self, example: Example, completion: Completion) -> Any: ...

    def finish(self, tickets: Sequence[Any]) -> list[Grade]: ...


@dataclass(frozen=True)
class Group:
    """The answers to one prompt, graded. `rewards[i]` is the weighted sum for `completions[i]`, None if unscorable."""

    example: Example
    prompt_ids: tuple[int, ...]
    completions: tuple[Completion, ...]
    grades: tuple[Grade, ...]
    rewards: tuple[float | None, ...]
