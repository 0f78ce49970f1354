"""Log ratios of tokens and sequences equal loops, and each has the gradient that its name says."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.loss.ratio import (
    broadcast_advantages,
    log_ratio,
    masked_mean,
    sequence_log_ratio,
    sequence_token_log_ratio,
    upcast,
)
from loss_cases import random_batch

TOLERANCE = 1e-12  # fp64


@given(st.integers(0, 9999))
def test_the_sequence_ratio_is_the_mean_of_the_tokens_on_each_token(seed: int) -> None:
    logprobs, old, _, mask = random_batch(seed)
    for ratio in (sequence_log_ratio, sequence_token_log_ratio):
        values = ratio(logprobs, old, mask)
        for row, length in enumerate(mask.sum(dim=1).tolist()):
            pairs = zip(logprobs[row, :length].tolist(), old[row, :length].tolist(), strict=True)
            mean = sum(a - b for a, b in pairs) / length
            assert values[row, :length].tolist() == pytest.approx([mean] * length, rel=TOLERANCE, abs=TOLERANCE)
            assert values[row, 0].item() != pytest.approx(mean + 1e-9, rel=TOLERANCE, abs=TOLERANCE)
            assert not values[row, length:].any()


def test_gradients_of_token_and_sequence_equal_finite_differences() -> None:
    logprobs, old, _, mask = random_batch(0)
    for ratio in (log_ratio, sequence_log_ratio):
        assert torch.autograd.gradcheck(lambda leaf, f=ratio: f(leaf, old, mask), (logprobs.requires_grad_(),))


def test_the_sequence_token_ratio_has_the_gradient_of_its_own_token() -> None:
    logprobs, old, _, mask = random_batch(1)
    leaf = logprobs.requires_grad_()
    weights = torch.rand(mask.shape, dtype=torch.float64)
    (sequence_token_log_ratio(leaf, old, mask) * weights).sum().backward()
    assert torch.equal(leaf.grad, torch.where(mask, weights, 0.0))


def test_an_empty_completion_has_ratio_one() -> None:
    values, mask = torch.full((1, 2), math.nan), torch.zeros(1, 2, dtype=torch.bool)
    for ratio in (log_ratio, sequence_log_ratio, sequence_token_log_ratio):
        assert not ratio(values, values, mask).any()
    assert masked_mean(values, mask).tolist() == [0.0]


def test_shapes_that_would_broadcast_are_refused() -> None:
    mask = torch.ones(2, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"\[2, 3\] and \[1, 3\]"):
        log_ratio(torch.zeros(2, 3), torch.zeros(1, 3), mask)
    with pytest.raises(ValueError, match=r"advantages are \[3\], but the mask is \[2, 3\]"):
        broadcast_advantages(torch.zeros(3), mask)


def test_arithmetic_is_fp32_or_wider() -> None:
    dtypes = {torch.bfloat16: torch.float32, torch.float16: torch.float32, torch.float64: torch.float64}
    assert {dtype: upcast(torch.zeros(1, dtype=dtype)).dtype for dtype in dtypes} == dtypes
