"""The bonus is the mean entropy times a coefficient; the floor is the quantile of a fraction of the tokens."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.loss.aggregation import aggregation_weights
from grpo.loss.entropy import entropy_bonus, entropy_floor

ENTROPY = torch.tensor([[1.0, 2.0, math.nan], [4.0, math.nan, math.inf]])
MASK = torch.tensor([[True, True, False], [True, False, False]])


def test_the_bonus_with_token_weights_is_minus_the_mean_entropy() -> None:
    leaf = ENTROPY.clone().requires_grad_()
    weights = aggregation_weights(MASK.sum(dim=1), aggregation="token", max_tokens=3)
    loss = (entropy_bonus(leaf, MASK, coefficient=0.1) * weights[:, None]).sum()
    loss.backward()
    assert loss.item() == pytest.approx(-0.1 * 7 / 3)
    assert leaf.grad.flatten().tolist() == pytest.approx([-0.1 / 3, -0.1 / 3, 0, -0.1 / 3, 0, 0])


@given(st.lists(st.floats(0, 5, width=32), min_size=1, max_size=12), st.floats(0, 1))
def test_tokens_at_or_above_the_floor_are_at_least_the_fraction(entropy: list[float], fraction: float) -> None:
    floor = entropy_floor(torch.tensor(entropy), fraction=fraction).item()
    assert floor == torch.tensor(entropy).quantile(1 - fraction).item()
    kept = sum(value >= floor for value in entropy)
    assert kept >= math.floor(fraction * len(entropy)), "ties keep more"
    assert max(entropy) >= floor, "the highest is always kept"


def test_all_or_only_the_highest() -> None:
    entropy = torch.tensor([0.3, 0.1, 0.2])
    assert (entropy >= entropy_floor(entropy, fraction=1.0)).tolist() == [True, True, True]
    assert (entropy >= entropy_floor(entropy, fraction=0.0)).tolist() == [True, False, False]
    assert entropy_floor(entropy[:0], fraction=0.5).item() == -math.inf
    with pytest.raises(ValueError, match="from 0 to 1"):
        entropy_floor(entropy, fraction=1.5)
