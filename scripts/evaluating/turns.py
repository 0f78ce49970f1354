"""Conversations against independent completions of as many tokens, from an evaluation with `rollout.turns`.

After t turns a conversation has sampled as many tokens as m first completions have on average. The other way to spend
them is to sample m completions of the prompt: pass@m of the same evaluation's first completions, on the straight line
between whole numbers. It counts a prompt as solved where any of the m solves it, so somebody has to know which; a
conversation is taken at its last turn. What the engine reads again in every turn is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from grpo.evaluate import pass_at_k
from grpo.rollout.records import Group
from grpo.rollout.turns.conversations import conversations, first_turns

__all__ = ["TurnFigures", "turn_figures", "turn_records", "turn_table"]


@dataclass(frozen=True)
class TurnFigures:
    """An evaluation's conversations, cut after so many turns."""

    turns: int
    solved: float  # share of the conversations of which it is known
    tokens: float  # sampled, of a conversation, mean
    samples: float  # first completions with as many tokens
    pass_at_samples: float | None  # None where the evaluation has fewer of a prompt


def turn_figures(groups: Sequence[Group], *, most: int) -> list[TurnFigures]:
    """The figures after 1, 2, ... turns.

    Args:
        groups: Graded conversations.
        most: Turns that they may have.
    Returns: Nothing where no conversation's outcome is known.
    """
    talks = [(group, places) for group in groups for places in conversations(group.completions)]
    lengths = [[group.completions[place].num_tokens for place in places] for group, places in talks]
    first = sum(tokens[0] for tokens in lengths) / len(lengths)
    found = []
    for turns in range(1, most + 1):
        ends = [group.grades[places[min(turns, len(places)) - 1]].solved for group, places in talks]
        known = [solved for solved in ends if solved is not None]
        if not known or not first:
            continue
        tokens = sum(sum(spent[:turns]) for spent in lengths) / len(lengths)
        rate = pass_between(groups, tokens / first)
        found.append(TurnFigures(turns, sum(known) / len(known), tokens, tokens / first, rate))
    return found


def pass_between(groups: Sequence[Group], samples: float) -> float | None:
    """pass@k of first completions for a number of them that need not be whole; None where a prompt has too few."""
    solved = [[grade.solved for grade in group.grades if grade.solved is not None] for group in first_turns(groups)]
    solved = [known for known in solved if known]
    low, high = math.floor(samples), math.ceil(samples)
    if not solved or high > min(map(len, solved)):
        return None
    at_low, at_high = (sum(pass_at_k(len(one), sum(one), k) for one in solved) / len(solved) for k in (low, high))
    return at_low + (samples - low) * (at_high - at_low)


def turn_records(figures: Sequence[TurnFigures]) -> list[dict[str, Any]]:
    """Figures as plain JSON values."""
    return [asdict(one) for one in figures]


def turn_table(figures: Sequence[TurnFigures]) -> str:
    """Figures as lines for a terminal."""
    rows = ["  turns   solved    tokens   or so many completions   of which one solves"]
    for one in figures:
        rate = "too few samples" if one.pass_at_samples is None else f"{one.pass_at_samples:.3f}"
        rows.append(f"  {one.turns:5}   {one.solved:6.3f}   {one.tokens:7.1f}   {one.samples:22.2f}   {rate:>19}")
    return "\n".join(rows)
