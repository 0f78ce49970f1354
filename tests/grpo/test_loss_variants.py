"""Every policy loss equals a loop over tokens in plain Python, and its gradient finite differences or its formula."""

import math
from collections.abc import Callable

import pytest
import torch

from grpo.loss import (
    AGGREGATIONS,
    LOSSES,
    cispo_loss,
    clipped_policy_loss,
    gspo_loss,
    gspo_token_loss,
    sapo_loss,
    sequence_log_ratio,
    vespo_loss,
)
from loss_cases import VARIANTS, VESPO, random_batch

TOLERANCE = 1e-9  # fp64

Row = list[float]


def loop_clipped(new: Row, old: Row, advantage: float, *, high: float = 0.3, delta: float = math.inf) -> Row:
    ratios = [math.exp(a - b) for a, b in zip(new, old, strict=True)]
    return [-min(min(r, delta) * advantage, min(max(r, 0.8), 1 + high) * advantage) for r in ratios]


def loop_gspo(new: Row, old: Row, advantage: float) -> Row:
    ratio = math.exp(sum(a - b for a, b in zip(new, old, strict=True)) / len(new))
    return [-min(ratio * advantage, min(max(ratio, 0.95), 1.1) * advantage)] * len(new)


def loop_cispo(new: Row, old: Row, advantage: float) -> Row:
    return [-min(math.exp(a - b), 1.2) * advantage * a for a, b in zip(new, old, strict=True)]


def loop_sapo(new: Row, old: Row, advantage: float) -> Row:
    tau = 1.0 if advantage > 0 else 1.05
    gates = [1 / (1 + math.exp(-tau * (math.exp(a - b) - 1))) for a, b in zip(new, old, strict=True)]
    return [-4 / tau * gate * advantage for gate in gates]


def loop_vespo(new: Row, old: Row, advantage: float) -> Row:
    k, rate = (2.1, 3.3) if advantage >= 0 else (3.1, 2.3)
    ratio = math.prod(math.exp(a - b) for a, b in zip(new, old, strict=True))
    phi = math.exp(rate) * ratio**k * math.exp(-rate * ratio)
    return [-phi * advantage * a for a in new]


LOOPS: dict[str, Callable[[Row, Row, float], Row]] = {
    "clipped": loop_clipped,
    "clipped with delta": lambda new, old, advantage: loop_clipped(new, old, advantage, delta=1.4),
    "gspo": loop_gspo,
    "gspo_token": loop_gspo,
    "cispo": loop_cispo,
    "sapo": loop_sapo,
    "vespo": loop_vespo,
}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", VARIANTS)
def test_every_loss_equals_a_loop_over_tokens(name: str, seed: int) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    loss = VARIANTS[name](logprobs, old, advantages, mask)
    for row, length in enumerate(mask.sum(dim=1).tolist()):
        new_row, old_row = logprobs[row, :length].tolist(), old[row, :length].tolist()
        expected = LOOPS[name](new_row, old_row, advantages[row].item())
        assert loss[row, :length].tolist() == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
        assert loss[row, :length].tolist() != pytest.approx([x + 1e-6 for x in expected], rel=TOLERANCE, abs=TOLERANCE)
        assert not loss[row, length:].any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["clipped", "clipped with delta", "gspo", "sapo"])
def test_gradients_equal_finite_differences(name: str, seed: int) -> None:
    logprobs, old, advantages, mask = random_batch(seed)

    def total(leaf: torch.Tensor) -> torch.Tensor:
        return VARIANTS[name](leaf, old, advantages, mask)

    assert torch.autograd.gradcheck(total, (logprobs.requires_grad_(),), eps=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["cispo", "vespo", "gspo_token"])
def test_finite_differences_notice_a_stopped_gradient(name: str) -> None:
    logprobs, old, advantages, mask = random_batch(0)

    def total(leaf: torch.Tensor) -> torch.Tensor:
        return VARIANTS[name](leaf, old, advantages, mask)

    assert not torch.autograd.gradcheck(total, (logprobs.requires_grad_(),), eps=1e-6, atol=1e-7, raise_exception=False)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["cispo", "vespo"])
