"""Advantages equal a plain loop over each group, and what cannot be compared gets exactly 0."""

import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.advantages import (
    ADVANTAGES,
    STD_EPSILON,
    batch_advantages,
    centred_advantages,
    group_advantages,
    shuffled_advantages,
    zero_spread,
)

NAN = math.nan
TOLERANCE = 1e-5  # fp32, rewards up to 10


def loop_group(group: list[float]) -> list[float]:
    """The definition, by hand: (R - mean) / (sample std + 1e-4) over the members that have a reward."""
    known = [reward for reward in group if not math.isnan(reward)]
    if len(known) < 2 or len(set(known)) == 1:
        return [0.0] * len(group)
    mean, std = statistics.fmean(known), statistics.stdev(known)
    return [0.0 if math.isnan(reward) else (reward - mean) / (std + STD_EPSILON) for reward in group]


def test_hand_numbers_of_a_group_of_four() -> None:
    advantages = group_advantages(torch.tensor([[1.0, 2.0, 3.0, 6.0]]))
    std = math.sqrt((4 + 1 + 0 + 9) / 3)  # mean 3, ddof 1
    expected = torch.tensor([[-2.0, -1.0, 0.0, 3.0]]) / (std + 1e-4)
    assert torch.allclose(advantages, expected, atol=TOLERANCE)
    population = torch.tensor([[-2.0, -1.0, 0.0, 3.0]]) / (math.sqrt(14 / 4) + 1e-4)
    assert not torch.allclose(advantages, population, atol=TOLERANCE), "the tolerance must tell the two stds apart"


reward = st.one_of(st.just(NAN), st.integers(-40, 40).map(lambda quarter: quarter / 4))


@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(st.lists(reward, min_size=size, max_size=size), min_size=1, max_size=4)
    )
)
def test_group_advantages_equal_a_loop_whatever_is_missing(rewards: list[list[float]]) -> None:
    advantages = group_advantages(torch.tensor(rewards))
    expected = torch.tensor([loop_group(group) for group in rewards])
    assert torch.allclose(advantages, expected, atol=TOLERANCE)


def test_batch_advantages_divide_by_the_std_of_the_whole_batch() -> None:
    rewards = [[0.0, 2.0], [1.0, 5.0]]
    std = statistics.stdev([0.0, 2.0, 1.0, 5.0])
    expected = torch.tensor([[-1.0, 1.0], [-2.0, 2.0]]) / (std + STD_EPSILON)
    assert torch.allclose(batch_advantages(torch.tensor(rewards)), expected, atol=TOLERANCE)


def test_centred_advantages_keep_the_units_of_the_reward() -> None:
    assert centred_advantages(torch.tensor([[0.0, 3.0, NAN]])).tolist() == [[-1.5, 1.5, 0.0]]


@pytest.mark.parametrize("name", sorted({*ADVANTAGES} - {"shuffled"}))
@pytest.mark.parametrize(
    "group",
    [[NAN, NAN, NAN], [2.0, NAN, NAN], [0.1, 0.1, 0.1], [7.0, 7.0, NAN]],
    ids=["nobody scored", "alone", "all equal", "all equal but one missing"],
)
def test_what_cannot_be_compared_gets_exactly_zero(name: str, group: list[float]) -> None:
    rewards = torch.tensor([group, [0.0, 1.0, 2.0]])
    advantages = ADVANTAGES[name](rewards)
    assert advantages[0].tolist() == [0.0, 0.0, 0.0]
    assert advantages[1].isfinite().all() and advantages[1].abs().sum() > 0


def test_shuffled_advantages_keep_the_values_and_lose_who_earned_them() -> None:
    rewards = torch.rand(16, 8, generator=torch.Generator().manual_seed(1))
    earned, dealt = group_advantages(rewards).flatten(), shuffled_advantages(rewards).flatten()
    assert sorted(dealt.tolist()) == sorted(earned.tolist())
    assert abs(torch.corrcoef(torch.stack([earned, dealt]))[0, 1]) < 0.25, "of 128 values, 0.25 is 2.8 deviations"
    assert torch.equal(shuffled_advantages(rewards).flatten(), dealt), "a resumed run must be dealt the same"


def test_zero_spread_counts_missing_rewards_as_teaching_nothing() -> None:
    rewards = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, NAN], [NAN, NAN]])
    assert zero_spread(rewards).tolist() == [True, False, True, True]
