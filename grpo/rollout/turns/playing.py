"""Which conversations go on after a turn, and with which tokens.

A conversation ends when the user has nothing to say of its last completion, when it has had all its turns, or when
another one might not fit into the context. The tokens of a turn stay those that were sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from grpo.rollout.records import Completion, Grader, History

__all__ = ["FeedbackGrader", "NextTurns", "TurnRules", "next_turns"]


@runtime_checkable
class FeedbackGrader(Grader, Protocol):
    """A grader that can also say what a user would answer a completion with."""

    def feedback(self, tickets: Sequence[Any]) -> Sequence[str | None]:
        """Wait for what the tickets' completions are worth, up to the grader's own deadline.

        It may be called while `finish` waits for other tickets in another thread.

        Returns: For each ticket the user's next message; None where there is none: the completion is right, or nothing
            is known of it.
        """


@dataclass(frozen=True)
class TurnRules:
    """How long conversations are, who says what in them, and which turn is paid for what."""

    most: int  # completions of one conversation
    credit: str  # "final" or "each": see `grpo.rollout.turns.conversations`
    feedback: Callable[[Sequence[Any]], Sequence[str | None]]  # of `FeedbackGrader`
    encode: Callable[[str, bool], tuple[int, ...] | None]
    """(message, whether the completion before it terminated) -> the tokens between that and the next; None: no way."""
    max_tokens: int  # of a conversation, its prompt and its next completion included


@dataclass(frozen=True)
class NextTurns:
    """What a round of later turns is sampled from: for each conversation that goes on, its place and its history."""

    places: tuple[int, ...]
    histories: tuple[History, ...]
    num_crowded: int  # conversations that end because another turn might not fit


def next_turns(
    rules: TurnRules,
    prompts: Sequence[tuple[int, ...]],
    completions: Sequence[Completion],
    tickets: Sequence[Any],
    *,
    max_completion_tokens: int,
) -> NextTurns:
    """Ask what the user says of each conversation's last completion.

    Args:
        rules: Of the conversations.
        prompts: For each conversation its example's prompt, as tokens.
        completions: Its last completion.
        tickets: The grader's, of those completions.
        max_completion_tokens: Of the next completion.
    """
    places, histories, num_crowded = [], [], 0
    for place, message in enumerate(rules.feedback(tickets)):
        last = completions[place]
        said = None if message is None else rules.encode(message, last.terminated)
        if message is None or said is None:
            continue
        token_ids = last.context + last.token_ids + said
        if len(prompts[place]) + len(token_ids) + max_completion_tokens > rules.max_tokens:
            num_crowded += 1
            continue
        places.append(place)
        histories.append(History(last.id, message, token_ids))
    return NextTurns(tuple(places), tuple(histories), num_crowded)
