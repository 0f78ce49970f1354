"""The forms that reproduce TRL equal hand numbers of TRL's source, and loops."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.loss.aggregation import aggregation_weights
from trl_forms import (
    adapted_entropy_coefficient,
    mean_entropy,
    summed_rewards,
    top_entropy_mask,
    trl_weights,
    without_truncated,
)

NAN = math.nan
TOLERANCE = 1e-6  # fp32
SIZES = {"max_tokens": 8, "generation_tokens": 40, "accumulation_steps": 4, "steps_per_generation": 2}


@pytest.mark.parametrize(
    ("loss_type", "expected"),
    [
        ("grpo", [1 / 24, 1 / 40]),
        ("sapo", [1 / 24, 1 / 40]),
        ("bnpo", [1 / 32] * 2),
        ("dr_grpo", [1 / 64] * 2),
        ("luspo", [1 / 8] * 2),
        ("dapo", [1 / 80] * 2),
        ("cispo", [1 / 80] * 2),
        ("vespo", [1 / 80] * 2),
    ],
)
def test_hand_numbers_of_trls_divisors(loss_type: str, expected: list[float]) -> None:
    weights = trl_weights(torch.tensor([3, 5]), loss_type=loss_type, **SIZES)
    assert weights.tolist() == pytest.approx(expected, rel=TOLERANCE)


@given(st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=6), min_size=1, max_size=4))
def test_bnpo_is_a_mean_of_the_micro_batches_token_means(pieces: list[list[int]]) -> None:
    sizes = {**SIZES, "accumulation_steps": len(pieces)}
    weights = [trl_weights(torch.tensor(piece), loss_type="bnpo", **sizes) for piece in pieces]
    means = [aggregation_weights(torch.tensor(piece), aggregation="token", max_tokens=8) for piece in pieces]
    assert torch.allclose(torch.cat(weights), torch.cat(means) / len(pieces), rtol=TOLERANCE)
    by_hand = [float(length > 0) / (len(pieces) * max(sum(piece), 1)) for piece in pieces for length in piece]
    assert torch.cat(weights).tolist() == pytest.approx(by_hand, rel=TOLERANCE)


def test_summed_rewards_leave_out_what_does_not_apply() -> None:
    rewards = torch.tensor([[[1.0, 2.0], [1.0, NAN], [NAN, NAN]]])
    total = summed_rewards(rewards, torch.tensor([2.0, 10.0]))
    assert total[0, :2].tolist() == [22.0, 2.0] and total[0, 2].isnan()


def test_a_truncated_completion_is_not_trained_at_all() -> None:
    mask = torch.tensor([[True, True], [True, False], [True, True]])
    kept = without_truncated(mask, torch.tensor([True, False, False]))
    assert kept.tolist() == [[False, False], [True, False], [True, True]]


@given(st.lists(st.floats(0, 5, width=32), min_size=1, max_size=12), st.floats(0, 1))
def test_tokens_at_or_above_the_quantile_are_kept(entropy: list[float], fraction: float) -> None:
    values, mask = torch.tensor([[*entropy, NAN]]), torch.tensor([[True] * len(entropy) + [False]])
    kept = top_entropy_mask(values, mask, fraction=fraction)[0].tolist()
    threshold = torch.tensor(entropy).quantile(1 - fraction).item()
    assert kept == [value >= threshold for value in entropy] + [False]
    assert kept[entropy.index(max(entropy))], "the highest is always kept"


def test_the_entropy_metric_is_a_mean_over_trained_tokens() -> None:
    entropy = torch.tensor([[1.0, 2.0, NAN], [4.0, NAN, math.inf]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_entropy(entropy, mask).item() == pytest.approx(7 / 3)
    assert mean_entropy(entropy, torch.zeros_like(mask)).item() == 0.0
    assert not mean_entropy(entropy.clone().requires_grad_(), mask).requires_grad


def test_the_coefficient_rises_at_or_below_the_target_and_falls_above_it() -> None:
    def after(coefficient: float, entropy: float) -> float:
        return adapted_entropy_coefficient(coefficient, entropy, target=0.2, step=0.1, low=0.05, high=0.5)

    assert after(0.2, 0.1) == pytest.approx(0.3) == pytest.approx(after(0.2, 0.2))
    assert after(0.2, 0.21) == pytest.approx(0.1)
    assert after(0.45, 0.0) == 0.5 and after(0.1, 1.0) == 0.05
