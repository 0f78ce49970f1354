"""The engine that a recipe samples with, and how it gets new weights."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from grpo.distributed.place import outside_ranks
from grpo.engines import Engine
from grpo.engines.hf import CopyEngine, HFEngine
from grpo.engines.paged import PagedEngine
from grpo.engines.process import EngineProcess
from grpo.engines.vllm import VLLMEngine
from grpo.engines.weight_sync import SyncBounds, WeightSync
from grpo.model.policy import Policy
from grpo.rollout.records import Example
from grpo_rust.compose.turns import sequence_limit
from grpo_rust.engine_choice import choose_engine
from grpo_rust.recipe import Recipe

__all__ = ["build_engine", "build_sync", "engine_name", "refuse_engine", "takes_memory_at_sync"]

# The proof after new weights. In float32 the gap was measured as 4e-7 with continuous batching and 2e-6 with vLLM: 64
# tokens are enough (1,024 would make a sync of the shipped model take 5.6 s in place of 1.6), and one gap of 50 times
# as much is another policy. In bfloat16 64 tokens said 1e-4 where 1,024 said 8e-4 (EXPERIMENTS.md, 2026-11-27), and a
# model of 7B with logits in float32 on both sides is reported to have an RMS of 0.022. Three steps in a row, minutes,
# tell another policy from a bad draw; until then the correction of `loss.mismatch` bounds what the gap can do.
# The bounds of float16 are estimated: an eighth of bfloat16's, as its rounding is, with some room.
SYNC_BOUNDS = {
    "float32": SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=64, max_tokens=16),
    "bfloat16": SyncBounds(warn=0.03, stop=0.1, patience=3, tokens=1024, max_tokens=64),
    "float16": SyncBounds(warn=0.004, stop=0.015, patience=3, tokens=1024, max_tokens=64),
}
WARN_SHARE = 0.3  # of a `sampling.max_sync_gap` that the user sets
CACHE_BLOCK = 128  # tokens; vLLM's on a CPU, a multiple of its blocks on a GPU


def engine_name(recipe: Recipe, policy: Policy) -> str:
    """What samples for a policy: "hf", "paged" or "vllm"."""
    return choose_engine(recipe.sampling.engine, on_gpu=policy.device.type == "cuda")


def refuse_engine(recipe: Recipe, policy: Policy) -> None:
    """Check, before a run has a directory, what is known of its engine then.

    Raises:
        BadInput: When a server cannot sample for the run, or cannot be started here.
        EngineDied: When no server of several answers.
    """
    if recipe.sampling.servers:
        from grpo_rust.serving.engines import refuse_servers

        refuse_servers(recipe, policy, max_tokens=sequence_limit(recipe, policy))
    if recipe.sampling.data_parallel:
        from grpo_rust.serving.engines import refuse_own_server

        refuse_own_server(recipe, policy)


def build_engine(recipe: Recipe, policy: Policy, log: Path) -> Engine:
    """What samples for the recipe, to be closed in the end.

    Args:
        recipe: The settings.
        policy: Whose completions are sampled.
        log: For the output of an engine in a process of its own.
    Raises:
        EngineDied: When it cannot be started.
    """
    name = engine_name(recipe, policy)
    if name == "hf" and policy.is_whole:
        return HFEngine(policy)
    max_tokens = sequence_limit(recipe, policy)
    max_rows = recipe.train.prompts_per_step * recipe.sampling.group_size
    if recipe.sampling.elsewhere():
        from grpo_rust.serving.engines import build_engine_elsewhere

        cache = _cache_of(recipe, policy, rows=max_rows, tokens=max_tokens)
        return build_engine_elsewhere(recipe, policy, log, max_tokens=max_tokens, max_rows=max_rows, cache_bytes=cache)
    limits: dict[str, Any] = {
        "stop_ids": sorted(policy.stop_ids),
        "dtype": recipe.model.dtype,
        "max_tokens": max_tokens,
        "max_rows": max_rows,
    }
    make: Callable[[], Engine]
    if name == "hf":
        make = partial(CopyEngine, recipe.model.path, stop_ids=limits["stop_ids"], dtype=recipe.model.dtype)
    elif name == "vllm":
        cache = _cache_of(recipe, policy, rows=max_rows, tokens=max_tokens)
        limits |= {"runner": recipe.sampling.vllm_runner, "cuda_graphs": recipe.sampling.cuda_graphs}
        sleep = recipe.sampling.sleep
        make = partial(VLLMEngine, recipe.model.path, kv_cache_bytes=cache, can_sleep=sleep, **limits)
    else:
        make = partial(PagedEngine, recipe.model.path, device=policy.device.type, **limits)
    if policy.is_whole and not recipe.sampling.own_process:
        return make()
    return EngineProcess(
        make if policy.is_whole else partial(outside_ranks, make),
        dtype=policy.compute_dtype,
        log=log,
        threads=torch.get_num_threads(),
        stuck_after_s=recipe.sampling.stuck_after_s,
    )


def build_sync(recipe: Recipe, policy: Policy, engine: Engine, examples: Sequence[Example]) -> WeightSync | None:
    """What brings the policy's weights to the engine; None where they are the same."""
    if engine_name(recipe, policy) == "hf" and policy.is_whole:
        return None
    bounds = SYNC_BOUNDS[recipe.model.dtype]
    if stop := recipe.sampling.max_sync_gap:
        bounds = dataclasses.replace(bounds, warn=WARN_SHARE * stop, stop=stop)
    num_probes = bounds.tokens // bounds.max_tokens
    longest = min(bounds.max_tokens, recipe.sampling.max_completion_tokens)  # an engine takes no longer sequences
    bounds = dataclasses.replace(bounds, max_tokens=longest)
    return WeightSync(policy, engine, [example.prompt_ids for example in examples[:num_probes]], bounds)


def takes_memory_at_sync(recipe: Recipe, policy: Policy) -> bool:
    """Whether the engine takes new memory of the GPU after every sync, so that this process should hold none in vain.

    vLLM takes weights and cache when it wakes, and continuous batching takes its cache in every call. vLLM that does
    not sleep has all its memory from its start on: what the trainer has cached then serves its next update, where
    taking it from the driver again would cost time.
    """
    if policy.device.type != "cuda":
        return False
    return recipe.sampling.sleep or engine_name(recipe, policy) == "paged"


def _cache_of(recipe: Recipe, policy: Policy, *, rows: int, tokens: int) -> int:
    """The size of vLLM's cache, as the recipe says or as is needed."""
    return int(recipe.sampling.kv_cache_gb * 1e9) or _cache_bytes(policy, rows=rows, tokens=tokens)


def _cache_bytes(policy: Policy, *, rows: int, tokens: int) -> int:
    """The KV cache of so many sequences of so many tokens, in whole blocks."""
    config = policy.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * width * policy.compute_dtype.itemsize
    blocks = rows * math.ceil(tokens / CACHE_BLOCK) + 1
    return int(blocks * CACHE_BLOCK * per_token)
