"""The records that cross folders: prompts, completions, grades and groups.

`grpo` knows text, tokens and these records, and nothing of Rust: that is behind the `Grader` protocol.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

__all__ = [
    "PLAIN_TASK",
    "UNPAID",
    "RolloutBatch",
    "Completion",
    "Example",
    "Grade",
    "Grader",
    "Graders",
    "Group",
    "History",
    "Spans",
    "Versions",
]

Versions = tuple[tuple[int, int], ...]  # number of weight updates -> how many tokens in a row those weights sampled
Spans = Mapping[str, Sequence[tuple[int, int]]]  # by part: where it stands in the text, [first, last + 1) characters
TASK = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # a word; translated data has whole sentences in a column of that name
PLAIN_TASK = "function"  # the task of rows without one
UNPAID = ""  # stands for every part that no reward pays


@dataclass(frozen=True)
class Example:
    """One prompt of the data.

    `messages` are chat messages (`{"role", "content"}`), `columns` the other columns of the row, for the rewards.
    `prompt_ids` are the messages as tokens, empty until `grpo.rollout.prompts.encode_prompts`. `tester_ids` are those
    of a prompt for tests alone: the messages, and `tester_start`, with which its answers begin; empty where there is
    none. `infill` is what stands before and after the completion where the prompt is that, in the model's own tokens
    for filling in the middle; the messages then say it to people.
    """

    id: str
    messages: tuple[Mapping[str, str], ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    prompt_ids: tuple[int, ...] = ()
    tester_start: str = ""
    tester_ids: tuple[int, ...] = ()
    infill: tuple[str, str] | None = None

    @property
    def task(self) -> str:
        """The word in the column `task`, which says what kind of work is asked for; "" where the row has none.

        >>> Example("1", (), {"task": "repair"}).task, Example("2", (), {"task": "Write a function."}).task
        ('repair', '')
        """
        found = self.columns.get("task")
        return found if isinstance(found, str) and TASK.fullmatch(found) else ""


@dataclass(frozen=True)
class History:
    """What stands between a prompt and a later turn of its conversation."""

    completion_id: str  # of the turn before
    message: str  # what the user said of that
    token_ids: tuple[int, ...]  # all turns before, as they were sampled, each with the user's message after it


@dataclass(frozen=True)
class Completion:
    """One sampled completion: all of a conversation, or one of its turns.

    `token_ids` ends with the sampled end-of-turn token when `terminated`; that token is trained like any other.
    `sampler_logprobs` are the engine's, one natural log per token, at the sampling temperature, under the weights that
    sampled the token.
    """

    id: str
    token_ids: tuple[int, ...]
    sampler_logprobs: tuple[float, ...]
    text: str
    terminated: bool  # False: truncated, it ran out of tokens
    policy_version: int  # number of weight updates before it was sampled
    reported_tokens: int = 0  # for a text that came without its tokens: how many its author says it has
    history: History | None = None  # None: it is the first of its conversation
    versions: Versions = ()  # where weights may change while it is sampled; `policy_version` is the first of them then

    @property
    def context(self) -> tuple[int, ...]:
        """The tokens between the example's prompt and this completion; none of them is trained with it."""
        return () if self.history is None else self.history.token_ids

    @property
    def num_tokens(self) -> int:
        """Its length in tokens."""
        return len(self.token_ids) or self.reported_tokens


class Grade(Protocol):
    """What a grader says of one completion; every grader brings a class of its own."""

    @property
    def rewards(self) -> Mapping[str, float | None]:
        """Per reward function its score, or None where it does not apply (never trained on, never counted as 0)."""

    @property
    def checks(self) -> Mapping[str, float | None]:
        """Named facts to average over completions (pass rates as 0.0 or 1.0, counts); None where unknown."""

    @property
    def solved(self) -> bool | None:
        """Whether the completion solves its prompt; None where that is unknown."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Per reward function the time it took."""

    @property
    def verdict(self) -> Mapping[str, Any]:
        """Everything else worth keeping, as plain JSON values."""

    @property
    def spans(self) -> Spans:
        """Where the parts of the completion stand in its text; parts do not overlap. Empty: no parts are known."""


class Grader(Protocol):
    """Scores completions in the background.

    `start` returns a ticket at once, while other completions are still being sampled. `finish` waits for the grades of
    a batch of tickets, up to the grader's own deadline, and returns one grade per ticket in the same order.
    """

    @property
    def weights(self) -> Mapping[str, float]:
        """Each reward function's weight in the sum."""

    @property
    def parts(self) -> Mapping[str, str]:
        """The part of the completion that a reward function pays; one that is not listed pays all tokens."""

    def start(self, example: Example, completion: Completion) -> Any: ...

    def add_tests(self, example: Example, completion: Completion) -> None:
        """Take tests for a prompt that were written without any code for it; they are not graded themselves."""

    def forget(self, tickets: Sequence[Any]) -> None:
        """Tickets that nobody will finish: the engine died, and their batch is sampled again, with the same ids."""

    def finish(self, tickets: Sequence[Any]) -> Sequence[Grade]: ...

    def busy(self) -> float:
        """Seconds it has been grading since the start, the mean over its workers."""


class Graders(NamedTuple):
    """Who scores the training's completions, and who the evaluation's."""

    training: Grader
    evaluation: Grader


@dataclass(frozen=True)
class Group:
    """The graded completions of one prompt. `rewards[i]` is what `completions[i]` earns, None if unscored.

    That is the weighted sum of its own grade's rewards, or of those of its conversation's last turn, as
    `grpo.rollout.turns.conversations` says.
    """

    example: Example
    completions: tuple[Completion, ...]
    grades: tuple[Grade, ...]
    rewards: tuple[float | None, ...]
    part_rewards: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """What tokens of a part earn, like `rewards`: by part and `UNPAID`. Empty where every reward pays all tokens."""
    token_parts: tuple[tuple[int, ...], ...] = ()
    """The part of each token of each completion, an index into `part_rewards`, or -1; empty where that is."""
    peers: tuple[tuple[int, ...], ...] = ()
    """The places of the completions that are compared with one another, set by set; empty: all with all."""


@dataclass(frozen=True)
class RolloutBatch:
    """The groups that one step learns from, and the metrics of collecting them."""

    groups: tuple[Group, ...]
    metrics: Mapping[str, float]
    failures: Mapping[str, int] = field(default_factory=dict)  # completions that the host failed to grade, by reason
    num_graded: int = 0  # completions that were to be graded for it, also in groups that were replaced
