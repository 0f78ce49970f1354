"""A whole update of a 1.5B model on the completions of a step: seconds, tokens, memory beside the estimate."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch

from bench.machine import matmul_tflops
from gpu_checks.measuring import MIB, count_waits, peak, profiled, seconds_of
from gpu_checks.models import (
    compute_dtype,
    fast_recipe,
    make_updater,
    model_config,
    random_policy,
    real_samples,
    use_device,
    with_adapters,
)
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures, Skipped
from grpo.model.batching import TrainingSample, micro_batches
from grpo.update import Updater
from grpo_rust.memory_estimate import RUNTIME_BYTES, MemoryEstimate, estimate_memory, model_shape

__all__ = ["update_full", "update_lora"]

COMPLETIONS, SMALL_COMPLETIONS = 256, 16
REPEATS = 3
FLOPS, FROZEN_FLOPS = 6, 4  # a parameter and token, forward and backward; a frozen weight has no gradient
TIME_SHARE = 0.5  # of the limit, after which no further update begins
MAX_OVER_ESTIMATE = 1.25  # of the peak that torch reserved, over the estimate of --dry-run


def update_lora(settings: CheckSettings) -> Figures:
    """With adapters of the fast recipe's rank."""
    return _update(settings, int(fast_recipe()["lora"]["rank"]))


def update_full(settings: CheckSettings) -> Figures:
    """With all weights."""
    return _update(settings, 0)


def _update(settings: CheckSettings, rank: int) -> Figures:
    """Measure updates, then one micro-batch in a profile."""
    device = use_device(settings)
    config = model_config(settings)
    samples = real_samples(
        settings, config.vocab_size, completions=SMALL_COMPLETIONS if settings.small else COMPLETIONS
    )
    updated = _estimate(config.to_dict(), samples, rank, compute_dtype(device))
    settings.note(completions=len(samples), estimated_peak_mb=updated // MIB)
    _refuse_too_large(updated, device)
    policy = with_adapters(random_policy(config, device)) if rank else random_policy(config, device)
    updater = make_updater(policy)
    try:
        settings.note(first_update_s=round(seconds_of(lambda: updater.update(samples[:8]), device.type), 3))
        settings.note(**_speed(settings, updater, samples, config.to_dict()))
        part = _micro_batch(samples)
        settings.note(micro_batch_waits=count_waits(lambda: updater.update(part), device.type))
        found = profiled(lambda: updater.update(part), device.type)
    except torch.OutOfMemoryError as error:
        raise CheckFailed(
            f"out of memory, although the estimate is {updated / 1e9:.0f} GB: {str(error)[:200]}",
            "lower train.micro_batch_tokens, or set train.gradient_checkpointing=true",
        ) from error
    del found["kernels"]
    settings.note(micro_batch_completions=len(part), **{f"micro_batch_{key}": value for key, value in found.items()})
    _judge_memory(settings.figures)
    return {}


def _estimate(config: dict[str, object], samples: Sequence[TrainingSample], rank: int, dtype: torch.dtype) -> int:
    """Bytes of an update by the formula of --dry-run, without what sampling and the interpreter need."""
    shape = model_shape(config)
    assert shape is not None
    longest = max(len(sample.token_ids) for sample in samples)
    estimate: MemoryEstimate = estimate_memory(
        shape,
        dtype=str(dtype).removeprefix("torch."),
        reference=False,
        micro_batch_tokens=min(fast_recipe()["train"]["micro_batch_tokens"], longest * len(samples)),
        rows=len(samples),
        row_tokens=longest,
        lora_rank=rank,
    )
    return estimate.weights + estimate.adam + estimate.updating


def _refuse_too_large(needed: int, device: torch.device) -> None:
    """Skip what the card cannot hold by the estimate."""
    if device.type != "cuda":
        return
    free, _ = torch.cuda.mem_get_info()
    if needed + RUNTIME_BYTES > free:
        raise Skipped(f"does not fit: about {needed / 1e9:.0f} GB by the estimate, and {free / 1e9:.0f} GB are free")


def _speed(
    settings: CheckSettings, updater: Updater, samples: Sequence[TrainingSample], config: dict[str, object]
) -> Figures:
    """Seconds of whole updates, and rates; the first of them is measured for its memory too."""
    device = updater.policy.device.type
    times: list[float] = []
    memory = peak(lambda: times.append(seconds_of(lambda: updater.update(samples), device)), device)
    while len(times) < REPEATS and settings.left_s > (1 - TIME_SHARE) * settings.limit_s:
        times.append(seconds_of(lambda: updater.update(samples), device))
    seconds = statistics.median(times)
    batches = micro_batches(samples, max_tokens=fast_recipe()["train"]["micro_batch_tokens"])
    trained, computed = sum(len(s.completion_ids) for s in samples), sum(len(batch.input_ids) for batch in batches)
    shape = model_shape(config)
    assert shape is not None
    all_trained = all(weight.requires_grad for weight in updater.policy.model.parameters())
    per_token = shape.parameters * (FLOPS if all_trained else FROZEN_FLOPS)
    speed = 1e12 * matmul_tflops(device, compute_dtype(updater.policy.device))
    return {
        "update_s": round(seconds, 3),
        "updates_measured": len(times),
        "micro_batches": len(batches),
        "trained_tokens": trained,
        "computed_tokens": computed,
        "trained_tokens_per_s": round(trained / seconds, 1),
        "computed_tokens_per_s": round(computed / seconds, 1),
        "matmul_tflops": round(speed / 1e12, 3),
        "flops_per_parameter": per_token // shape.parameters,
        "mfu_trained": round(per_token * trained / seconds / speed, 4),
        "mfu_computed": round(per_token * computed / seconds / speed, 4),
        **memory,
    }


def _micro_batch(samples: Sequence[TrainingSample]) -> list[TrainingSample]:
    """The completions of the second micro-batch, or of the only one: the first holds the longest alone."""
    batches = micro_batches(samples, max_tokens=fast_recipe()["train"]["micro_batch_tokens"])
    return [samples[row] for row in batches[min(1, len(batches) - 1)].rows.tolist()]


def _judge_memory(figures: Figures) -> None:
    """Refuse a peak far above the estimate: a plan that says that a recipe fits would be wrong."""
    found, estimated = figures.get("peak_reserved_mb", 0), figures["estimated_peak_mb"]
    if found > MAX_OVER_ESTIMATE * estimated:
        raise CheckFailed(
            f"an update reserved {found} MB, and --dry-run would say {estimated} MB",
            "leave more room than --dry-run says, and report the JSON file",
        )
