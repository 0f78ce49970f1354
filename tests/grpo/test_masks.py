"""What is left out of the loss is what the formulas name, and nothing else."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.loss.masks import off_policy_mask, top_entropy_mask, without_truncated

NAN = math.nan


def test_a_truncated_completion_is_not_trained_at_all() -> None:
    mask = torch.tensor([[True, True], [True, False], [True, True]])
    kept = without_truncated(mask, torch.tensor([True, False, False]))
    assert kept.tolist() == [[False, False], [True, False], [True, True]]
    with pytest.raises(ValueError, match="each of the 3 completions"):
        without_truncated(mask, torch.tensor([True]))


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


@given(st.lists(st.floats(0, 5, width=32), min_size=1, max_size=12), st.floats(0, 1))
def test_tokens_at_or_above_the_quantile_are_kept(entropy: list[float], fraction: float) -> None:
    values, mask = torch.tensor([[*entropy, NAN]]), torch.tensor([[True] * len(entropy) + [False]])
    kept = top_entropy_mask(values, mask, fraction=fraction)[0].tolist()
    threshold = torch.tensor(entropy).quantile(1 - fraction).item()
    assert kept == [value >= threshold for value in entropy] + [False]
    assert kept[entropy.index(max(entropy))], "the highest is always kept"


def test_all_or_only_the_highest() -> None:
    entropy, mask = torch.tensor([[0.3, 0.1, 0.2]]), torch.ones(1, 3, dtype=torch.bool)
    assert top_entropy_mask(entropy, mask, fraction=1.0).tolist() == [[True, True, True]]
    assert top_entropy_mask(entropy, mask, fraction=0.0).tolist() == [[True, False, False]]
    assert not top_entropy_mask(entropy, ~mask, fraction=0.5).any()
    with pytest.raises(ValueError, match="from 0 to 1"):
        top_entropy_mask(entropy, mask, fraction=1.5)
