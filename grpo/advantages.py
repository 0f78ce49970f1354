"""Advantages: how much better an answer is than the other answers to the same prompt.

Every function maps rewards [P, G] (P prompts, G answers each; NaN where an answer has no reward) to advantages of the
same shape. An answer without a reward, or the only one of its group with a reward, gets exactly 0: there is nothing
to compare it with. Rewards carry no gradient and neither do advantages.

Published code differs silently in the details, so each choice is an option with a name: the standard deviation is the
sample one (ddof 1), as in TRL; at G = 8 the population form would be 6.9 % smaller.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = [
    "ADVANTAGES",
    "STD_EPSILON",
    "batch_advantages",
    "centred_advantages",
    "group_advantages",
    "shuffled_advantages",
    "zero_spread",
]

STD_EPSILON = 1e-4  # TRL 1.16


def group_advantages(rewards: Tensor) -> Tensor:
    """Standardise each group by itself: `(R - mean(group)) / (std(group) + 1e-4)`.

    Args: rewards [P, G], float, NaN = no reward.
    Returns: advantages [P, G], float, zero mean over the scorable members of each group.
    Source: GRPO, DeepSeekMath (arXiv 2402.03300), section 4.1.2; sample std and epsilon from TRL 1.16.

    >>> group_advantages(torch.tensor([[0.0, 1.0]])).tolist()  # mean 0.5, sample std 0.7071
    [[-0.7070068120956421, 0.7070068120956421]]
    """
    return _zero_where_incomparable((rewards - _group_mean(rewards)) / (_group_std(rewards) + STD_EPSILON), rewards)


def batch_advantages(rewards: Tensor) -> Tensor:
    """Centre on the group's mean, scale by the spread of the whole batch: `(R - mean(group)) / (std(batch) + 1e-4)`.

    Args: rewards [P, G], float, NaN = no reward.
    Returns: advantages [P, G]; groups with little spread keep small advantages.
    Source: TRL 1.16, `scale_rewards="batch"` (after arXiv 2508.08221).

    >>> batch_advantages(torch.tensor([[0.0, 0.0], [0.0, 1.0]])).round(decimals=4).tolist()  # std of the batch: 0.5
    [[0.0, 0.0], [-0.9998000264167786, 0.9998000264167786]]
    """
    scorable = rewards[~rewards.isnan()]
    spread = scorable.std() if scorable.numel() > 1 else rewards.new_zeros(())
    return _zero_where_incomparable((rewards - _group_mean(rewards)) / (spread + STD_EPSILON), rewards)


def centred_advantages(rewards: Tensor) -> Tensor:
    """Centre only: `R - mean(group)`, so that hard and easy prompts are not scaled up.

    Args: rewards [P, G], float, NaN = no reward.
    Returns: advantages [P, G] in units of the reward.
    Source: Dr. GRPO (arXiv 2503.20783), section 3.2.

    >>> centred_advantages(torch.tensor([[0.0, 1.0, float("nan")]])).tolist()
    [[-0.5, 0.5, 0.0]]
    """
    return _zero_where_incomparable(rewards - _group_mean(rewards), rewards)


def shuffled_advantages(rewards: Tensor) -> Tensor:
    """The group advantages, dealt out anew over the whole batch: a control that must not learn anything.

    The permutation is drawn once for a batch's size and always the same; the answers are new each time, so what an
    answer is dealt says nothing of it. Size, sum and spread of the update's weights are those of `group_advantages`.

    Args: rewards [P, G], float, NaN = no reward.
    Returns: advantages [P, G].

    >>> rewards = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    >>> sorted(shuffled_advantages(rewards).flatten().tolist()) == sorted(group_advantages(rewards).flatten().tolist())
    True
    """
    dealt = torch.randperm(rewards.numel(), generator=torch.Generator().manual_seed(0)).to(rewards.device)
    return group_advantages(rewards).flatten()[dealt].reshape(rewards.shape)


def zero_spread(rewards: Tensor) -> Tensor:
    """Which groups teach nothing: fewer than two rewards, or all of them equal.

    Args: rewards [P, G], float, NaN = no reward.
    Returns: bool [P].

    >>> zero_spread(torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, float("nan")]])).tolist()
    [True, False, True]
    """
    lowest = rewards.nan_to_num(nan=torch.inf).amin(dim=1)
    highest = rewards.nan_to_num(nan=-torch.inf).amax(dim=1)
    return lowest >= highest


ADVANTAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "group": group_advantages,
    "batch": batch_advantages,
    "none": centred_advantages,
    "shuffled": shuffled_advantages,
}


def _group_mean(rewards: Tensor) -> Tensor:
    """Mean over the scorable members, [P, 1]."""
    return rewards.nanmean(dim=1, keepdim=True)


def _group_std(rewards: Tensor) -> Tensor:
    """Sample standard deviation over the scorable members, [P, 1]; 0 where there are fewer than two."""
    squares = (rewards - _group_mean(rewards)).square().nansum(dim=1, keepdim=True)
    num_scorable = (~rewards.isnan()).sum(dim=1, keepdim=True)
    return (squares / (num_scorable - 1).clamp(min=1)).sqrt()


def _zero_where_incomparable(advantages: Tensor, rewards: Tensor) -> Tensor:
    """0 for answers without a reward and for whole groups with zero spread (rounding would leave a residue there)."""
    incomparable = rewards.isnan() | zero_spread(rewards)[:, None]
    return advantages.masked_fill(incomparable, 0.0)
