"""Engines for the checks: which are installed, how they are made in a process of their own, and their gap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gpu_checks.outcome import CheckSettings, Figures
from grpo.engines import Engine, GenerationOutput
from grpo.engines.process import EngineProcess
from grpo.engines.vllm import VLLMEngine, VLLMMissing, require_vllm
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy

__all__ = ["engine_maker", "installed_engines", "logprob_gap", "start_engine"]

CACHE_BLOCK = 128  # tokens; a multiple of vLLM's blocks
MICRO_BATCH_TOKENS = 16_384


def installed_engines() -> list[str]:
    """The engines with weights of their own that can be tried here, the fastest first."""
    try:
        require_vllm()
    except VLLMMissing:
        return ["paged"]
    return ["vllm", "paged"]


def engine_maker(name: str, policy: Policy, directory: str, *, rows: int, tokens: int) -> Callable[[], Engine]:
    """What makes an engine in another process.

    Args:
        name: "vllm" or "paged".
        policy: Whose shape and dtype it has.
        directory: Where its config is.
        rows: Completions at once.
        tokens: Of prompt and completion together.
    """
    limits: dict[str, Any] = {
        "stop_ids": sorted(policy.stop_ids),
        "dtype": str(policy.compute_dtype).removeprefix("torch."),
        "max_tokens": tokens,
        "max_rows": rows,
    }
    if name == "vllm":
        cache = _cache_bytes(policy, rows=rows, tokens=tokens)
        return partial(VLLMEngine, directory, kv_cache_bytes=cache, can_sleep=True, **limits)
    from grpo.engines.paged import PagedEngine

    return partial(PagedEngine, directory, device=policy.device.type, **limits)


def start_engine(make: Callable[[], Engine], policy: Policy, settings: CheckSettings) -> EngineProcess:
    """The engine in a process of its own, with its output in the check's folder."""
    log: Path = settings.folder / "engine.log"
    return EngineProcess(make, dtype=policy.compute_dtype, log=log, threads=torch.get_num_threads())


@torch.no_grad()
def logprob_gap(policy: Policy, prompts: Sequence[Sequence[int]], completions: Sequence[GenerationOutput]) -> Figures:
    """How far the engine's log-probs are from the trainer's, over all tokens of completions at temperature 1."""
    samples = [TrainingSample(tuple(prompts[c.prompt]), c.token_ids, c.logprobs, 0.0) for c in completions]
    gaps = []
    for batch in micro_batches(samples, max_tokens=MICRO_BATCH_TOKENS):
        batch = batch.to(policy.device)
        logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
        gaps.append((logprobs - batch.sampler_logprobs)[batch.mask].double())
    gap = torch.cat(gaps)
    return {
        "gap_tokens": gap.numel(),
        "gap_mean_nats": float(gap.abs().mean()),
        "gap_rms_nats": float(gap.square().mean().sqrt()),
        "gap_max_nats": float(gap.abs().max()),
        "gap_bias_nats": float(gap.mean()),
    }


def _cache_bytes(policy: Policy, *, rows: int, tokens: int) -> int:
    """The KV cache of so many sequences, in whole blocks."""
    config = policy.model.config.get_text_config()
    width = config.hidden_size // config.num_attention_heads * config.num_key_value_heads
    blocks = rows * math.ceil(tokens / CACHE_BLOCK) + 1
    return int(blocks * CACHE_BLOCK * 2 * config.num_hidden_layers * width * policy.compute_dtype.itemsize)
