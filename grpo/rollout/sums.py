"""Sums of rewards: of a completion, and of each part of it where some rewards pay one part alone.

A part is what the grader calls so: a range of the completion's text. With R_all the sum of the rewards that pay all
tokens and R_k the sum of those that pay part k,

    tokens of part k            earn R_all + R_k
    tokens of an unpaid part    earn R_all
    tokens of no part           earn R_all + the sum of every R_k, the reward of the completion

A reward of None does not apply and is left out of every sum; a sum of nothing is None too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grpo.advantages import zero_std
from grpo.rollout.records import UNPAID, Grade, Grader, Group
from grpo.rollout.turns.conversations import peer_groups

__all__ = [
    "paid_parts",
    "part_matrix",
    "part_sums",
    "reward_matrix",
    "single_rewards",
    "weighted_sum",
    "zero_std_groups",
]


def weighted_sum(rewards: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """`sum(weight * reward)` over the functions that apply; None where none does."""
    scored = [weights[name] * reward for name, reward in rewards.items() if reward is not None]
    return sum(scored) if scored else None


def paid_parts(grader: Grader) -> tuple[str, ...]:
    """The parts that tokens are told apart by, `UNPAID` last; empty where every paid reward pays all tokens."""
    paid = {part for name, part in grader.parts.items() if grader.weights.get(name)}
    return (*sorted(paid), UNPAID) if paid else ()


def part_sums(grades: Sequence[Grade], grader: Grader) -> dict[str, tuple[float | None, ...]]:
    """What tokens of each part earn, one number for each grade.

    Args:
        grades: Of the completions of a group.
        grader: Whose `weights` and `parts` count.
    Returns: For each of `paid_parts` the sum of the rewards that pay all tokens or that part.
    """

    def sum_of(grade: Grade, part: str) -> float | None:
        paying = {name: score for name, score in grade.rewards.items() if grader.parts.get(name, part) == part}
        return weighted_sum(paying, grader.weights)

    return {part: tuple(sum_of(grade, part) for grade in grades) for part in paid_parts(grader)}


def reward_matrix(groups: Sequence[Group]) -> Tensor:
    """The rewards of groups as fp32 [P, G], NaN where a completion has none, and beyond the end of a smaller group."""
    return _padded([[_nan(reward) for reward in group.rewards] for group in groups])


def part_matrix(groups: Sequence[Group]) -> Tensor | None:
    """What tokens of each part earn as fp32 [P, G, K], or None where every reward pays all tokens.

    NaN where no reward of the part applies, where the completion has no reward at all, and beyond the end of a smaller
    group.
    """
    if not groups or not groups[0].part_rewards:
        return None
    columns = [
        _padded([[_nan(value) for value in group.part_rewards[part]] for group in groups])
        for part in groups[0].part_rewards
    ]
    unscored = reward_matrix(groups).isnan()
    return torch.stack(columns, dim=2).masked_fill(unscored[:, :, None], torch.nan)


def single_rewards(groups: Sequence[Group], names: Sequence[str]) -> Tensor:
    """Each named reward of groups as fp32 [P, G, N].

    NaN where the reward does not apply, where the completion has no reward at all, and beyond a smaller group's end.
    """

    def scores(name: str) -> list[list[float]]:
        return [
            [
                _nan(None if total is None else grade.rewards.get(name))
                for grade, total in zip(group.grades, group.rewards, strict=True)
            ]
            for group in groups
        ]

    return torch.stack([_padded(scores(name)) for name in names], dim=2)


def zero_std_groups(groups: Sequence[Group]) -> Tensor:
    """Which groups teach nothing: the sums that are compared are equal, and those of each part that one of them has.

    Returns: bool [P].
    """
    peers = peer_groups(groups)
    owners = [row for row, group in enumerate(groups) for _ in group.peers or (None,)]  # of each of the C peer groups
    flags = zero_std(reward_matrix(peers))
    earned = part_matrix(peers)
    if earned is not None:
        occurs = torch.tensor([_occurring(groups[row]) for row in owners])  # [C, K]
        equal = torch.stack([zero_std(column) for column in earned.unbind(dim=2)], dim=1)  # [C, K]
        flags = flags & (equal | ~occurs).all(dim=1)
    found = torch.ones(len(groups), dtype=torch.bool)
    found[[row for row, flag in zip(owners, flags.tolist(), strict=True) if not flag]] = False
    return found


def _occurring(group: Group) -> list[bool]:
    """For each part whether a completion of the group has it."""
    found = {part if part in group.part_rewards else UNPAID for grade in group.grades for part in grade.spans}
    return [part in found for part in group.part_rewards]


def _padded(rows: Sequence[Sequence[float]]) -> Tensor:
    """Rows as fp32 [rows, longest], NaN beyond the end of a shorter one."""
    width = max(map(len, rows), default=0)
    return torch.tensor([[*row, *[torch.nan] * (width - len(row))] for row in rows], dtype=torch.float32)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value
