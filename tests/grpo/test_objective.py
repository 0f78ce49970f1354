"""The parts of an objective meet in the right order, on the whole optimizer batch, however that is cut."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch

from grpo.config import LossSection
from grpo.config.loss import LOSS_NAMES
from grpo.loss import LOSSES, clipped_policy_loss
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy
from grpo.objective import Mismatch, Objective, bind, token_gradient
from grpo.rollout.sums import reward_matrix
from letter_grader import LetterGrader
from test_collect import run
from test_update import OBJECTIVE, PPO, SAMPLES, captured_gradient, make_updater

TOLERANCE = 2e-6  # fp32 gradients of different summation order
VALUES = {n: v for n, v in vars(LossSection()).items() if isinstance(v, float)} | {"delta": math.inf}
TRUNCATED = [dataclasses.replace(SAMPLES[0], truncated=True), *SAMPLES[1:]]


def with_sampler(policy: Policy, ratio: float) -> list[TrainingSample]:
    """The samples as an engine reports them that gave each token 1 / ratio of the trainer's probability."""
    (batch,) = micro_batches(SAMPLES, max_tokens=1000)
    logprobs, _ = policy.completion_logprobs(batch, temperature=OBJECTIVE.temperature)
    shifted = (logprobs.detach() - math.log(ratio)).tolist()
    samples = list(SAMPLES)
    for place, row in enumerate(batch.rows.tolist()):
        length = len(SAMPLES[row].completion_ids)
        samples[row] = dataclasses.replace(SAMPLES[row], sampler_logprobs=tuple(shifted[place][:length]))
    return samples


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, atol=TOLERANCE, rtol=1e-4)


def test_the_settings_know_the_losses_there_are() -> None:
    assert LOSS_NAMES == tuple(LOSSES)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_every_loss_trains_and_is_indifferent_to_micro_batches(make_policy: Callable[..., Policy], name: str) -> None:
    function, aggregation = LOSSES[name]
    objective = Objective(
        bind(function, VALUES),
        aggregation,
        max_tokens=16,
        temperature=0.8,
        mismatch=Mismatch("token", "truncate", 0.0, 3.0),
        entropy_coefficient=0.01,
    )
    whole, pieces = (
        captured_gradient(make_policy(), SAMPLES, objective=objective, micro_batch_tokens=budget)
        for budget in (1000, 9)
    )
    assert whole.norm() > 100 * TOLERANCE
    assert close(whole, pieces)


@pytest.mark.parametrize("level", ["token", "geometric"])
def test_the_correction_multiplies_the_policy_gradient(make_policy: Callable[..., Policy], level: str) -> None:
    samples = with_sampler(make_policy(), ratio=2.0)
    corrected = dataclasses.replace(OBJECTIVE, mismatch=Mismatch(level, "truncate", 0.0, 3.0))
    plain = captured_gradient(make_policy(), samples)
    assert close(captured_gradient(make_policy(), samples, objective=corrected), 2 * plain)
    bounded = dataclasses.replace(OBJECTIVE, mismatch=Mismatch(level, "truncate", 0.0, 1.5))
    assert close(captured_gradient(make_policy(), samples, objective=bounded), 1.5 * plain)


def test_a_masked_correction_is_counted_and_teaches_nothing(policy: Policy) -> None:
    samples = with_sampler(policy, ratio=4.0)
    updater = make_updater(policy, dataclasses.replace(OBJECTIVE, mismatch=Mismatch("token", "mask", 0.0, 3.0)))
    metrics = updater.update(samples)
    assert metrics["policy/mismatch_dropped"] == 1.0 and metrics["policy/mismatch_weight"] == 0.0
    assert metrics["optim/grad_norm"] == 0.0
    assert metrics["policy/clipped_low"] == metrics["policy/clipped_high"] == 0.0, "dropped, and not clipped"
    assert metrics["policy/sampler_gap"] == pytest.approx(math.log(4), rel=1e-4)


def test_vespo_takes_the_correction_into_its_ratio(make_policy: Callable[..., Policy]) -> None:
    """phi(w) with w = 2^length, on policy: neither the plain gradient nor the plain gradient times c."""
    samples = with_sampler(make_policy(), ratio=2.0)[3:]  # one token, A = 0.5
    plain = Objective(bind(LOSSES["vespo"][0], VALUES), "token", max_tokens=16, temperature=0.8)
    corrected = dataclasses.replace(plain, mismatch=Mismatch("token", "truncate", 0.0, 3.0))
    phi = 2.0**2 * math.exp(3.0 * (1 - 2.0))  # k 2, lambda 3
    before, after = (captured_gradient(make_policy(), samples, objective=o) for o in (plain, corrected))
    assert close(after, phi * before) and not close(after, 2 * before)


