"""In float16 small gradients arrive, large ones cost a step and no weight, and a resumed run has the same scale."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.model.policy import Policy, load_policy
from grpo.optimizer.loss_scale import GROWTH_STEPS, LOWEST_SCALE, MAX_OVERFLOWS, LossScale
from grpo.run.metrics import explain
from grpo.update import NonFiniteLoss, Updater
from test_update import SAMPLES, captured_gradient, make_updater, weights

TINY_ADVANTAGES = [replace(sample, advantage=1e-7 * sample.advantage) for sample in SAMPLES]
FP16_TOLERANCE = 0.005  # of the whole gradient, relative; measured: 0.0026, and 0.023 in bfloat16
TOO_LARGE = 2.0**40  # a scale at which every gradient overflows


def scaled_updater(policy: Policy, scale: float, **changes: object) -> Updater:
    updater = make_updater(policy, **changes)
    updater.loss_scale = LossScale(value=scale)
    return updater


def relative_error(gradient: torch.Tensor, expected: torch.Tensor) -> float:
    return float((gradient - expected).norm() / expected.norm())


def inner_gradient(policy: Policy, scale: float) -> torch.Tensor:
    """What the layers get through products in the policy's dtype; the head's sums are float32 on a CPU."""
    updater = scaled_updater(policy, scale) if scale > 1 else make_updater(policy)
    if scale == 1:
        updater.loss_scale = None
    seen: list[torch.Tensor] = []
    layers = list(policy.model.model.layers.parameters())
    updater.optimizer.register_step_pre_hook(lambda *_: seen.append(torch.cat([p.grad.flatten() for p in layers])))
    updater.update(TINY_ADVANTAGES)
    return seen[0]


def test_a_gradient_that_float16_rounds_to_zero_arrives(make_policy: Callable[..., Policy]) -> None:
    expected = inner_gradient(make_policy(), scale=1)
    lost = inner_gradient(make_policy(dtype=torch.float16), scale=1)
    found = inner_gradient(make_policy(dtype=torch.float16), scale=2.0**16)
    assert expected.norm() > 0
    assert relative_error(lost, expected) > 0.9, "nearly all of it is zero without a scale"
    assert relative_error(found, expected) < FP16_TOLERANCE


def test_the_scale_is_taken_out_before_clipping(make_policy: Callable[..., Policy]) -> None:
    norms = [make_updater(make_policy(dtype=d)).update(SAMPLES) for d in (torch.float32, torch.float16)]
    full, half = (metrics["optim/grad_norm"] for metrics in norms)
    assert half == pytest.approx(full, rel=FP16_TOLERANCE)
    clipped = captured_gradient(make_policy(dtype=torch.float16), SAMPLES, max_grad_norm=full / 10)
    assert clipped.norm().item() == pytest.approx(full / 10, rel=1e-4)


def test_float32_and_bfloat16_have_no_scale(make_policy: Callable[..., Policy]) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        updater = make_updater(make_policy(dtype=dtype))
        assert updater.loss_scale is None and set(updater.state_dict()) == {"optimizer", "updates"}
        assert "optim/loss_scale" not in updater.update(SAMPLES)


def test_a_step_that_overflows_changes_neither_weights_nor_moments(make_policy: Callable[..., Policy]) -> None:
    policy = make_policy(dtype=torch.float16)
    updater = scaled_updater(policy, 2.0**10, weight_decay=0.1)
    updater.update(SAMPLES)
    before, moments = weights(policy), [torch.cat([t.flatten() for t in s.values()]) for s in state_of(updater)]
    assert updater.loss_scale is not None
    updater.loss_scale.value = TOO_LARGE
    metrics = updater.update(SAMPLES)
    after = [torch.cat([t.flatten() for t in s.values()]) for s in state_of(updater)]
    assert torch.equal(weights(policy), before) and all(map(torch.equal, after, moments))
    assert all(parameter.grad is None for parameter in policy.model.parameters())
    assert (metrics["optim/skipped"], metrics["optim/loss_scale"], metrics["optim/updates"]) == (1, TOO_LARGE / 2, 1)
    assert math.isfinite(metrics["loss/total"]) and not math.isfinite(metrics["optim/grad_norm"])
    assert all(explain(key) for key in metrics)
    updater.loss_scale.value = 2.0**10
    metrics = updater.update(SAMPLES)
    assert (metrics["optim/skipped"], metrics["optim/updates"]) == (0, 2)
    assert not torch.equal(weights(policy), before) and weights(policy).isfinite().all()


def slowly(update: int) -> float:
    """A learning rate that leaves gradients as large as they were."""
    return 1e-5


def state_of(updater: Updater) -> list[dict[str, torch.Tensor]]:
    return list(updater.optimizer.state.values())


def test_the_scale_comes_down_until_steps_count(make_policy: Callable[..., Policy]) -> None:
    policy = make_policy(dtype=torch.float16)
    updater = scaled_updater(policy, 2.0**28)
    metrics = updater.update(SAMPLES)
    skipped = 0
    while metrics["optim/skipped"]:
        skipped += 1
        metrics = updater.update(SAMPLES)
    assert 0 < skipped < MAX_OVERFLOWS and metrics["optim/loss_scale"] == 2.0 ** (28 - skipped)


def test_a_batch_of_several_steps_counts_those_it_skips(make_policy: Callable[..., Policy]) -> None:
    updater = scaled_updater(make_policy(dtype=torch.float16), TOO_LARGE, num_iterations=3)
    metrics = updater.update(SAMPLES)
    assert (metrics["optim/skipped"], metrics["optim/updates"]) == (3, 0)
    assert math.isfinite(metrics["loss/total"]), "of the three passes, though none was applied"


@pytest.mark.parametrize(("scale", "steps"), [(2.0**60, MAX_OVERFLOWS), (LOWEST_SCALE * 4, 3)])
def test_overflow_after_overflow_stops_the_run(policy: Policy, scale: float, steps: int) -> None:
    """Infinite gradients that no scale explains: as if the true gradient did not fit."""
    updater = make_updater(policy)
    updater.loss_scale = LossScale(value=scale)
    for parameter in policy.model.parameters():
        parameter.register_hook(lambda gradient: gradient * math.inf)
    before = weights(policy)
    for _ in range(steps - 1):
        assert updater.update(SAMPLES)["optim/skipped"] == 1
    with pytest.raises(NonFiniteLoss, match=f'65504 .{steps} steps in a row.*model.dtype = "bfloat16"'):
        updater.update(SAMPLES)
    assert torch.equal(weights(policy), before)


def test_a_loss_that_is_no_number_stops_at_once_since_no_scale_repairs_it(make_policy: Callable[..., Policy]) -> None:
    policy = make_policy(dtype=torch.float16)
    updater = make_updater(policy)
    with pytest.raises(NonFiniteLoss, match="the loss is nan"):
        updater.update([replace(SAMPLES[0], advantage=math.nan)])
    assert updater.loss_scale == LossScale(), "and the scale has nothing to do with it"


def test_the_scale_doubles_after_many_good_steps() -> None:
    scale = LossScale(value=8.0)
    for _ in range(GROWTH_STEPS - 1):
        scale.record(finite=True)
    assert scale.value == 8.0
    scale.record(finite=True)
    assert (scale.value, scale.good_steps) == (16.0, 0)
    scale.record(finite=False)
    assert scale == LossScale(value=8.0, good_steps=0, overflows=1)
    scale.record(finite=True)
    assert scale.overflows == 0 and not scale.exhausted


def test_training_in_float16_goes_on_bit_for_bit(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    """Shortly before the scale doubles to one that overflows: without its state the two would differ."""
    policy = make_policy(dtype=torch.float16)
    updater = scaled_updater(policy, 2.0**24, weight_decay=0.1, schedule=slowly)
    while updater.update(SAMPLES)["optim/skipped"]:
        pass
    assert updater.loss_scale is not None
    updater.loss_scale.good_steps = GROWTH_STEPS - 1
    state = updater.loss_scale.state_dict()
    write_checkpoint(tmp_path, take_snapshot(updater, step=1, progress={}, texts={}))
    skipped = [updater.update(SAMPLES)["optim/skipped"] for _ in range(4)]
    assert 0 < sum(skipped) < 4

    checkpoint = latest_checkpoint(tmp_path)
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float16")
    again = make_updater(resumed, weight_decay=0.1, schedule=slowly)
    assert load_trainer_state(checkpoint, again)["loss_scale"] == state
    assert [again.update(SAMPLES)["optim/skipped"] for _ in range(4)] == skipped
    assert again.loss_scale == updater.loss_scale and again.updates == updater.updates
    assert torch.equal(weights(resumed), weights(policy))
