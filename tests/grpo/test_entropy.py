"""The bonus is the mean entropy times a coefficient, and the controller moves the coefficient towards the target."""

import math

import pytest
import torch

from grpo.loss.aggregation import aggregation_weights
from grpo.loss.entropy import adapted_entropy_coefficient, entropy_bonus, mean_entropy

ENTROPY = torch.tensor([[1.0, 2.0, math.nan], [4.0, math.nan, math.inf]])
MASK = torch.tensor([[True, True, False], [True, False, False]])


def test_the_metric_is_a_mean_over_trained_tokens() -> None:
    assert mean_entropy(ENTROPY, MASK).item() == pytest.approx(7 / 3)
    assert mean_entropy(ENTROPY, torch.zeros_like(MASK)).item() == 0.0
    assert not mean_entropy(ENTROPY.clone().requires_grad_(), MASK).requires_grad


def test_the_bonus_with_token_weights_is_minus_the_mean_entropy() -> None:
    leaf = ENTROPY.clone().requires_grad_()
    weights = aggregation_weights(MASK.sum(dim=1), aggregation="token", max_tokens=3)
    loss = (entropy_bonus(leaf, MASK, coefficient=0.1) * weights[:, None]).sum()
    loss.backward()
    assert loss.item() == pytest.approx(-0.1 * 7 / 3)
    assert leaf.grad.flatten().tolist() == pytest.approx([-0.1 / 3, -0.1 / 3, 0, -0.1 / 3, 0, 0])


def test_the_coefficient_rises_at_or_below_the_target_and_falls_above_it() -> None:
    def after(coefficient: float, entropy: float) -> float:
        return adapted_entropy_coefficient(coefficient, entropy, target=0.2, step=0.1, low=0.05, high=0.5)

    assert after(0.2, 0.1) == pytest.approx(0.3) == pytest.approx(after(0.2, 0.2))
    assert after(0.2, 0.21) == pytest.approx(0.1)
    assert after(0.45, 0.0) == 0.5 and after(0.1, 1.0) == 0.05
