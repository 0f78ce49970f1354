"""KL estimates have the value and the gradient that their docstrings promise, by summing over a whole vocabulary."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grpo.loss.kl import KL_ESTIMATES, kl_k1, kl_k2, kl_penalised_rewards, kl_to_reference, ratio_weighted_kl
from grpo.loss.ratio import sequence_log_ratio

TOLERANCE = 1e-12  # fp64
NAN = math.nan
VOCABULARY = 7


def distributions(seed: int) -> tuple[Tensor, Tensor]:
    """Logits of a policy and the log-probs of a reference over a small vocabulary, fp64."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, VOCABULARY, generator=generator, dtype=torch.float64)
    return logits[0], logits[1].log_softmax(-1)


def expected_gradient(
    estimate: Callable[[Tensor, Tensor], Tensor], seed: int, *, sampler: Tensor | None = None
) -> Tensor:
    """Gradient to the logits of an estimate as a loss, averaged exactly over the sampler's tokens (the policy's)."""
    logits, reference = distributions(seed)
    leaf = logits.clone().requires_grad_()
    logprobs = leaf.log_softmax(-1)
    drawn = (logprobs if sampler is None else sampler).detach().exp()
    return torch.autograd.grad((drawn * estimate(logprobs, reference)).sum(), leaf)[0]


def row(estimate: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """An estimate applied to a vocabulary as if each token were a completion of one token."""

    def applied(logprobs: Tensor, reference: Tensor) -> Tensor:
        mask = torch.ones(VOCABULARY, 1, dtype=torch.bool)
        return estimate(logprobs[:, None], reference[:, None], mask).squeeze(1)

    return applied


def weighted(estimate: Callable[..., Tensor], sampler: Tensor | None = None) -> Callable[[Tensor, Tensor], Tensor]:
    """The same, times the importance ratio to the sampler."""

    def applied(logprobs: Tensor, reference: Tensor) -> Tensor:
        mask, new = torch.ones(VOCABULARY, 1, dtype=torch.bool), logprobs[:, None]
        old = (logprobs.detach() if sampler is None else sampler)[:, None]
        return ratio_weighted_kl(estimate(new, reference[:, None], mask), new, old, mask).squeeze(1)

    return applied


def reverse_kl_gradient(seed: int) -> Tensor:
    logits, reference = distributions(seed)
    leaf = logits.clone().requires_grad_()
    logprobs = leaf.log_softmax(-1)
    return torch.autograd.grad((logprobs.exp() * (logprobs - reference)).sum(), leaf)[0]


def forward_kl_gradient(seed: int) -> Tensor:
    logits, reference = distributions(seed)
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad((reference.exp() * (reference - leaf.log_softmax(-1))).sum(), leaf)[0]


@pytest.mark.parametrize("seed", range(5))
def test_k1_and_k3_have_the_kl_as_expectation_and_k2_has_not(seed: int) -> None:
    logits, reference = distributions(seed)
    logprobs = logits.log_softmax(-1)
    kl = (logprobs.exp() * (logprobs - reference)).sum().item()
    values = {name: (logprobs.exp() * row(f)(logprobs, reference)).sum().item() for name, f in KL_ESTIMATES.items()}
    assert values["k1"] == pytest.approx(kl, rel=TOLERANCE) == pytest.approx(values["k3"], rel=TOLERANCE)
    assert values["k2"] != pytest.approx(kl, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_as_a_loss_k1_does_nothing_k2_is_the_reverse_kl_and_k3_the_forward(seed: int) -> None:
    assert expected_gradient(row(kl_k1), seed).abs().max() < TOLERANCE
    assert torch.allclose(expected_gradient(row(kl_k2), seed), reverse_kl_gradient(seed), atol=TOLERANCE, rtol=0)
    k3 = expected_gradient(row(kl_to_reference), seed)
    assert torch.allclose(k3, forward_kl_gradient(seed), atol=TOLERANCE, rtol=0)
    assert not torch.allclose(k3, reverse_kl_gradient(seed), atol=1e-3, rtol=0), "the tolerance must be able to fail"


@pytest.mark.parametrize("off_policy", [False, True])
@pytest.mark.parametrize("estimate", [kl_k1, kl_to_reference])
@pytest.mark.parametrize("seed", range(5))
def test_times_the_ratio_the_gradient_is_the_reverse_kls_whoever_sampled(
    seed: int, estimate: Callable[..., Tensor], off_policy: bool
) -> None:
    sampler = distributions(seed + 100)[1] if off_policy else None
    gradient = expected_gradient(weighted(estimate, sampler), seed, sampler=sampler)
    assert torch.allclose(gradient, reverse_kl_gradient(seed), atol=TOLERANCE, rtol=0)


def test_hand_numbers() -> None:
    logprobs, reference = torch.tensor([[-1.0, -1.0, -1.0]]), torch.tensor([[-1.0, -2.0, -0.5]])
    mask = torch.tensor([[True, True, True]])
    assert kl_k1(logprobs, reference, mask)[0].tolist() == [0.0, 1.0, -0.5]
    assert kl_k2(logprobs, reference, mask)[0].tolist() == [0.0, 0.5, 0.125]


@given(st.floats(-20, 5), st.floats(-20, 5))
def test_k2_and_k3_are_never_negative(logprob: float, reference: float) -> None:
    for estimate in (kl_k2, kl_to_reference):
        assert estimate(torch.tensor([[logprob]]), torch.tensor([[reference]]), torch.tensor([[True]])).item() >= 0


@pytest.mark.parametrize("name", KL_ESTIMATES)
@pytest.mark.parametrize("ratio", ["none", "token", "sequence"])
def test_gradients_equal_finite_differences(name: str, ratio: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logprobs, old, reference = -torch.rand(3, 4, 5, generator=generator, dtype=torch.float64)
    mask = torch.arange(5) < torch.tensor([1, 3, 4, 5])[:, None]

    def loss(leaf: Tensor) -> Tensor:
        kl = KL_ESTIMATES[name](leaf, reference, mask)
        if ratio == "none":
            return kl
        options = {"ratio": sequence_log_ratio} if ratio == "sequence" else {}
        return ratio_weighted_kl(kl, leaf, old, mask, **options)

    assert torch.autograd.gradcheck(loss, (logprobs.clone().requires_grad_(),), eps=1e-6, atol=1e-7)


def test_a_penalised_reward_is_a_loop_and_carries_no_gradient() -> None:
    logprobs = torch.tensor([[-1.0, -2.0], [-1.0, NAN]], requires_grad=True)
    reference, mask = torch.tensor([[-3.0, -1.0], [-5.0, NAN]]), torch.tensor([[True, True], [True, False]])
    rewards = kl_penalised_rewards(torch.tensor([1.0, 2.0]), kl_k1(logprobs, reference, mask), mask, beta=0.25)
    assert rewards.tolist() == pytest.approx([1 - 0.25 * (2 - 1), 2 - 0.25 * 4])
    assert not rewards.requires_grad


def test_a_completion_without_a_reward_stays_without_one() -> None:
    rewards = kl_penalised_rewards(torch.tensor([NAN]), torch.ones(1, 2), torch.ones(1, 2).bool(), beta=0.1)
    assert rewards.isnan().all()


def test_rewards_that_are_not_one_per_completion_are_refused() -> None:
    with pytest.raises(ValueError, match="each of the 2 completions"):
        kl_penalised_rewards(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(2, 3).bool(), beta=0.1)
