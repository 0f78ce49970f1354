"""The loss equals a loop over tokens, padding can hold anything, and cutting a batch into pieces changes nothing."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grpo.loss import AGGREGATIONS, aggregation_weights, clipped_policy_loss, kl_to_reference, log_ratio
from loss_cases import random_batch

TOLERANCE = 1e-9  # fp64
CLIP = {"clip_low": 0.2, "clip_high": 0.3}


def loop_loss(logprob: float, old: float, advantage: float) -> float:
    """PPO's clipped surrogate for one token, written as its cases."""
    ratio = math.exp(logprob - old)
    if advantage >= 0:
        return -min(ratio, 1 + CLIP["clip_high"]) * advantage
    return -max(ratio, 1 - CLIP["clip_low"]) * advantage


@pytest.mark.parametrize("seed", range(5))
def test_clipped_loss_equals_a_loop_over_tokens(seed: int) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    loss = clipped_policy_loss(logprobs, old, advantages, mask, **CLIP)
    for i, t in torch.cartesian_prod(torch.arange(5), torch.arange(6)).tolist():
        expected = loop_loss(logprobs[i, t], old[i, t], advantages[i]) if mask[i, t] else 0.0
        assert loss[i, t].item() == pytest.approx(float(expected), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.0, 1.0, -1.0, -1.0),  # on policy: the gradient of -A logprob
        (2.0, 1.0, -1.3, 0.0),  # a good completion far enough up: held
        (0.5, 1.0, -0.5, -0.5),  # a good completion that fell: pulled back up
        (0.5, -1.0, 0.8, 0.0),  # a bad completion far enough down: held
        (2.0, -1.0, 2.0, 2.0),  # a bad completion that rose: pushed down, unbounded
        (2.0, 0.0, 0.0, 0.0),
    ],
)
def test_hand_numbers_of_value_and_gradient(ratio: float, advantage: float, loss: float, gradient: float) -> None:
    logprobs = torch.tensor([[math.log(ratio)]], dtype=torch.float64, requires_grad=True)
    value = clipped_policy_loss(
        logprobs, torch.zeros(1, 1), torch.tensor([advantage], dtype=torch.float64), torch.tensor([[True]]), **CLIP
    )
    value.sum().backward()
    assert value.item() == pytest.approx(loss, abs=TOLERANCE)
    assert logprobs.grad.item() == pytest.approx(gradient, abs=TOLERANCE)
    assert value.item() != pytest.approx(loss + 1e-6, abs=TOLERANCE), "the tolerance must be able to fail"


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 1e30])
def test_nothing_in_the_padding_reaches_loss_or_gradient(poison: float) -> None:
    logprobs, old, advantages, mask = random_batch(0)
    clean = logprobs.clone().requires_grad_()
    dirty = logprobs.masked_fill(~mask, poison).requires_grad_()
    for leaf, old_leaf in ((clean, old), (dirty, old.masked_fill(~mask, -poison))):
        loss = clipped_policy_loss(leaf, old_leaf, advantages, mask, **CLIP) + kl_to_reference(leaf, old_leaf, mask)
        loss.sum().backward()
    assert torch.equal(clean.grad, dirty.grad)
    assert (dirty.grad[~mask] == 0).all()


def test_kl_hand_numbers() -> None:
    logprobs = torch.tensor([[-1.0, -1.0, -1.0]], dtype=torch.float64)
    reference = torch.tensor([[-1.0, -2.0, -0.5]], dtype=torch.float64)
    kl = kl_to_reference(logprobs, reference, torch.tensor([[True, True, True]]))
    assert kl[0].tolist() == pytest.approx([0.0, math.exp(-1) + 1 - 1, math.exp(0.5) - 0.5 - 1], abs=TOLERANCE)


@given(st.floats(-20, 5), st.floats(-20, 5))
def test_kl_is_never_negative(logprob: float, reference: float) -> None:
    kl = kl_to_reference(torch.tensor([[logprob]]), torch.tensor([[reference]]), torch.tensor([[True]]))
    assert kl.item() >= 0


def test_log_ratio_of_a_policy_to_itself_is_zero() -> None:
    logprobs, _, _, mask = random_batch(1)
    assert (log_ratio(logprobs, logprobs, mask) == 0).all()


def test_aggregation_weights_equal_the_formulas() -> None:
    lengths = torch.tensor([1, 4, 5])
    expected = {"token": [1 / 10] * 3, "sequence": [1 / 3, 1 / 12, 1 / 15], "constant": [1 / 24] * 3}
    for aggregation, weights in expected.items():
        assert aggregation_weights(lengths, aggregation=aggregation, max_tokens=8).tolist() == pytest.approx(weights)


@settings(max_examples=30)
@given(st.sampled_from(AGGREGATIONS), st.integers(0, 99), st.integers(1, 4))
def test_cutting_a_batch_into_micro_batches_changes_neither_loss_nor_gradient(how: str, seed: int, cut: int) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    weights = aggregation_weights(mask.sum(dim=1), aggregation=how, max_tokens=6)

    def backward(pieces: list[slice]) -> tuple[float, Tensor]:
        leaf = logprobs.clone().requires_grad_()
        total = 0.0
        for piece in pieces:
            per_token = clipped_policy_loss(leaf[piece], old[piece], advantages[piece], mask[piece], **CLIP)
            loss = (per_token * weights[piece, None]).sum()
            loss.backward()
            total += loss.item()
        return total, leaf.grad

    whole, whole_gradient = backward([slice(0, 5)])
    pieces, pieces_gradient = backward([slice(0, cut), slice(cut, 5)])
    assert pieces == pytest.approx(whole, abs=TOLERANCE)
    assert torch.allclose(pieces_gradient, whole_gradient, atol=TOLERANCE, rtol=0)


def test_an_unknown_aggregation_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match="token, sequence, constant"):
        aggregation_weights(torch.tensor([1]), aggregation="mean", max_tokens=4)