def test_truncated_completions_are_left_out_and_still_counted_as_completions(
    make_policy: Callable[..., Policy],
) -> None:
    objective = dataclasses.replace(OBJECTIVE, aggregation="sequence", mask_truncated=True)
    masked = captured_gradient(make_policy(), TRUNCATED, objective=objective)
    zero = [dataclasses.replace(TRUNCATED[0], advantage=0.0), *TRUNCATED[1:]]
    expected = captured_gradient(make_policy(), zero, objective=dataclasses.replace(objective, mask_truncated=False))
    assert close(masked, expected)
    assert not close(masked, captured_gradient(make_policy(), TRUNCATED[1:], objective=objective))


def test_masked_completions_cost_no_forward_pass(policy: Policy) -> None:
    tokens: list[int] = []
    policy.model.base_model.register_forward_pre_hook(
        lambda _, __, kwargs: tokens.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    make_updater(policy, dataclasses.replace(OBJECTIVE, mask_truncated=True)).update(TRUNCATED)
    assert sum(tokens) == (3 + 2) + (1 + 1)


def test_an_entropy_bonus_raises_the_entropy(make_policy: Callable[..., Policy]) -> None:
    ends = []
    for coefficient in (0.0, 0.5):
        objective = dataclasses.replace(OBJECTIVE, entropy_coefficient=coefficient)
        updater = make_updater(make_policy(), objective, schedule=lambda update: 3e-3)
        ends.append([updater.update(SAMPLES)["policy/entropy"] for _ in range(6)][-1])
    assert ends[1] > ends[0] + 0.05


def test_an_entropy_bonus_is_the_gradient_of_the_mean_entropy(make_policy: Callable[..., Policy]) -> None:
    samples = [dataclasses.replace(sample, advantage=0.0) for sample in SAMPLES]
    objective = dataclasses.replace(OBJECTIVE, entropy_coefficient=0.25, aggregation="sequence")
    policy = make_policy()
    (batch,) = micro_batches(samples, max_tokens=1000)
    _, entropy = policy.completion_logprobs(batch, temperature=0.8, entropy_grad=True)
    mean = entropy[batch.mask].mean()
    expected = torch.cat([g.flatten() for g in torch.autograd.grad(-0.25 * mean, list(policy.model.parameters()))])
    assert close(captured_gradient(make_policy(), samples, objective=objective, micro_batch_tokens=9), expected)


def test_only_the_tokens_of_highest_entropy_are_trained_wherever_they_stand(make_policy: Callable[..., Policy]) -> None:
    objective = dataclasses.replace(OBJECTIVE, top_entropy_fraction=0.5)
    whole, pieces = (
        captured_gradient(make_policy(), SAMPLES, objective=objective, micro_batch_tokens=budget)
        for budget in (1000, 9)
    )
    assert close(whole, pieces)
    assert not close(whole, captured_gradient(make_policy(), SAMPLES))
    share = make_updater(make_policy(), objective).update(SAMPLES)["policy/masked"]
    assert share == pytest.approx(0.5, abs=0.2)


def test_bad_completions_too_far_off_policy_are_left_out(make_policy: Callable[..., Policy]) -> None:
    samples = with_sampler(make_policy(), ratio=1 / 4)  # the engine gave each token four times the probability
    objective = dataclasses.replace(OBJECTIVE, off_policy_max_kl=1.0)
    good = [s if s.advantage > 0 else dataclasses.replace(s, advantage=0.0) for s in samples]
    expected = captured_gradient(make_policy(), good)
    assert close(captured_gradient(make_policy(), samples, objective=objective), expected)


def test_a_kl_in_the_reward_lowers_it_by_the_completions_whole_kl(make_policy: Callable[..., Policy]) -> None:
    policy, reference = make_policy(seed=0), make_policy(seed=1)
    objective = Objective(PPO, "token", 16, 1.0, kl_beta=0.1, kl_estimate="k1", kl_in_reward=True)
    updater = make_updater(policy, objective, reference=reference, micro_batch_tokens=20)
    groups = run(policy, LetterGrader()).groups
    object.__setattr__(groups[0], "rewards", (1.0, None, 2.0))
    penalised, mean = updater.charge_kl(groups, reward_matrix(groups))
    total, tokens = 0.0, 0
    for row, group in enumerate(groups):
        for column, (completion, reward) in enumerate(zip(group.completions, group.rewards, strict=True)):
            if reward is None:
                assert penalised[row, column].isnan()
                continue
            zeros = (0.0,) * len(completion.token_ids)
            sample = TrainingSample(group.example.prompt_ids, completion.token_ids, zeros, 0.0)
            (batch,) = micro_batches([sample], max_tokens=99)
            ours, theirs = (p.completion_logprobs(batch, temperature=1.0)[0].sum().item() for p in (policy, reference))
            assert penalised[row, column].item() == pytest.approx(reward - 0.1 * (ours - theirs), abs=1e-4)
            total, tokens = total + ours - theirs, tokens + len(completion.token_ids)
    assert mean == pytest.approx(total / tokens, abs=1e-4)


def test_a_pass_cut_into_shares_updates_once_each_and_measures_from_the_start(policy: Policy) -> None:
    updater = make_updater(policy, num_minibatches=2, schedule=lambda update: 3e-2)
    metrics = updater.update(SAMPLES)
    assert updater.updates == 2
    assert metrics["policy/ratio_max"] > 1.2, "the second share was scored before the first update"
    once = make_updater(policy, num_minibatches=2, schedule=lambda update: 0.0)
    assert once.update(SAMPLES)["policy/ratio_max"] == pytest.approx(1.0, abs=1e-5)


def test_clipping_is_read_from_the_gradient_whatever_the_loss() -> None:
    logprobs = torch.tensor([[0.0, -1.0]], requires_grad=True)
    old, mask = torch.tensor([[-1.0, -1.0]]), torch.tensor([[True, True]])
    loss = clipped_policy_loss(logprobs, old, torch.tensor([1.0]), mask, clip_low=0.2, clip_high=0.2)
    assert token_gradient(loss, logprobs).tolist() == [[0.0, -1.0]]
    assert token_gradient(torch.zeros(1, 2), logprobs).tolist() == [[0.0, 0.0]]


def test_a_loss_that_is_already_averaged_is_refused(policy: Policy) -> None:
    def averaged(logprobs, old_logprobs, advantages, mask):  # type: ignore[no-untyped-def]
        return -(logprobs * advantages[:, None])[mask].mean()

    with pytest.raises(ValueError, match=r"the policy loss is \[\]; it must be \[3, 4\]"):
        make_updater(policy, dataclasses.replace(OBJECTIVE, policy_loss=averaged)).update(SAMPLES)


def test_bind_names_what_no_setting_gives() -> None:
    def mine(logprobs, old_logprobs, advantages, mask, *, warmth, clip_low):  # type: ignore[no-untyped-def]
        return logprobs

    with pytest.raises(ValueError, match="mine wants warmth, and there are .*clip_low"):
        bind(mine, VALUES)
    assert isinstance(bind(clipped_policy_loss, VALUES), partial)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimate", ["k1", "k2", "k3"])
def test_the_chosen_kl_is_charged(make_policy: Callable[..., Policy], estimate: str, weighted: bool) -> None:
    """On policy, by hand: the derivative of each estimate, and with the ratio the estimate itself on top of it."""
    policy, reference = make_policy(seed=0), make_policy(seed=1)
    objective = Objective(PPO, "token", 16, 0.8, kl_beta=0.3, kl_estimate=estimate, kl_ratio_weighted=weighted)
    found = captured_gradient(make_policy(seed=0), SAMPLES, objective=objective, reference=reference)
    (batch,) = micro_batches(SAMPLES, max_tokens=1000)
    logprobs, _ = policy.completion_logprobs(batch, temperature=0.8)
    d = (reference.completion_logprobs(batch, temperature=0.8)[0] - logprobs).detach()
    slopes = {"k1": torch.ones_like(d), "k2": -d, "k3": 1 - d.exp()}
    values = {"k1": -d, "k2": d.square() / 2, "k3": d.exp() - d - 1}
    slope = slopes[estimate] + (values[estimate] if weighted else 0)
    upstream = torch.where(batch.mask, -batch.advantages[:, None] + 0.3 * slope, 0) / batch.mask.sum()
    expected = torch.autograd.grad((logprobs * upstream).sum(), list(policy.model.parameters()))
    assert torch.allclose(found, torch.cat([g.flatten() for g in expected]), atol=10 * TOLERANCE, rtol=1e-3)