def test_a_weighted_log_prob_has_its_weight_as_gradient(name: str, seed: int) -> None:
    """The loss is -w A logprob with w held constant, so the gradient is the loss over the log-prob."""
    logprobs, old, advantages, mask = random_batch(seed)
    leaf = logprobs.clone().requires_grad_()
    loss = VARIANTS[name](leaf, old, advantages, mask)
    loss.sum().backward()
    expected = torch.where(mask, loss.detach() / logprobs, 0.0)
    assert torch.allclose(leaf.grad, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
def test_gspo_token_has_gspos_gradient_where_a_row_has_one_advantage(seed: int) -> None:
    logprobs, old, advantages, mask = random_batch(seed)
    gradients = []
    for name in ("gspo", "gspo_token"):
        leaf = logprobs.clone().requires_grad_()
        VARIANTS[name](leaf, old, advantages, mask).sum().backward()
        gradients.append(leaf.grad)
    assert torch.allclose(*gradients, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", VARIANTS)
def test_on_policy_every_loss_is_reinforce(name: str) -> None:
    logprobs, _, advantages, mask = random_batch(3)
    leaf = logprobs.clone().requires_grad_()
    VARIANTS[name](leaf, logprobs, advantages, mask).sum().backward()
    assert torch.allclose(leaf.grad, torch.where(mask, -advantages[:, None], 0.0), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", VARIANTS)
def test_advantages_may_be_given_per_token(name: str) -> None:
    logprobs, old, advantages, mask = random_batch(4)
    per_row = VARIANTS[name](logprobs, old, advantages, mask)
    assert torch.equal(VARIANTS[name](logprobs, old, advantages[:, None].expand(mask.shape), mask), per_row)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_widened_before_any_arithmetic(name: str, dtype: torch.dtype) -> None:
    logprobs, old, advantages, mask = random_batch(5)
    half = [tensor.to(dtype) for tensor in (logprobs, old, advantages)]
    loss = VARIANTS[name](*half, mask)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, VARIANTS[name](*(tensor.float() for tensor in half), mask))


@pytest.mark.parametrize("name", VARIANTS)
def test_tensors_that_would_broadcast_are_refused(name: str) -> None:
    logprobs, old, advantages, mask = random_batch(6, rows=6)
    with pytest.raises(ValueError, match="one size"):
        VARIANTS[name](logprobs, old[:1], advantages, mask)
    with pytest.raises(ValueError, match="one number per completion"):
        VARIANTS[name](logprobs, old, advantages[:, None], mask)


def test_an_infinite_delta_is_no_bound() -> None:
    logprobs, old, advantages, mask = random_batch(7)
    plain = clipped_policy_loss(logprobs, old, advantages, mask, clip_low=0.2, clip_high=0.3)
    bounded = clipped_policy_loss(logprobs, old, advantages, mask, clip_low=0.2, clip_high=0.3, delta=math.inf)
    assert torch.equal(plain, bounded)


@pytest.mark.parametrize(("ratio", "gradient"), [(1.3, 1.3), (1.5, 0.0)])
def test_delta_stops_the_gradient_of_a_bad_completion_that_rose(ratio: float, gradient: float) -> None:
    leaf = torch.tensor([[math.log(ratio)]], dtype=torch.float64, requires_grad=True)
    one = torch.ones(1, dtype=torch.float64)
    bounds = {"clip_low": 0.2, "clip_high": 0.2, "delta": 1.4}
    clipped_policy_loss(leaf, torch.zeros_like(leaf), -one, torch.tensor([[True]]), **bounds).sum().backward()
    assert leaf.grad.item() == pytest.approx(gradient)


def test_cispo_never_stops_a_gradient() -> None:
    leaf = torch.tensor([[3.0, -3.0]], requires_grad=True)
    cispo_loss(leaf, torch.zeros(1, 2), torch.ones(1), torch.ones(1, 2).bool(), max_ratio=2.0).sum().backward()
    assert leaf.grad[0].tolist() == pytest.approx([-2.0, -math.exp(-3)])


def test_sapo_fades_on_both_sides_and_faster_for_bad_completions() -> None:
    def slope(ratio: float, advantage: float) -> float:
        leaf = torch.tensor([[math.log(ratio)]], dtype=torch.float64, requires_grad=True)
        advantages, mask = torch.tensor([advantage], dtype=torch.float64), torch.tensor([[True]])
        sapo_loss(leaf, torch.zeros_like(leaf), advantages, mask, tau_positive=1.0, tau_negative=3.0).sum().backward()
        return abs(leaf.grad.item()) / ratio

    assert slope(1.0, 1.0) == pytest.approx(1.0) == pytest.approx(slope(1.0, -1.0))
    assert slope(3.0, 1.0) < slope(2.0, 1.0) < 1 and slope(0.1, 1.0) < slope(0.5, 1.0) < 1
    assert slope(2.0, -1.0) < slope(2.0, 1.0)


def test_vespo_takes_the_mismatch_into_the_weight_of_the_sequence() -> None:
    logprobs, old, advantages, mask = random_batch(8)
    mismatch = torch.rand(mask.shape, dtype=torch.float64) + 0.5
    mismatch[~mask] = math.nan
    inside = vespo_loss(logprobs, old, advantages, mask, mismatch=mismatch, **VESPO)
    shifted = old - torch.where(mask, mismatch, 1.0).log()
    assert torch.allclose(inside, vespo_loss(logprobs, shifted, advantages, mask, **VESPO), rtol=TOLERANCE)
    assert not torch.allclose(inside, vespo_loss(logprobs, old, advantages, mask, **VESPO), rtol=1e-3)


@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_vespo_of_sequences_far_away_is_finite_and_small(shift: float) -> None:
    logprobs, old, advantages, mask = random_batch(9)
    loss = vespo_loss(logprobs, old + shift, advantages, mask, **VESPO)
    assert loss.isfinite().all() and loss.abs().max() < 1e-6


def test_vespo_holds_the_weight_of_a_sequence_at_1e_8_or_above() -> None:
    old, mask, one = torch.zeros(1, 3, dtype=torch.float64), torch.ones(1, 3).bool(), torch.ones(1, dtype=torch.float64)
    loss = vespo_loss(old - 15, old, one, mask, **VESPO)  # the ratio is exp(-45)
    phi = math.exp(VESPO["lambda_positive"]) * 1e-8 ** VESPO["k_positive"]
    assert loss[0].tolist() == pytest.approx([15 * phi] * 3, rel=1e-6, abs=0)


def test_the_ratio_is_an_argument() -> None:
    logprobs, old, advantages, mask = random_batch(10)
    bounds = {"clip_low": 0.05, "clip_high": 0.1}
    by_ratio = clipped_policy_loss(logprobs, old, advantages, mask, ratio=sequence_log_ratio, **bounds)
    assert torch.equal(by_ratio, gspo_loss(logprobs, old, advantages, mask, **bounds))
    assert torch.allclose(by_ratio, gspo_token_loss(logprobs, old, advantages, mask, **bounds), rtol=TOLERANCE)


def test_the_table_of_losses_names_functions_and_aggregations_that_exist() -> None:
    assert {"grpo", "bnpo", "dr_grpo", "dapo", "cispo", "gspo", "luspo", "sapo", "vespo"} <= set(LOSSES)
    assert {aggregation for _, aggregation in LOSSES.values()} == set(AGGREGATIONS)
