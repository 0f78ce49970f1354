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
    gdpo_advantages,
    gdpo_part_advantages,
    group_advantages,
    leave_one_out_advantages,
    maxrl_advantages,
    part_advantages,
    shuffled_advantages,
    zero_std,
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
    assert zero_std(rewards).tolist() == [True, False, True, True]


def test_population_and_sample_deviations_differ_by_what_ddof_says() -> None:
    rewards = torch.arange(8.0)[None]
    sample, population = group_advantages(rewards), group_advantages(rewards, ddof=0)
    assert (population / sample)[0, 0].item() == pytest.approx(math.sqrt(8 / 7), rel=1e-4)  # 6.9 %
    assert torch.equal(ADVANTAGES["group_population"](rewards), population)
    ratio = batch_advantages(rewards, ddof=0) / batch_advantages(rewards)
    assert ratio[0, 0].item() == pytest.approx(math.sqrt(8 / 7), rel=1e-4)


@given(st.lists(reward, min_size=1, max_size=6))
def test_leaving_one_out_compares_with_the_mean_of_the_others(group: list[float]) -> None:
    advantages = leave_one_out_advantages(torch.tensor([group]))[0].tolist()
    for i, (value, advantage) in enumerate(zip(group, advantages, strict=True)):
        others = [other for j, other in enumerate(group) if j != i and not math.isnan(other)]
        expected = 0.0 if math.isnan(value) or not others else value - statistics.fmean(others)
        assert advantage == pytest.approx(expected, abs=TOLERANCE)
        assert advantage != pytest.approx(expected + 1e-3, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([1, 0, 0, 0, 0, 0, 0, 0], [7.0, *[-1.0] * 7]),  # 1 / (1/8) - 1
        ([1, 1, 1, 1, 1, 1, 0, 0], [*[1 / 3] * 6, -1.0, -1.0]),  # 1 / (6/8) - 1
        ([3.0, 1.0, 0.0, NAN], [1.25, -0.25, -1.0, 0.0]),  # mean 4/3 of the three that are known
        ([0, 0, 0, 0], [0.0] * 4),
        ([NAN, 0, 0, 0], [0.0] * 4),
        ([-3.0, 1.0, 0.0], [0.0] * 3),  # a mean below 0
        ([-1.0, 1.0], [0.0] * 2),  # a mean of 0
        ([-1.0, 3.0], [-2.0, 2.0]),  # a mean of 1
    ],
)
def test_maxrl_divides_by_the_mean_where_it_is_positive(group: list[float], expected: list[float]) -> None:
    advantages = maxrl_advantages(torch.tensor([group, [0.0] * len(group)], dtype=torch.float32))
    assert advantages[0].tolist() == pytest.approx(expected, abs=TOLERANCE)
    assert advantages[1].tolist() == [0.0] * len(group), "a group without a success beside it"
    assert torch.equal(ADVANTAGES["maxrl"](torch.tensor([group], dtype=torch.float32)), advantages[:1])


def test_maxrl_is_the_mean_score_of_the_successes_without_the_mean_of_all() -> None:
    scores = torch.tensor([2.0, -1.0, 5.0, 3.0, 0.5])  # the gradient of each completion's log-probability
    rewards = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0])
    expected = (2.0 + 5.0) / 2 - (2.0 - 1.0 + 5.0 + 3.0 + 0.5) / 5  # the paper's estimator: 3.5 - 1.9
    assert (maxrl_advantages(rewards[None])[0] * scores).mean().item() == pytest.approx(expected)


def loop_gdpo(groups: list[list[list[float]]], weights: list[float]) -> list[list[float]]:
    """Standardise each reward in its group, add with weights, standardise over the batch: by hand."""
    sums = []
    for group in groups:
        columns = [loop_group(list(column)) for column in zip(*group, strict=True)]
        sums.append([sum(w * z for w, z in zip(weights, zs, strict=True)) for zs in zip(*columns, strict=True)])
    judged = [[not all(map(math.isnan, completion)) for completion in group] for group in groups]
    known = [s for row, keep in zip(sums, judged, strict=True) for s, kept in zip(row, keep, strict=True) if kept]
    if len(known) < 2:
        return [[0.0] * len(row) for row in sums]
    mean, std = statistics.fmean(known), statistics.stdev(known)
    return [
        [(s - mean) / (std + STD_EPSILON) if kept else 0.0 for s, kept in zip(row, keep, strict=True)]
        for row, keep in zip(sums, judged, strict=True)
    ]


@given(st.lists(st.lists(st.lists(reward, min_size=2, max_size=2), min_size=3, max_size=3), min_size=1, max_size=4))
def test_gdpo_equals_a_loop_whatever_is_missing(rewards: list[list[list[float]]]) -> None:
    weights = [1.0, 0.5]
    advantages = gdpo_advantages(torch.tensor(rewards), torch.tensor(weights))
    assert torch.allclose(advantages, torch.tensor(loop_gdpo(rewards, weights)), atol=1e-4)


def test_gdpo_tells_apart_what_a_sum_cannot() -> None:
    rewards = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]])  # two kinds, one rarer than the other
    weights = torch.ones(2)
    summed = group_advantages(rewards.sum(dim=2))[0]
    separate = gdpo_advantages(rewards, weights)[0]
    assert summed[0] == summed[1] and separate[0] > separate[1] > separate[2]


def test_gdpo_gives_exactly_zero_to_what_cannot_be_compared() -> None:
    rewards = torch.rand(3, 4, 2)
    rewards[0] = 0.3  # all equal
    rewards[1, 1:] = NAN  # one alone
    rewards[2, 0] = NAN
    advantages = gdpo_advantages(rewards, torch.ones(2))
    assert not advantages[:2].any() and advantages[2, 0] == 0 and advantages[2, 1:].all()


def test_weights_that_are_not_one_per_kind_of_reward_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3, 4\] and weights \[3\]"):
        gdpo_advantages(torch.zeros(2, 3, 4), torch.ones(3))


@pytest.mark.parametrize("name", ADVANTAGES)
def test_each_part_is_compared_by_itself(name: str) -> None:
    rewards = torch.tensor([[[0.0, 2.0], [1.0, 2.0], [NAN, 5.0]], [[1.0, NAN], [4.0, NAN], [2.0, 3.0]]])
    found = part_advantages(rewards, ADVANTAGES[name])
    assert torch.equal(found[:, :, 0], ADVANTAGES[name](rewards[:, :, 0]))
    assert torch.equal(found[:, :, 1], ADVANTAGES[name](rewards[:, :, 1]))


def test_gdpo_standardises_the_rewards_of_each_part() -> None:
    rewards = torch.tensor([[[0.0, 2.0, 1.0], [1.0, 2.0, 0.0]], [[1.0, 4.0, 0.0], [1.0, 0.0, NAN]]])
    weights = torch.tensor([1.0, 2.0, 0.5])
    pays = torch.tensor([[True, False, True], [False, True, False], [False, False, False]])
    found = gdpo_part_advantages(rewards, weights, pays)
    assert torch.equal(found[:, :, 0], gdpo_advantages(rewards[:, :, [0, 2]], weights[[0, 2]]))
    assert torch.equal(found[:, :, 1], gdpo_advantages(rewards[:, :, [1]], weights[[1]]))
    assert not found[:, :, 2].any() and found[:, :, :2].any()


def test_rewards_that_are_not_by_part_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rewards are \[1, 2\]; give \[prompts, completions, parts\]"):
        part_advantages(torch.zeros(1, 2), group_advantages)
