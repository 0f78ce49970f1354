"""TRL's adaptive entropy bonus: its coefficient, and when it is applied, over a run of batches; and its metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grpo.loss.corrections import mismatch_weights
from grpo.loss.entropy import entropy_bonus
from grpo.loss.kl import kl_to_reference
from oracle import random_batch, trainer
from trl_forms import adapted_entropy_coefficient, mean_entropy

TOLERANCE = 1e-6  # relative, fp32
LIMITS = {"step": 0.3, "low": 0.1, "high": 1.0}


def test_the_adaptive_coefficient_and_its_gate_are_trls() -> None:
    oracle = trainer(
        reward_weights=[1.0, 0.5],
        loss_type="grpo",
        use_adaptive_entropy=True,
        entropy_coef=0.2,
        entropy_target=1.0,
        entropy_coef_delta=LIMITS["step"],
        entropy_coef_min=LIMITS["low"],
        entropy_coef_max=LIMITS["high"],
    )
    oracle.current_gradient_accumulation_steps = 1
    coefficient, last_entropy, seen = 0.2, float("inf"), set()
    for seed, scale in enumerate([0.8, 0.7, 0.9, 0.8, 2.0, 2.0, 2.0, 2.0, 0.8, 0.8]):
        batch = random_batch(seed)
        zero = torch.zeros_like(batch.rewards)  # no advantage: the loss is the bonus
        oracle.batch = batch = replace(batch, entropy=batch.entropy * scale, rewards=zero)
        loss = oracle._compute_loss(oracle.model, oracle._generate_and_score_completions([{"prompt": "x"}] * 16))
        applied = coefficient if last_entropy <= 1.0 else 0.0
        ours = entropy_bonus(batch.entropy, batch.mask, coefficient=applied).sum() / batch.mask.sum()
        assert loss.item() == pytest.approx(ours.item(), rel=TOLERANCE)
        last_entropy = mean_entropy(batch.entropy, batch.mask).item()
        coefficient = adapted_entropy_coefficient(coefficient, last_entropy, target=1.0, **LIMITS)
        assert oracle.entropy_coef == pytest.approx(coefficient, rel=TOLERANCE)
        seen.add(round(coefficient, 6))
    assert {0.1, 1.0} <= seen, "both limits were met"


def test_the_metrics_of_entropy_kl_and_correction_are_trls() -> None:
    bounds = {"vllm_importance_sampling_clip_min": 0.9, "vllm_importance_sampling_clip_max": 1.1}
    oracle = trainer(
        reward_weights=[1.0, 0.5],
        loss_type="dapo",
        beta=0.1,
        use_bias_correction_kl=False,
        use_vllm=True,
        vllm_importance_sampling_mode="token_mask",
        **bounds,
    )
    oracle.current_gradient_accumulation_steps = 1
    oracle.batch = batch = random_batch(0)
    oracle._compute_loss(oracle.model, oracle._generate_and_score_completions([{"prompt": "x"}] * 16))
    metrics, mask = oracle._metrics["train"], batch.mask
    kl = kl_to_reference(batch.logprobs, batch.ref_logprobs, mask).sum() / mask.sum()
    old, sampler = batch.old_logprobs, batch.sampler_logprobs
    weights = mismatch_weights(old, sampler, mask, level="token", bound="mask", low=0.9, high=1.1)
    assert metrics["entropy"] == [pytest.approx(mean_entropy(batch.entropy, mask).item(), rel=TOLERANCE)]
    assert metrics["kl"] == [pytest.approx(kl.item(), rel=TOLERANCE)]
    mean = metrics["sampling/importance_sampling_ratio/mean"]
    assert mean == [pytest.approx(weights[mask].mean().item(), rel=TOLERANCE)]
    assert mean != [pytest.approx(weights[mask].mean().item() * (1 + 1e-5), rel=TOLERANCE)]
