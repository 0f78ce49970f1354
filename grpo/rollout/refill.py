"""Groups that teach nothing: telling them apart, and replacing them by groups of fresh prompts.

A zero_std group has fewer than two rewards, or equal ones, for each of its tokens: its advantages are zero. Replacing
such groups until the batch is full is DAPO's dynamic sampling (arXiv 2503.14476, section 3.2); here the number of
rounds is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from grpo.rollout.records import Group
from grpo.rollout.sums import zero_std_groups
from grpo.rollout.turns.conversations import last_turns

__all__ = ["refill", "solved_share", "split_by_std"]

REASONS = ("solved", "unsolved", "equal", "unscored")


def split_by_std(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """The groups that have something to teach, and the zero_std groups."""
    flags = zero_std_groups(groups).tolist()
    kept = [group for group, is_zero in zip(groups, flags, strict=True) if not is_zero]
    return kept, [group for group, is_zero in zip(groups, flags, strict=True) if is_zero]


def solved_share(group: Group) -> float:
    """The share of a group that solves the prompt in its last turn, of those where that is known; 0 where of none."""
    known = [solved for solved in _outcomes(group) if solved is not None]
    return sum(known) / len(known) if known else 0.0


def refill(
    groups: Sequence[Group], fresh_groups: Callable[[int, int], Sequence[Group]], *, num_groups: int, rounds: int
) -> tuple[list[Group], dict[str, float]]:
    """Replace zero_std groups by groups of fresh prompts.

    Args:
        groups: The graded groups of a batch.
        fresh_groups: Samples and grades groups of fresh prompts: (number of groups, number of the round) -> groups.
        num_groups: How many groups with something to teach are wanted.
        rounds: The most rounds of fresh prompts.
    Returns: The groups to train on, and the `groups/` metrics of the replacement. There are fewer groups than wanted
        when the rounds were not enough, and the last zero_std groups when nothing else was found: a step that learns
        nothing is still a step.
    """
    dropped: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
    kept, zero_groups = split_by_std(groups)
    done = 0
    for round_number in range(1, rounds + 1):
        dropped.update(map(_zero_std_reason, zero_groups))
        missing = num_groups - len(kept)
        if not missing:
            break
        more, zero_groups = split_by_std(fresh_groups(missing, round_number))
        kept += more
        done = round_number
    else:
        dropped.update(map(_zero_std_reason, zero_groups))
    metrics = {f"groups/dropped_{reason}": float(count) for reason, count in dropped.items()}
    return kept or zero_groups, {**metrics, "groups/rounds": float(done)}


def _zero_std_reason(group: Group) -> str:
    """Every completion solves the prompt, none does, all are paid alike for another reason, or too few are scored."""
    if sum(reward is not None for reward in group.rewards) < 2:
        return "unscored"
    solved = set(_outcomes(group))
    return "solved" if solved == {True} else "unsolved" if solved == {False} else "equal"


def _outcomes(group: Group) -> list[bool | None]:
    """Whether each conversation of a group solves the prompt in its last turn."""
    grades = [group.grades[place] for place in last_turns(group.completions)] if group.peers else group.grades
    return [grade.solved for grade in grades]
