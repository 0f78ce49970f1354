"""One update equals plain autograd over the formula, however it is cut up; and bad numbers never reach the weights."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch

from grpo.loss import clipped_policy_loss
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy
from grpo.objective import Objective
from grpo.optimizer.rate import learning_rate
from grpo.update import NonFiniteLoss, Updater

TOLERANCE = 2e-6  # fp32 gradients of different summation order
PPO = partial(clipped_policy_loss, clip_low=0.2, clip_high=0.2)
OBJECTIVE = Objective(PPO, "token", max_tokens=16, temperature=0.8)
SAMPLES = [
    TrainingSample((5, 6, 7), (10, 11, 12, 13), (-1.0,) * 4, 1.0),
    TrainingSample((5, 6, 7), (20, 21), (-1.0,) * 2, -1.0),
    TrainingSample((8,), (30, 31, 32, 33, 34, 35), (-1.0,) * 6, 0.0),
    TrainingSample((8,), (40,), (-1.0,), 0.5),
]


def make_updater(policy: Policy, objective: Objective = OBJECTIVE, **changes: object) -> Updater:
    settings: dict[str, object] = {
        "schedule": lambda update: 1e-2,
        "betas": (0.9, 0.99),
        "weight_decay": 0.0,
        "max_grad_norm": math.inf,
        "num_iterations": 1,
        "micro_batch_tokens": 1000,
        "skip_zero_std": True,
        "reference": None,
        **changes,
    }
    return Updater(policy, settings.pop("reference"), objective, **settings)


def weights(policy: Policy) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in policy.model.parameters()])


def captured_gradient(policy: Policy, samples: list[TrainingSample], **changes: object) -> torch.Tensor:
    """The gradient that the optimizer is about to apply."""
    updater = make_updater(policy, **changes)
    seen: list[torch.Tensor] = []
    updater.optimizer.register_step_pre_hook(
        lambda *_: seen.append(torch.cat([p.grad.flatten() for p in policy.model.parameters()]))
    )
    updater.update(samples)
    return seen[-1]


def loop_gradient(policy: Policy, samples: list[TrainingSample], temperature: float) -> torch.Tensor:
    """On policy the gradient of the loss is that of `-sum A logprob / tokens`: one sequence and one token at a time."""
    total = sum(len(sample.completion_ids) for sample in samples)
    loss = torch.zeros(())
    for sample in samples:
        logits = policy.model(torch.tensor([sample.prompt_ids + sample.completion_ids])).logits[0]
        for t, token in enumerate(sample.completion_ids):
            logprob = (logits[len(sample.prompt_ids) - 1 + t] / temperature).log_softmax(-1)[token]
            loss = loss - sample.advantage * logprob / total
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(policy.model.parameters()))])


def test_the_gradient_equals_a_loop_over_sequences_and_tokens(make_policy: Callable[..., Policy]) -> None:
    expected = loop_gradient(make_policy(), SAMPLES, temperature=0.8)
    gradient = captured_gradient(make_policy(), SAMPLES)
    assert torch.allclose(gradient, expected, atol=TOLERANCE, rtol=1e-3)
    wrong = loop_gradient(make_policy(), SAMPLES, temperature=1.0)
    assert not torch.allclose(gradient, wrong, atol=TOLERANCE, rtol=1e-3), "the tolerance must be able to fail"


@pytest.mark.parametrize("aggregation", ["token", "sequence", "constant"])
@pytest.mark.parametrize("kl_beta", [0.0, 0.5])
def test_micro_batches_change_nothing(make_policy: Callable[..., Policy], aggregation: str, kl_beta: float) -> None:
    objective = Objective(PPO, aggregation, max_tokens=16, temperature=1.0, kl_beta=kl_beta)
    whole, pieces = (
        captured_gradient(
            make_policy(), SAMPLES, objective=objective, reference=make_policy(seed=1), micro_batch_tokens=budget
        )
        for budget in (1000, 9)
    )
    assert torch.allclose(whole, pieces, atol=TOLERANCE, rtol=1e-4)


def test_skipping_completions_that_teach_nothing_changes_nothing(make_policy: Callable[..., Policy]) -> None:
    skipped, computed = (captured_gradient(make_policy(), SAMPLES, skip_zero_std=skip) for skip in (True, False))
    assert torch.allclose(skipped, computed, atol=TOLERANCE, rtol=1e-4)


def test_skipped_completions_cost_no_forward_pass(policy: Policy) -> None:
    tokens: list[int] = []
    policy.model.base_model.register_forward_pre_hook(
        lambda _, __, kwargs: tokens.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    make_updater(policy).update(SAMPLES)
    assert sum(tokens) == 3 + 4 + 2 + 1 + 1, "a prompt shared by two, their completions, and the last sample"


def test_a_batch_without_anything_to_learn_leaves_the_weights_alone(policy: Policy) -> None:
    before = weights(policy)
    updater = make_updater(policy, weight_decay=0.1)
    metrics = updater.update([SAMPLES[2]])
    assert torch.equal(weights(policy), before) and updater.updates == 0
    assert set(metrics) == {"optim/lr", "optim/updates"}
    assert updater.update([])["optim/updates"] == 0


def test_good_completions_become_likelier_and_bad_ones_less_likely(policy: Policy) -> None:
    (batch,) = micro_batches(SAMPLES, max_tokens=1000)
    before, _ = policy.completion_logprobs(batch, temperature=0.8)
    updater = make_updater(policy, schedule=lambda update: 1e-3)
    for _ in range(5):
        updater.update(SAMPLES)
    after, _ = policy.completion_logprobs(batch, temperature=0.8)
    change = (after - before).sum(dim=1)
    for row, index in enumerate(batch.rows.tolist()):
        if SAMPLES[index].advantage:
            assert change[row].item() * SAMPLES[index].advantage > 0


def test_several_iterations_measure_the_ratio_to_the_policy_before_the_first(policy: Policy) -> None:
    updater = make_updater(policy, num_iterations=4, schedule=lambda update: 3e-2)
    forwards = 0

    def count(*_: object) -> None:
        nonlocal forwards
        forwards += 1

    policy.model.base_model.register_forward_hook(count)
    metrics = updater.update(SAMPLES)
    assert updater.updates == 4
    assert forwards == 4, "old log-probs come from the first iteration, not from a forward pass of their own"
    assert metrics["policy/ratio_max"] > 1.2
    assert metrics["policy/clipped_high"] + metrics["policy/clipped_low"] > 0


def test_the_first_iteration_is_on_policy(policy: Policy) -> None:
    metrics = make_updater(policy).update(SAMPLES)
    assert metrics["policy/ratio_max"] == 1.0
    assert metrics["policy/clipped_low"] == metrics["policy/clipped_high"] == 0.0


def test_the_end_token_gets_gradient(make_policy: Callable[..., Policy]) -> None:
    """Two completions share their first token with opposite advantages: only the end token can move anything."""
    end = make_policy().tokenizer.eos_token_id
    ended, cut = TrainingSample((5, 6), (10, end), (-1.0, -1.0), 1.0), TrainingSample((5, 6), (10,), (-1.0,), -1.0)
    assert captured_gradient(make_policy(), [ended, cut]).norm() > 1000 * TOLERANCE
    untrained = TrainingSample((5, 6), (10,), (-1.0,), 1.0)
    assert (
        captured_gradient(make_policy(), [untrained, cut]).norm() < TOLERANCE
    ), "what an end token left out would give"


def test_a_kl_penalty_pulls_towards_the_reference(make_policy: Callable[..., Policy]) -> None:
    policy, reference = make_policy(seed=0), make_policy(seed=1)
    objective = Objective(PPO, "token", max_tokens=16, temperature=1.0, kl_beta=1.0)
    updater = make_updater(policy, objective, reference=reference, schedule=lambda update: 3e-3)
    samples = [TrainingSample(s.prompt_ids, s.completion_ids, s.sampler_logprobs, 0.0) for s in SAMPLES]
    first, *_, last = [updater.update(samples)["kl/reference"] for _ in range(10)]
    assert 0 < last < first
    assert all(parameter.grad is None for parameter in reference.model.parameters())


def test_kl_without_a_reference_is_refused(policy: Policy) -> None:
    with pytest.raises(ValueError, match="no reference"):
        make_updater(policy, Objective(PPO, "token", 16, 1.0, kl_beta=0.1))


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_non_finite_loss_stops_before_the_weights_are_touched(policy: Policy, poison: float) -> None:
    before = weights(policy)
    poisoned = [TrainingSample((5,), (6, 7), (-1.0, -1.0), poison), *SAMPLES]
    updater = make_updater(policy)
    with pytest.raises(NonFiniteLoss, match="update 0.*train.lr"):
        updater.update(poisoned)
    assert torch.equal(weights(policy), before)
    updater.update(SAMPLES)  # and nothing of it is left in the gradients
    assert weights(policy).isfinite().all()


def test_the_gradient_norm_is_reported_before_clipping(make_policy: Callable[..., Policy]) -> None:
    free = make_updater(make_policy()).update(SAMPLES)["optim/grad_norm"]
    clipped = make_updater(make_policy(), max_grad_norm=free / 10).update(SAMPLES)["optim/grad_norm"]
    assert clipped == pytest.approx(free)
    norm = captured_gradient(make_policy(), SAMPLES, max_grad_norm=free / 10).norm().item()
    assert norm == pytest.approx(free / 10, rel=1e-4)


def test_a_loss_of_ones_own_is_one_function(make_policy: Callable[..., Policy]) -> None:
    def reinforce(logprobs, old_logprobs, advantages, mask):  # type: ignore[no-untyped-def]
        return torch.where(mask, -logprobs * advantages[:, None], 0.0)

    own = captured_gradient(make_policy(), SAMPLES, objective=Objective(reinforce, "token", 16, 0.8))
    ours = captured_gradient(make_policy(), SAMPLES)
    assert torch.allclose(own, ours, atol=TOLERANCE, rtol=1e-4), "on policy, REINFORCE and PPO have one gradient"


def test_weight_decay_spares_norms_and_biases(policy: Policy) -> None:
    decayed, spared = make_updater(policy, weight_decay=0.1).optimizer.param_groups
    assert decayed["weight_decay"] == 0.1 and spared["weight_decay"] == 0.0
    assert {p.ndim for p in decayed["params"]} == {2} and {p.ndim for p in spared["params"]} == {1}


def test_the_learning_rate_warms_up_and_decays() -> None:
    def rates(schedule: str) -> list[float]:
        return [learning_rate(u, num_updates=10, peak=2.0, warmup=2, schedule=schedule, floor=0.2) for u in range(11)]

    assert rates("constant") == [1.0] + [2.0] * 10
    assert rates("linear")[2] == 2.0 and rates("linear")[6] == pytest.approx(1.1) and rates("linear")[10] == 0.2
    assert rates("cosine")[6] == pytest.approx(0.2 + 1.8 * 0.5) and rates("cosine")[10] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="cosine"):
        rates("step")


def test_bf16_compute_keeps_fp32_parameters_and_state(make_policy: Callable[..., Policy]) -> None:
    policy = make_policy(dtype=torch.bfloat16)
    updater = make_updater(policy)
    metrics = updater.update(SAMPLES)
    assert math.isfinite(metrics["loss/total"])
    assert {p.dtype for p in policy.model.parameters()} == {torch.float32}
    assert {s["exp_avg"].dtype for s in updater.optimizer.state.values()} == {torch.float32}


RECIPE_LR = 1e-6
MOVED_WITHIN = 0.05  # of what full fp32 moves


def movement(policy: Policy, updates: int = 100) -> torch.Tensor:
    """How far Adam at the real recipe's learning rate moves the weights."""
    before = weights(policy)
    updater = make_updater(policy, schedule=lambda update: RECIPE_LR, max_grad_norm=1.0)
    for _ in range(updates):
        updater.update(SAMPLES)
    return weights(policy) - before


def test_bf16_compute_moves_fp32_weights_as_full_fp32_does(make_policy: Callable[..., Policy]) -> None:
    """At a learning rate that bf16 weights would round away: an update is a fraction of their last bit."""
    full, mixed = (movement(make_policy(dtype=dtype)) for dtype in (torch.float32, torch.bfloat16))
    assert full.norm() > 0 and abs(mixed.norm() / full.norm() - 1) < MOVED_WITHIN
    assert (mixed - full).norm() < 0.15 * full.norm(), "in the same direction, but for the signs of tiny gradients"
    rounded = make_policy()
    rounded.model.to(torch.bfloat16)
    assert movement(rounded).float().norm() < 0.5 * full.norm(), "which bf16 weights do not"
