"""Advantages: how much better a completion is than the other completions to the same prompt.

Every function maps rewards [P, G] (P prompts, G completions each; NaN = no reward) to advantages of the same shape. A
completion without a reward, or the only one of its group with a reward, gets exactly 0: there is nothing to compare it
with. Rewards carry no gradient and neither do advantages.

Published code differs silently in the details, so each choice is an option with a name. The standard deviation is the
sample one (ddof 1), as in TRL; at G = 8 the population form (ddof 0) is 6.5 % smaller, and its advantages 6.9 % larger.

    name               centre                  divided by                source
    group              group mean              group std + 1e-4          GRPO; std and epsilon of TRL 1.16
    group_population   group mean              group std, ddof 0         numpy's default, in many ports
    batch              group mean              batch std + 1e-4          TRL 1.16 (after arXiv 2508.08221)
    none               group mean              1                         Dr. GRPO
    leave_one_out      mean of the others      1                         RLOO
    maxrl              group mean              group mean                MaxRL

Where a completion has several rewards, the caller sums them first, or `gdpo_advantages` standardises each on its own.
Where some rewards pay one part of a completion alone, each part is compared by itself: `part_advantages`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

__all__ = [
    "ADVANTAGES",
    "STD_EPSILON",
    "batch_advantages",
    "centred_advantages",
    "gdpo_advantages",
    "gdpo_part_advantages",
    "group_advantages",
    "leave_one_out_advantages",
    "maxrl_advantages",
    "part_advantages",
    "shuffled_advantages",
    "zero_std",
]

STD_EPSILON = 1e-4  # TRL 1.16


def group_advantages(rewards: Tensor, *, ddof: int = 1) -> Tensor:
    """Standardise each group by itself: `(R - mean(group)) / (std(group) + 1e-4)`.

    Args:
        rewards: [P, G] float, NaN = no reward.
        ddof: 1 for the sample standard deviation, 0 for the population's.
    Returns: advantages [P, G], float, zero mean over the scorable members of each group.
    Source: GRPO, DeepSeekMath (arXiv 2402.03300), section 4.1.2; sample std and epsilon from TRL 1.16.

    >>> group_advantages(torch.tensor([[0.0, 1.0]])).tolist()  # mean 0.5, sample std 0.7071
    [[-0.7070068120956421, 0.7070068120956421]]
    >>> group_advantages(torch.tensor([[0.0, 1.0]]), ddof=0).tolist()  # population std 0.5
    [[-0.9998000264167786, 0.9998000264167786]]
    """
    scale = _group_std(rewards, ddof) + STD_EPSILON
    return _zero_where_incomparable((rewards - _group_mean(rewards)) / scale, rewards)


def batch_advantages(rewards: Tensor, *, ddof: int = 1) -> Tensor:
    """Centre on the group's mean, scale by the spread of the whole batch: `(R - mean(group)) / (std(batch) + 1e-4)`.

    Args:
        rewards: [P, G] float, NaN = no reward.
        ddof: 1 for the sample standard deviation, 0 for the population's.
    Returns: advantages [P, G]; groups with little spread keep small advantages.
    Source: TRL 1.16, `scale_rewards="batch"` (after arXiv 2508.08221).

    >>> batch_advantages(torch.tensor([[0.0, 0.0], [0.0, 1.0]])).round(decimals=4).tolist()  # std of the batch: 0.5
    [[0.0, 0.0], [-0.9998000264167786, 0.9998000264167786]]
    """
    scale = _group_std(rewards.reshape(1, -1), ddof) + STD_EPSILON
    return _zero_where_incomparable((rewards - _group_mean(rewards)) / scale, rewards)


def centred_advantages(rewards: Tensor) -> Tensor:
    """Centre only: `R - mean(group)`. Without the division, groups with a small spread are not scaled up.

    Args:
        rewards: [P, G] float, NaN = no reward.
    Returns: advantages [P, G] in units of the reward.
    Source: Dr. GRPO (arXiv 2503.20783), section 3.2.

    >>> centred_advantages(torch.tensor([[0.0, 1.0, float("nan")]])).tolist()
    [[-0.5, 0.5, 0.0]]
    """
    return _zero_where_incomparable(rewards - _group_mean(rewards), rewards)


def leave_one_out_advantages(rewards: Tensor) -> Tensor:
    """Subtract the mean of the other completions: `R_i - mean of the other R_j`, an unbiased baseline.

    Equal to `(R - mean(group)) n / (n - 1)` with n scorable members.

    Args:
        rewards: [P, G] float, NaN = no reward.
    Returns: advantages [P, G] in units of the reward.
    Source: RLOO (arXiv 2402.14740); Kool et al., "Buy 4 REINFORCE Samples, Get a Baseline for Free!" (2019).

    >>> leave_one_out_advantages(torch.tensor([[0.0, 1.0, 5.0]])).tolist()  # 0 - 3, 1 - 2.5, 5 - 0.5
    [[-3.0, -1.5, 4.5]]
    """
    num_scorable = (~rewards.isnan()).sum(dim=1, keepdim=True)
    scale = num_scorable / (num_scorable - 1).clamp(min=1)
    return _zero_where_incomparable((rewards - _group_mean(rewards)) * scale, rewards)


def maxrl_advantages(rewards: Tensor) -> Tensor:
    """Divide by the mean instead of the spread: `(R - mean(group)) / mean(group)`; 0 where that mean is not positive.

    Of n completions, k of which earn 1 and the others 0, those that earn get `n / k - 1` and the others -1: the rarer a
    success, the more it weighs, and the gradient approaches that of `log(success rate)`. A group without a success gets
    zeros. There is no epsilon: with rewards of at least 0 an advantage is from -1 to n - 1. The derivation is for
    rewards that are 0 or 1. Rewards below 0 have no meaning here: a mean of at most 0 gives zeros, and a mean close to
    0 between rewards of both signs gives advantages without bound.

    Args:
        rewards: [P, G] float, at least 0, NaN = no reward.
    Returns: advantages [P, G], without a unit, zero mean over the scorable members of each group.
    Source: Maximum Likelihood Reinforcement Learning (arXiv 2602.02710), the estimator with a control variate.

    >>> maxrl_advantages(torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])).tolist()
    [[3.0, -1.0, -1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    mean = _group_mean(rewards)
    advantages = (rewards - mean) / torch.where(mean > 0, mean, torch.inf)
    return _zero_where_incomparable(advantages, rewards)


def gdpo_advantages(rewards: Tensor, weights: Tensor, *, ddof: int = 1) -> Tensor:
    """Standardise each reward in its group, add them with weights, standardise the sum over the batch (GDPO).

        z_k = (r_k - mean(group)) / (std(group) + 1e-4),  S = sum of weight_k z_k,  A = (S - mean(S)) / (std(S) + 1e-4)

    Two completions whose rewards have the same sum in different ways keep different advantages.

    Args:
        rewards: [P, G, K] float, NaN = this reward does not apply.
        weights: [K], one per reward.
        ddof: As in `group_advantages`.
    Returns: advantages [P, G]; 0 for a completion without any reward, or none that can be compared.
    Raises: ValueError where weights are not one per reward.
    Source: GDPO (arXiv 2601.05242); TRL 1.16, `multi_objective_aggregation="normalize_then_sum"`.

    >>> rewards = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])  # by two kinds, then by one
    >>> [[round(value, 2) for value in group] for group in gdpo_advantages(rewards, torch.ones(2)).tolist()]
    [[1.1, -1.1], [0.55, -0.55]]
    """
    if rewards.ndim != 3 or weights.shape != rewards.shape[2:]:
        raise ValueError(
            f"rewards are {list(rewards.shape)} and weights {list(weights.shape)}; give [prompts, completions, kinds] "
            "and [kinds]"
        )
    columns = rewards.unbind(dim=2)
    parts = [weight * group_advantages(column, ddof=ddof) for weight, column in zip(weights, columns, strict=True)]
    unscorable = rewards.isnan().all(dim=2)
    total = torch.stack(parts).sum(dim=0).masked_fill(unscorable, torch.nan).reshape(1, -1)  # [1, P * G]
    standardised = (total - _group_mean(total)) / (_group_std(total, ddof) + STD_EPSILON)
    spreads = torch.stack([~zero_std(column)[:, None] & ~column.isnan() for column in columns])
    return torch.where(spreads.any(dim=0), standardised.reshape(unscorable.shape), 0.0)


def part_advantages(rewards: Tensor, compare: Callable[[Tensor], Tensor]) -> Tensor:
    """Compare each part of the completions by what its tokens earn: `A_k = compare(R_all + R_k)`.

    R_all is the sum of the rewards that pay all tokens, R_k the sum of those that pay part k alone. So code is better
    or worse than other code to the same prompt, whatever tests it came with, and tests than other tests.

    Args:
        rewards: [P, G, K] float, R_all + R_k for each of K parts, NaN = no reward.
        compare: One of `ADVANTAGES`.
    Returns: advantages [P, G, K].
    Raises: ValueError for rewards of another shape.
    Source: none; each part is compared as GRPO compares whole completions.

    >>> rewards = torch.tensor([[[0.0, 3.0], [1.0, 3.0]]])  # the second code is better, the tests are alike
    >>> part_advantages(rewards, centred_advantages).tolist()
    [[[-0.5, 0.0], [0.5, 0.0]]]
    """
    if rewards.ndim != 3:
        raise ValueError(f"rewards are {list(rewards.shape)}; give [prompts, completions, parts]")
    return torch.stack([compare(column) for column in rewards.unbind(dim=2)], dim=2)


def gdpo_part_advantages(rewards: Tensor, weights: Tensor, pays: Tensor, *, ddof: int = 1) -> Tensor:
    """`gdpo_advantages` of each part of the completions, out of the rewards that pay its tokens.

    Args:
        rewards, weights, ddof: As in `gdpo_advantages`, for N rewards.
        pays: [K, N] bool, whether a reward pays the tokens of a part.
    Returns: advantages [P, G, K]; 0 for a part that nothing pays.

    >>> rewards = torch.tensor([[[1.0, 1.0], [0.0, 1.0]]])  # the first reward tells them apart, the second does not
    >>> pays = torch.tensor([[True, False], [False, True], [False, False]])
    >>> gdpo_part_advantages(rewards, torch.ones(2), pays).round(decimals=2).tolist()
    [[[0.7099999785423279, 0.0, 0.0], [-0.7099999785423279, 0.0, 0.0]]]
    """
    columns = [
        gdpo_advantages(rewards[:, :, paying], weights[paying], ddof=ddof) if paying.any() else rewards.new_zeros(shape)
        for shape, paying in ((rewards.shape[:2], row) for row in pays)
    ]
    return torch.stack(columns, dim=2)


def shuffled_advantages(rewards: Tensor) -> Tensor:
    """The group advantages, permuted over the whole batch: a control run that must not learn anything.

    The permutation depends on the size of the batch alone. The completions are new in each batch, so the advantage that
    a completion gets is independent of its reward, while the values are those of `group_advantages`.

    Args:
        rewards: [P, G] float, NaN = no reward.
    Returns: advantages [P, G].

    >>> rewards = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    >>> sorted(shuffled_advantages(rewards).flatten().tolist()) == sorted(group_advantages(rewards).flatten().tolist())
    True
    """
    order = torch.randperm(rewards.numel(), generator=torch.Generator().manual_seed(0)).to(rewards.device)
    return group_advantages(rewards).flatten()[order].reshape(rewards.shape)


def zero_std(rewards: Tensor) -> Tensor:
    """Which groups have no policy gradient: fewer than two rewards, or all of them equal.

    Args:
        rewards: [P, G] float, NaN = no reward.
    Returns: bool [P].

    >>> zero_std(torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, float("nan")]])).tolist()
    [True, False, True]
    """
    lowest = rewards.nan_to_num(nan=torch.inf).amin(dim=1)
    highest = rewards.nan_to_num(nan=-torch.inf).amax(dim=1)
    return lowest >= highest


ADVANTAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "group": group_advantages,
    "group_population": partial(group_advantages, ddof=0),
    "batch": batch_advantages,
    "none": centred_advantages,
    "leave_one_out": leave_one_out_advantages,
    "maxrl": maxrl_advantages,
    "shuffled": shuffled_advantages,
}


def _group_mean(rewards: Tensor) -> Tensor:
    """Mean over the scorable members, [P, 1]."""
    return rewards.nanmean(dim=1, keepdim=True)


def _group_std(rewards: Tensor, ddof: int) -> Tensor:
    """Standard deviation over the scorable members, [P, 1]; 0 where there are fewer than two."""
    squares = (rewards - _group_mean(rewards)).square().nansum(dim=1, keepdim=True)
    num_scorable = (~rewards.isnan()).sum(dim=1, keepdim=True)
    return (squares / (num_scorable - ddof).clamp(min=1)).sqrt()


def _zero_where_incomparable(advantages: Tensor, rewards: Tensor) -> Tensor:
    """0 for completions without a reward and in zero-std groups, where rounding would leave a residue."""
    incomparable = rewards.isnan() | zero_std(rewards)[:, None]
    return advantages.masked_fill(incomparable, 0.0)
