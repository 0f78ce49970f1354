"""Loss and gradients equal TRL's over its own options, in one micro-batch and accumulated, aligned and misaligned.

Every batch has truncated rows, a row without any reward, a group with one scorable member, and an unknown sampler
log-prob. Old log-probs are those of another policy, so that every bound binds somewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agreement import GRADIENT_TOLERANCE, LOSS_TOLERANCE, TABLE, agree, errors
from oracle import Steps, outcome_of_trl, random_batch
from ours import outcome_of_ours

LOSS_TYPES = ("grpo", "bnpo", "dr_grpo", "dapo", "luspo", "cispo", "sapo", "vespo")
LEVELS = ("token", "sequence")
WELL_CONDITIONED = 0.2  # of the sum of the absolute terms
SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5)))
MODES = ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask")

# micro-batches per generation batch, per optimizer step, and which of them one step takes
CUTS: dict[str, tuple[int, int, Steps]] = {
    "one": (1, 1, [(0, 0)]),
    "accumulated": (4, 4, [(0, 0), (0, 1), (0, 2), (0, 3)]),
    "half a generation": (4, 2, [(0, 2), (0, 3)]),
    "two generations": (2, 4, [(0, 0), (0, 1), (1, 0), (1, 1)]),
}

# The fast suite compares every loss at every cut, and every other option at one cut and one seed.
EACH_CUT = [pytest.param(cut, marks=() if cut == "accumulated" else pytest.mark.slow) for cut in CUTS]
BOUNDS = [
    (None, 3.0),
    (0.9, 1.1),
    *(pytest.param(*pair, marks=pytest.mark.slow) for pair in [(0.8, None), (None, 1.05)]),
]


def sizes(cut: str) -> dict[str, Any]:
    """The GRPOConfig options of a cut of 16 rows."""
    per_generation, accumulation, _ = CUTS[cut]
    return {
        "per_device_train_batch_size": 16 // per_generation,
        "steps_per_generation": per_generation,
        "gradient_accumulation_steps": accumulation,
        "num_iterations": 3,  # never a divisor of the accumulation: TRL keeps old log-probs
    }


def check(option: str, cut: str = "one", *, seed: int = 0, **options: Any) -> None:
    """Compare, record, and show that the tolerances would have noticed.

    On the first random batches whose loss is not a small difference of large terms: rounding alone would exceed a
    relative tolerance there, whichever side is right.
    """
    options = {"loss_type": "grpo", **sizes(cut), **options}
    num_batches = 1 + max(index for index, _ in CUTS[cut][2])
    for attempt in range(seed * 100, seed * 100 + 90, 3):
        batches = [random_batch(attempt + index) for index in range(num_batches)]
        ours = outcome_of_ours(batches, CUTS[cut][2], **options)
        if abs(ours.loss) > ours.size * WELL_CONDITIONED:
            break
    assert abs(ours.loss) > ours.size * WELL_CONDITIONED
    trl = outcome_of_trl(batches, CUTS[cut][2], **options)
    TABLE[option].append(errors(ours, trl))
    assert agree(ours, trl), errors(ours, trl)
    assert not agree(replace(ours, loss=ours.loss * (1 + 3 * LOSS_TOLERANCE)), trl)
    largest = ours.logprobs.abs().max()
    assert not agree(replace(ours, logprobs=ours.logprobs + 3 * GRADIENT_TOLERANCE * largest), trl)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_every_loss_at_every_level_and_cut(loss_type: str, level: str, cut: str) -> None:
    check(f"loss_type={loss_type}", cut, loss_type=loss_type, importance_sampling_level=level)


@pytest.mark.parametrize("cut", EACH_CUT)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_every_loss_without_truncated_completions(loss_type: str, level: str, cut: str) -> None:
    options = {"loss_type": loss_type, "importance_sampling_level": level, "mask_truncated_completions": True}
    check("mask_truncated_completions=True", cut, **options)


@pytest.mark.parametrize("loss_type", ["grpo", "dapo", "luspo", "cispo"])
@pytest.mark.parametrize(("low", "high"), [(0.1, None), (0.2, 0.28), (0.05, 1.5), (0.5, 0.01)])
def test_every_bound_of_the_ratio(loss_type: str, low: float, high: float | None) -> None:
    check("epsilon, epsilon_high", loss_type=loss_type, epsilon=low, epsilon_high=high)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("positive", "negative"), [(0.5, 3.0), (2.0, 0.7)])
def test_every_sharpness_of_sapo(positive: float, negative: float, level: str) -> None:
    taus = {"sapo_temperature_pos": positive, "sapo_temperature_neg": negative}
    check("sapo_temperature_*", loss_type="sapo", importance_sampling_level=level, **taus)


@pytest.mark.parametrize("use_vllm", [True, False])
@pytest.mark.parametrize(("k", "rate"), [(1.0, 1.0), (0.5, 2.5), (4.0, 0.0)])
def test_every_kernel_of_vespo(k: float, rate: float, use_vllm: bool) -> None:
    kernel = {"vespo_k_pos": k, "vespo_lambda_pos": rate, "vespo_k_neg": rate + 1, "vespo_lambda_neg": k}
    mode = {"use_vllm": use_vllm, "vllm_importance_sampling_mode": "token_truncate"}
    check("vespo_k_*, vespo_lambda_*", loss_type="vespo", **kernel, **mode)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("loss_type", ["grpo", "bnpo", "dr_grpo", "dapo", "luspo"])
@pytest.mark.parametrize("delta", [1.1, 1.5])
def test_a_bound_on_both_sides(loss_type: str, level: str, delta: float) -> None:
    options = {"loss_type": loss_type, "importance_sampling_level": level, "epsilon": 0.05}
    check("delta", "accumulated", delta=delta, **options)


@pytest.mark.parametrize("cut", EACH_CUT)
@pytest.mark.parametrize("corrected", [True, False])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_a_kl_with_and_without_bias_correction(loss_type: str, level: str, corrected: bool, cut: str) -> None:
    options = {"loss_type": loss_type, "importance_sampling_level": level, "use_bias_correction_kl": corrected}
    check(f"beta=0.3, use_bias_correction_kl={corrected}", cut, beta=0.3, **options)


@pytest.mark.parametrize(("low", "high"), BOUNDS)
@pytest.mark.parametrize(
    ("mode", "loss_type"),  # TRL refuses VESPO with a correction of the sequence: it is one itself
    [(mode, kind) for mode in MODES for kind in LOSS_TYPES if kind != "vespo" or mode.startswith("token")],
)
def test_every_correction_for_the_sampler(mode: str, low: float | None, high: float | None, loss_type: str) -> None:
    bounds = {"vllm_importance_sampling_clip_min": low, "vllm_importance_sampling_clip_max": high}
    check(
        f"vllm_importance_sampling_mode={mode}",
        use_vllm=True,
        vllm_importance_sampling_mode=mode,
        loss_type=loss_type,
        **bounds,
    )


def test_no_correction_for_the_sampler() -> None:
    check("vllm_importance_sampling_correction=False", use_vllm=True, vllm_importance_sampling_correction=False)


@pytest.mark.parametrize("use_vllm", [True, False])
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("threshold", [0.01, 0.05, 0.2])
def test_bad_completions_far_off_policy_left_out(threshold: float, loss_type: str, use_vllm: bool) -> None:
    mode = {"use_vllm": use_vllm, "vllm_importance_sampling_mode": "token_truncate"}
    check("off_policy_mask_threshold", off_policy_mask_threshold=threshold, loss_type=loss_type, **mode)


@pytest.mark.parametrize("cut", EACH_CUT)
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("quantile", [0.0, 0.2, 0.7])
def test_tokens_of_high_entropy_alone(quantile: float, loss_type: str, cut: str) -> None:
    check("top_entropy_quantile", cut, top_entropy_quantile=quantile, loss_type=loss_type)


@pytest.mark.parametrize("cut", EACH_CUT)
@pytest.mark.parametrize("quantile", [1.0, 0.5])
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_an_entropy_bonus(loss_type: str, quantile: float, cut: str) -> None:
    check("entropy_coef", cut, entropy_coef=0.03, loss_type=loss_type, top_entropy_quantile=quantile)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@pytest.mark.parametrize("aggregation", ["sum_then_normalize", "normalize_then_sum"])
def test_advantages_of_every_kind_reach_the_loss(scale: str, aggregation: str) -> None:
    check("scale_rewards, multi_objective", scale_rewards=scale, multi_objective_aggregation=aggregation)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cut", EACH_CUT)
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_everything_at_once(loss_type: str, cut: str, seed: int) -> None:
    options = {
        "beta": 0.1,
        "use_vllm": True,
        "vllm_importance_sampling_mode": "token_truncate",
        "vllm_importance_sampling_clip_max": 1.2,
        "off_policy_mask_threshold": 0.1,
        "top_entropy_quantile": 0.8,
        "entropy_coef": 0.02,
        "mask_truncated_completions": True,
    }
    delta = {"delta": 1.4} if loss_type in ("grpo", "bnpo", "dr_grpo", "dapo", "luspo") else {}
    check("all of them", cut, loss_type=loss_type, seed=seed, **options, **delta)
