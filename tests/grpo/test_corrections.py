"""Corrections for the sampler equal a loop over completions.

Weights carry no gradient and refuse bounds that drop all; the mask keeps good completions and near ones, and no others.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grpo.loss.corrections import MISMATCH_BOUNDS, MISMATCH_LEVELS, mismatch_weights, off_policy_mask

TOLERANCE = 1e-12  # fp64
NAN = math.nan


def random_pair(seed: int, scale: float = 0.3) -> tuple[Tensor, Tensor, Tensor]:
    """Old log-probs, the engine's with one unknown, and a mask."""
    generator = torch.Generator().manual_seed(seed)
    old = -torch.rand(4, 6, generator=generator, dtype=torch.float64)
    sampler = old + torch.randn(4, 6, generator=generator, dtype=torch.float64) * scale
    sampler[0, 0] = NAN
    return old, sampler, torch.arange(6) < torch.tensor([6, 1, 3, 5])[:, None]


def loop_weights(
    old: list[float], sampler: list[float], level: str, bound: str, low: float, high: float
) -> list[float]:
    """One completion, by hand."""
    logs = [0.0 if math.isnan(b) else a - b for a, b in zip(old, sampler, strict=True)]
    if level == "sequence":
        logs = [sum(logs)] * len(logs)
    if level == "geometric":
        logs = [sum(logs) / len(logs)] * len(logs)
    ratios = [math.exp(value) for value in logs]
    if bound == "truncate":
        return [min(max(ratio, low), high) for ratio in ratios]
    return [ratio if low <= ratio <= high else 0.0 for ratio in ratios]


@given(
    st.sampled_from(MISMATCH_LEVELS),
    st.sampled_from(MISMATCH_BOUNDS),
    st.integers(0, 999),
    st.sampled_from([(0.0, math.inf), (0.9, 1.1), (0.0, 1.05), (0.95, math.inf)]),
)
def test_weights_equal_a_loop_over_completions(level: str, bound: str, seed: int, bounds: tuple[float, float]) -> None:
    old, sampler, mask = random_pair(seed)
    low, high = bounds
    weights = mismatch_weights(old, sampler, mask, level=level, bound=bound, low=low, high=high)
    for i, length in enumerate(mask.sum(dim=1).tolist()):
        expected = loop_weights(old[i, :length].tolist(), sampler[i, :length].tolist(), level, bound, low, high)
        assert weights[i, :length].tolist() == pytest.approx(expected, rel=TOLERANCE)
        assert weights[i, :length].tolist() != pytest.approx([value + 1e-6 for value in expected], rel=TOLERANCE)
        assert (weights[i, length:] == 1).all()


@pytest.mark.parametrize("level", MISMATCH_LEVELS)
def test_an_engine_that_agrees_changes_nothing(level: str) -> None:
    old, _, mask = random_pair(0)
    assert (mismatch_weights(old, old, mask, level=level, bound="mask", low=0.5, high=2.0) == 1).all()


def test_weights_carry_no_gradient() -> None:
    old, sampler, mask = random_pair(0)
    leaf = old.requires_grad_()
    assert not mismatch_weights(leaf, sampler, mask, level="token", bound="mask", low=0.0, high=2.0).requires_grad


def test_the_sum_drops_long_completions_that_the_mean_keeps() -> None:
    """A constant gap of 0.02 nats per token: the sum passes a bound of 3 at 55 tokens, the mean never."""
    old, mask = torch.zeros(1, 100), torch.ones(1, 100, dtype=torch.bool)
    bounds = {"bound": "mask", "low": 0.0, "high": 3.0}
    dropped = {
        level: (mismatch_weights(old, old - 0.02, mask, level=level, **bounds) == 0).float().mean().item()
        for level in MISMATCH_LEVELS
    }
    assert dropped == {"token": 0.0, "sequence": 1.0, "geometric": 0.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": "word"}, "token, sequence, geometric"),
        ({"bound": "clip"}, "truncate, mask"),
        ({"low": 2.0, "high": 2.0}, "low must be below high"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, object], message: str) -> None:
    old, sampler, mask = random_pair(0)
    with pytest.raises(ValueError, match=message):
        mismatch_weights(old, sampler, mask, **{"level": "token", "bound": "mask", "low": 0.0, "high": 3.0, **changes})


@given(st.integers(0, 999), st.floats(0.01, 0.5))
def test_a_completion_is_kept_if_it_is_good_or_near(seed: int, max_kl: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logprobs, sampler = -torch.rand(2, 5, 4, generator=generator, dtype=torch.float64)
    advantages = torch.randn(5, generator=generator, dtype=torch.float64)
    advantages[0] = 0.0
    sampler[1, 0] = NAN
    mask = torch.arange(4) < torch.tensor([4, 2, 1, 3, 0])[:, None]
    kept = off_policy_mask(logprobs, sampler, advantages, mask, max_kl=max_kl)
    for i, length in enumerate(mask.sum(dim=1).tolist()):
        gaps = [b - a for a, b in zip(logprobs[i, :length].tolist(), sampler[i, :length].tolist(), strict=True)]
        drift = sum(0.0 if math.isnan(gap) else gap for gap in gaps) / max(length, 1)
        expected = advantages[i].item() >= 0 or drift <= max_kl
        assert kept[i, :length].tolist() == [expected] * length
        assert kept[i, length:].all()


def test_the_threshold_is_inclusive() -> None:
    logprobs, sampler, mask = torch.tensor([[-1.0]]), torch.tensor([[-0.5]]), torch.tensor([[True]])
    bad = torch.tensor([-1.0])
    assert off_policy_mask(logprobs, sampler, bad, mask, max_kl=0.5).item()
    assert not off_policy_mask(logprobs, sampler, bad, mask, max_kl=0.499).item()


def test_of_a_completion_that_is_too_far_off_the_good_tokens_stay() -> None:
    """Drifts 1.5 and 0.5 in the mean: the sign is the token's, the drift the completion's."""
    logprobs, mask = torch.tensor([[-3.0, -1.0], [-3.0, -1.0]]), torch.ones(2, 2, dtype=torch.bool)
    sampler = torch.tensor([[-1.0, 0.0], [-2.0, -1.0]])
    advantages = torch.tensor([[1.0, -1.0], [-1.0, -1.0]])
    kept = off_policy_mask(logprobs, sampler, advantages, mask, max_kl=1.0)
    assert kept.tolist() == [[True, False], [True, True]]
