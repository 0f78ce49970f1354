"""Conversations in a group: which completions belong together, which are compared, and what each of them earns.

    credit    a completion earns                      it is compared with
    final     what its conversation's last turn is    the conversations of its group, by their last turns: all turns of
              worth                                   a conversation have the advantage of the last
    each      what it is worth itself                 the same turn of the group's other conversations

Where every conversation has one turn both are GRPO as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from grpo.rollout.records import Completion, Group

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "compared",
    "conversations",
    "first_turns",
    "last_turns",
    "paying",
    "peer_groups",
    "peers_of",
    "spread",
    "turn_metrics",
]


def conversations(completions: Sequence[Completion]) -> list[list[int]]:
    """The places of a group's completions by conversation, turn after turn.

    Args:
        completions: Every turn after the one before it.
    """
    found: list[list[int]] = []
    known: dict[str, list[int]] = {}  # by the id of a completion: its conversation
    for place, completion in enumerate(completions):
        if completion.history is None:
            found.append([])
        own = found[-1] if completion.history is None else known[completion.history.completion_id]
        own.append(place)
        known[completion.id] = own
    return found


def first_turns(groups: Sequence[Group]) -> list[Group]:
    """The groups without the later turns of their conversations."""
    return [
        _part(group, [turns[0] for turns in conversations(group.completions)]) if group.peers else group
        for group in groups
    ]


def last_turns(completions: Sequence[Completion]) -> list[int]:
    """The place of each conversation's last turn."""
    return [turns[-1] for turns in conversations(completions)]


def paying(completions: Sequence[Completion], credit: str) -> list[int]:
    """For each completion the place of the one whose grade pays it."""
    payers = list(range(len(completions)))
    for turns in conversations(completions) if credit == "final" else ():
        for place in turns:
            payers[place] = turns[-1]
    return payers


def peers_of(completions: Sequence[Completion], credit: str) -> tuple[tuple[int, ...], ...]:
    """Which completions are compared with one another, as `Group.peers` has them; () without a second turn.

    >>> from grpo.rollout.records import History
    >>> first = [Completion(name, (1,), (0.0,), "", True, 0) for name in ("a", "b")]
    >>> later = Completion("b.2", (1,), (0.0,), "", True, 0, history=History("b", "It does not build.", (1,)))
    >>> peers_of([*first, later], "final"), peers_of([*first, later], "each")
    (((0, 2),), ((0, 1), (2,)))
    """
    if all(completion.history is None for completion in completions):
        return ()
    talks = conversations(completions)
    if credit == "final":
        return (tuple(turns[-1] for turns in talks),)
    return tuple(
        tuple(turns[number] for turns in talks if number < len(turns)) for number in range(max(map(len, talks)))
    )


def compared(group: Group) -> list[int]:
    """The places of the completions that advantages are computed from, in order."""
    return sorted(place for places in group.peers for place in places) or list(range(len(group.completions)))


def peer_groups(groups: Sequence[Group]) -> list[Group]:
    """Each set of completions that are compared with one another as a group of its own, in order."""
    return [part for group in groups for part in ([_part(group, places) for places in group.peers] or [group])]


def spread(groups: Sequence[Group], values: Tensor) -> Tensor:
    """Bring what was computed of `peer_groups` to every completion; one that was not compared has its last turn's.

    Args:
        groups: P groups, of at most R completions each.
        values: [C, G] or [C, G, K]: a row for each of `peer_groups(groups)`.
    Returns: [P, R] or [P, R, K], with 0 beyond a group's own completions.
    """
    if not any(group.peers for group in groups):
        return values
    found = values.new_zeros(len(groups), max(len(group.completions) for group in groups), *values.shape[2:])
    rows = iter(values)
    for row, group in enumerate(groups):
        sets = group.peers or (range(len(group.completions)),)
        own = {place: value for places in sets for place, value in zip(places, next(rows), strict=False)}
        for turns in conversations(group.completions):
            for place in turns:
                found[row, place] = own.get(place, own[turns[-1]])
    return found


def turn_metrics(groups: Sequence[Group], area: str, *, most: int) -> dict[str, float]:
    """How many turns conversations have, and the share that is solved after 1, 2, ... turns, where that is known.

    A conversation that ended earlier stays as it ended.

    Args:
        groups: Graded.
        area: Begins the metrics' names.
        most: Turns that conversations may have.
    """
    talks = [
        [group.grades[place].solved for place in turns]
        for group in groups
        for turns in conversations(group.completions)
    ]
    metrics = {f"{area}/turns_mean": sum(map(len, talks)) / len(talks)}
    for number in range(1, most + 1):
        known = [solved for talk in talks if (solved := talk[min(number, len(talk)) - 1]) is not None]
        if known:
            metrics[f"{area}/solved_turn_{number}"] = sum(known) / len(known)
    return metrics


def _part(group: Group, places: Sequence[int]) -> Group:
    """Some completions of a group, as a group."""
    return replace(
        group,
        completions=tuple(group.completions[place] for place in places),
        grades=tuple(group.grades[place] for place in places),
        rewards=tuple(group.rewards[place] for place in places),
        part_rewards={part: tuple(earned[place] for place in places) for part, earned in group.part_rewards.items()},
        token_parts=tuple(group.token_parts[place] for place in places) if group.token_parts else (),
        peers=(),
    )
