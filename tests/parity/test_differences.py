"""Where this project deliberately differs from TRL 1.16, each difference shown on TRL's own code.

what                    TRL 1.16                            here, and why
bnpo                    token mean of each micro-batch      token mean of the optimizer batch: a result must not
                                                            depend on how much memory there was (`trl_weights`
                                                            gives TRL's)
dapo, cispo, vespo      tokens of the generation batch,     tokens of the optimizer batch: exact at every step, not
                        rescaled                            on average (`trl_weights` gives TRL's)
entropy bonus           token mean of each micro-batch      "token" weights of the optimizer batch, same reason
top-entropy tokens      quantile of each micro-batch        of whatever is passed: the optimizer batch
loss and aggregation    tied by the name of the loss        any loss with any aggregation; `LOSSES` has the pairs
KL                      k3, times the ratio by default      k1, k2 or k3, in loss or reward, times the ratio only
                                                            where `ratio_weighted_kl` is called: the GRPO paper
                                                            does not
padding                 masked after `exp`: NaN or an       masked before: whatever stands there reaches neither
                        overflow there is a NaN loss        loss nor gradient
a group of equal        rounding residue / (0 + 1e-4)       exactly 0: there is nothing to learn from it
rewards
VESPO with bounds       padding adds log(bound) to the      only trained tokens count: no result may depend on
that exclude 1          sequence's weight                   the width of the batch
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from agreement import agree
from grpo.loss import entropy_bonus, kl_to_reference
from oracle import Batch, Steps, outcome_of_trl, random_batch
from ours import advantages_of, outcome_of_ours
from test_loss_parity import CUTS, sizes
from trl_forms import top_entropy_mask


def padded(batch: Batch, width: int, value: float = 0.0) -> Batch:
    """The same batch with more padding on the right."""

    def wider(values: Tensor) -> Tensor:
        return torch.nn.functional.pad(values, (0, width), value=value)

    return replace(
        batch,
        logprobs=wider(batch.logprobs),
        old_logprobs=wider(batch.old_logprobs),
        ref_logprobs=wider(batch.ref_logprobs),
        sampler_logprobs=wider(batch.sampler_logprobs),
        entropy=wider(batch.entropy),
    )


@pytest.mark.parametrize(
    ("loss_type", "aggregation"),
    [("grpo", "sequence"), ("bnpo", "token"), ("dr_grpo", "constant"), ("dapo", "token"), ("luspo", "sum")],
)
def test_weights_of_the_whole_batch_are_trls_where_nothing_is_cut(loss_type: str, aggregation: str) -> None:
    options = {"loss_type": loss_type, **sizes("one")}
    trl = outcome_of_trl([random_batch(0)], [(0, 0)], **options)
    assert agree(outcome_of_ours([random_batch(0)], [(0, 0)], weights="batch", aggregation=aggregation, **options), trl)


@pytest.mark.parametrize("loss_type", ["grpo", "dr_grpo", "luspo", "dapo"])
def test_weights_of_the_whole_batch_are_trls_where_a_step_takes_one_generation(loss_type: str) -> None:
    aggregation = {"grpo": "sequence", "dr_grpo": "constant", "luspo": "sum", "dapo": "token"}[loss_type]
    options, steps = {"loss_type": loss_type, **sizes("accumulated")}, CUTS["accumulated"][2]
    trl = outcome_of_trl([random_batch(0)], steps, **options)
    assert agree(outcome_of_ours([random_batch(0)], steps, weights="batch", aggregation=aggregation, **options), trl)


def test_bnpo_of_trl_depends_on_the_cut_and_ours_does_not() -> None:
    outcomes = {}
    for cut in ("one", "accumulated"):
        options, steps = {"loss_type": "bnpo", **sizes(cut)}, CUTS[cut][2]
        outcomes["trl", cut] = outcome_of_trl([random_batch(0)], steps, **options)
        outcomes["ours", cut] = outcome_of_ours([random_batch(0)], steps, weights="batch", **options)
    assert not agree(outcomes["trl", "accumulated"], outcomes["trl", "one"])
    assert agree(outcomes["ours", "accumulated"], outcomes["ours", "one"])


@pytest.mark.parametrize("loss_type", ["dapo", "cispo", "vespo"])
@pytest.mark.parametrize("cut", ["half a generation", "two generations"])
def test_trl_counts_the_tokens_of_the_generation_batch_and_we_those_of_the_step(loss_type: str, cut: str) -> None:
    options, steps = {"loss_type": loss_type, **sizes(cut)}, CUTS[cut][2]
    batches = [random_batch(0), random_batch(1)][: 1 + max(index for index, _ in steps)]
    trl = outcome_of_trl(batches, steps, **options)
    ours = outcome_of_ours(batches, steps, weights="batch", **options)
    assert not agree(ours, trl)
    if cut == "half a generation":  # one factor for the whole step
        factor = trl.loss / ours.loss
        assert torch.allclose(ours.logprobs * factor, trl.logprobs, rtol=1e-5, atol=1e-9)
        assert factor == pytest.approx(step_tokens(batches, steps, 4) / (int(batches[0].mask.sum()) * 2 / 4), rel=1e-5)


def step_tokens(batches: list[Batch], steps: Steps, per_generation: int) -> int:
    """Trained tokens of one optimizer step."""
    rows = len(batches[0].lengths) // per_generation
    return sum(int(batches[index].mask[micro * rows : (micro + 1) * rows].sum()) for index, micro in steps)


def test_the_entropy_bonus_of_trl_is_a_mean_of_means_and_ours_a_mean() -> None:
    batch, steps = random_batch(0), CUTS["accumulated"][2]
    batch = replace(batch, rewards=torch.zeros_like(batch.rewards))  # no advantage: the bonus is all there is
    trl = outcome_of_trl([batch], steps, loss_type="grpo", entropy_coef=0.5, **sizes("accumulated"))
    mean = entropy_bonus(batch.entropy, batch.mask, coefficient=0.5).sum() / batch.mask.sum()
    assert trl.loss != pytest.approx(mean.item(), rel=1e-4)
    one = outcome_of_trl([batch], [(0, 0)], loss_type="grpo", entropy_coef=0.5, **sizes("one"))
    assert one.loss == pytest.approx(mean.item(), rel=1e-6)


def test_tokens_of_high_entropy_are_chosen_in_each_micro_batch_by_trl() -> None:
    batch = random_batch(0)
    whole = top_entropy_mask(batch.entropy, batch.mask, fraction=0.2)
    pieces = [top_entropy_mask(batch.entropy[i : i + 4], batch.mask[i : i + 4], fraction=0.2) for i in (0, 4, 8, 12)]
    trl = outcome_of_trl([batch], CUTS["accumulated"][2], top_entropy_quantile=0.2, **sizes("accumulated"))
    assert not torch.equal(whole, torch.cat(pieces))
    assert not trl.logprobs[~torch.cat(pieces)].any() and trl.logprobs[~whole].any()


def test_trls_default_kl_has_another_gradient_on_policy_too() -> None:
    batch = random_batch(0)
    batch = replace(batch, logprobs=batch.old_logprobs, rewards=torch.zeros_like(batch.rewards))
    outcomes = [
        outcome_of_trl([batch], [(0, 0)], beta=1.0, use_bias_correction_kl=corrected, **sizes("one"))
        for corrected in (True, False)
    ]
    leaf = batch.logprobs.clone().requires_grad_()
    loss = kl_to_reference(leaf, batch.ref_logprobs, batch.mask).sum() / batch.mask.sum()
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert outcomes[0].loss == pytest.approx(outcomes[1].loss, rel=1e-6) == pytest.approx(loss.item(), rel=1e-6)
    assert torch.allclose(outcomes[1].logprobs, gradient, rtol=1e-5, atol=1e-9)
    assert not torch.allclose(outcomes[0].logprobs, gradient, rtol=1e-2)


@pytest.mark.parametrize("poison", [float("nan"), -float("inf"), -1e4])
def test_what_stands_in_the_padding_ruins_trls_loss_and_not_ours(poison: float) -> None:
    batch = random_batch(0)
    dirty = replace(batch, old_logprobs=batch.old_logprobs.masked_fill(~batch.mask, poison))
    options = {"loss_type": "grpo", **sizes("one")}
    trl, ours = (f([dirty], [(0, 0)], **options) for f in (outcome_of_trl, outcome_of_ours))
    clean = outcome_of_ours([batch], [(0, 0)], **options)
    assert not trl.logprobs.isfinite().all() or trl.loss != trl.loss
    assert ours.loss == clean.loss and torch.equal(ours.logprobs, clean.logprobs)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@pytest.mark.parametrize("aggregation", ["sum_then_normalize", "normalize_then_sum"])
def test_equal_rewards_leave_a_residue_in_trl_and_nothing_here(scale: str, aggregation: str) -> None:
    batch = random_batch(0, rows=24, kinds=1)
    rewards = torch.arange(24.0)[:, None] / 7
    rewards[:6] = 0.3  # whose mean of six is not 0.3 in fp32
    batch = replace(batch, rewards=rewards, num_generations=6)
    options = {"scale_rewards": scale, "multi_objective_aggregation": aggregation}
    size = {"num_generations": 6, "per_device_train_batch_size": 24}
    trl = outcome_of_trl([batch], [(0, 0)], **options, **size).advantages
    assert (trl[:6] != 0).any()
    assert (advantages_of(batch, options)[:6] == 0).all()


def test_padding_changes_vespo_in_trl_where_a_bound_excludes_one() -> None:
    options = {
        "loss_type": "vespo",
        "use_vllm": True,
        "vllm_importance_sampling_mode": "token_truncate",
        "vllm_importance_sampling_clip_max": 0.9,
        **sizes("one"),
    }
    batches = [random_batch(0), padded(random_batch(0), 4)]
    lengths = batches[1].lengths.clone()
    lengths[0] += 4  # one longer completion widens the batch; its own row is not compared
    batches[1] = replace(batches[1], lengths=lengths)
    trl = [outcome_of_trl([batch], [(0, 0)], **options).logprobs for batch in batches]
    ours = [outcome_of_ours([batch], [(0, 0)], **options).logprobs for batch in batches]
    tokens = batches[1].mask.sum() / batches[0].mask.sum()  # the normaliser of both
    assert torch.allclose(ours[1][1:, :12] * tokens, ours[0][1:], rtol=1e-5, atol=1e-9)
    assert not torch.allclose(trl[1][1:, :12] * tokens, trl[0][1:], rtol=1e-2, atol=1e-9)
