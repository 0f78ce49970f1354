"""Order of completions, micro-batches, padding and its contents change nothing; the end token is trained."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grpo.loss import (
    AGGREGATIONS,
    KL_ESTIMATES,
    aggregation_weights,
    entropy_bonus,
    kl_penalised_rewards,
    mismatch_weights,
    off_policy_mask,
    ratio_weighted_kl,
)
from loss_cases import VARIANTS, random_batch

TOLERANCE = 1e-12  # fp64, other order of summation

names = st.sampled_from(sorted(VARIANTS))
seeds = st.integers(0, 10_000)
poisons = st.sampled_from([math.nan, math.inf, -math.inf, 1e30, -1e30])


def reference_of(old: Tensor) -> Tensor:
    """Some other policy's log-probs."""
    return old * 0.9


def full_loss(name: str, logprobs: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, estimate: str) -> Tensor:
    """A policy loss with corrections, a KL and a bonus: everything that can see the padding."""
    reference = reference_of(old)
    per_token = VARIANTS[name](logprobs, old, advantages, mask)
    per_token = per_token * off_policy_mask(logprobs, old, advantages, mask, max_kl=0.3)
    bounds = {"low": 0.0, "high": 1.5}
    per_token = per_token * mismatch_weights(old, reference, mask, level="geometric", bound="truncate", **bounds)
    kl = KL_ESTIMATES[estimate](logprobs, reference, mask)
    return per_token + ratio_weighted_kl(kl, logprobs, old, mask) + entropy_bonus(logprobs, mask, coefficient=0.1)


def with_gradient(loss: Callable[[Tensor], Tensor], logprobs: Tensor) -> tuple[Tensor, Tensor]:
    """Loss of each token, and the gradient of their sum."""
    leaf = logprobs.clone().requires_grad_()
    value = loss(leaf)
    value.sum().backward()
    return value.detach(), leaf.grad


@settings(max_examples=60)
@given(names, seeds, st.integers(0, 4), poisons, st.sampled_from(sorted(KL_ESTIMATES)))
def test_padding_and_what_stands_in_it_change_nothing(
    name: str, seed: int, width: int, poison: float, estimate: str
) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    clean = with_gradient(lambda leaf: full_loss(name, leaf, old, advantages, mask, estimate), logprobs)
    wide_mask = torch.nn.functional.pad(mask, (0, width))

    def poisoned(values: Tensor, value: float) -> Tensor:
        return torch.nn.functional.pad(values, (0, width)).masked_fill(~wide_mask, value)

    dirty_old = poisoned(old, -poison)
    dirty = with_gradient(
        lambda leaf: full_loss(name, leaf, dirty_old, advantages, wide_mask, estimate), poisoned(logprobs, poison)
    )
    for ours, theirs in zip(dirty, clean, strict=True):
        assert not ours[~wide_mask].any()
        assert torch.allclose(ours[:, : mask.shape[1]][mask], theirs[mask], rtol=TOLERANCE, atol=TOLERANCE)


@settings(max_examples=40)
@given(names, seeds, st.permutations(range(5)))
def test_the_order_of_completions_changes_nothing(name: str, seed: int, order: list[int]) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    straight = with_gradient(lambda leaf: VARIANTS[name](leaf, old, advantages, mask), logprobs)
    turned = with_gradient(
        lambda leaf: VARIANTS[name](leaf, old[order], advantages[order], mask[order]), logprobs[order]
    )
    for ours, theirs in zip(turned, straight, strict=True):
        # not bitwise: a vector unit may round the last elements of a row differently
        assert torch.allclose(ours, theirs[order], rtol=TOLERANCE, atol=TOLERANCE)


def cut_up(name: str, aggregation: str, seed: int, cuts: list[int]) -> tuple[float, Tensor]:
    """Loss and gradient of a batch of five, in pieces that end at the cuts, each no wider than it needs to be."""
    logprobs, old, advantages, mask = random_batch(seed)
    weights = aggregation_weights(mask.sum(dim=1), aggregation=aggregation, max_tokens=6)[:, None]
    leaf, total = logprobs.clone().requires_grad_(), 0.0
    for start, stop in zip([0, *cuts], [*cuts, 5], strict=True):
        width = int(mask[start:stop].sum(dim=1).max()) if stop > start else 0
        piece = (slice(start, stop), slice(0, width))
        loss = VARIANTS[name](leaf[piece], old[piece], advantages[start:stop], mask[piece])
        part = (loss * weights[start:stop]).sum()
        part.backward()
        total += part.item()
    return total, leaf.grad


@settings(max_examples=60)
@given(names, st.sampled_from(AGGREGATIONS), seeds, st.lists(st.integers(0, 5), max_size=4).map(sorted))
def test_micro_batches_change_neither_loss_nor_gradient(
    name: str, aggregation: str, seed: int, cuts: list[int]
) -> None:
    whole, whole_gradient = cut_up(name, aggregation, seed, [])
    pieces, gradient = cut_up(name, aggregation, seed, cuts)
    assert pieces == pytest.approx(whole, rel=TOLERANCE, abs=TOLERANCE)
    assert torch.allclose(gradient, whole_gradient, rtol=TOLERANCE, atol=TOLERANCE)
    assert pieces + 1e-9 != pytest.approx(whole, rel=TOLERANCE, abs=TOLERANCE), "the tolerance must be able to fail"


@given(names, seeds)
def test_every_trained_token_gets_gradient_the_end_token_too(name: str, seed: int) -> None:
    logprobs, _, advantages, mask = random_batch(seed)
    _, gradient = with_gradient(lambda leaf: VARIANTS[name](leaf, logprobs, advantages, mask), logprobs)
    assert ((gradient != 0) == mask).all()
    without_end = mask & (torch.arange(mask.shape[1]) < mask.sum(dim=1, keepdim=True) - 1)
    _, gradient = with_gradient(lambda leaf: VARIANTS[name](leaf, logprobs, advantages, without_end), logprobs)
    assert not gradient[mask & ~without_end].any(), "what an end token left out of the mask would get"


@given(seeds, poisons)
def test_padding_changes_no_mask_no_weight_and_no_reward(seed: int, poison: float) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    dirty = logprobs.masked_fill(~mask, poison)
    dirty_old = old.masked_fill(~mask, poison)
    kept = off_policy_mask(logprobs, old, advantages, mask, max_kl=0.1)
    assert torch.equal(off_policy_mask(dirty, dirty_old, advantages, mask, max_kl=0.1), kept)
    rewards = [kl_penalised_rewards(advantages, values, mask, beta=0.1) for values in (dirty, logprobs)]
    assert torch.equal(*rewards)
    for level in ("token", "sequence", "geometric"):
        options = {"level": level, "bound": "mask", "low": 0.5, "high": 1.5}
        assert torch.equal(
            mismatch_weights(dirty, dirty_old, mask, **options), mismatch_weights(logprobs, old, mask, **options)
        )
