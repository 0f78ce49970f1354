"""The engines that the contract suite runs over, started once for all tests that can share one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from grpo.engines import Engine
from grpo.engines.hf import HFEngine
from grpo.engines.paged import PagedEngine
from grpo.engines.process import EngineProcess
from grpo.engines.vllm import VLLMEngine
from grpo.model.policy import Policy

HAS_VLLM = importlib.util.find_spec("vllm") is not None
KINDS = ("hf", "paged", "vllm", "process")  # the last is vLLM in a process of its own
NEED_VLLM = ("vllm", "process")
MAX_TOKENS = 400  # of prompt and completion
CACHE_BYTES = 64_000_000


def paged_maker(policy: Policy, directory: Path) -> Callable[[], PagedEngine]:
    """What makes an engine with continuous batching for a policy whose config is written to a directory first."""
    policy.save(directory)
    dtype = str(policy.compute_dtype).removeprefix("torch.")
    return partial(
        PagedEngine,
        str(directory),
        stop_ids=sorted(policy.stop_ids),
        dtype=dtype,
        device=policy.device.type,
        max_tokens=MAX_TOKENS,
        max_rows=32,
    )


def vllm_maker(policy: Policy, directory: Path) -> Callable[[], VLLMEngine]:
    """What makes a vLLM engine for a policy whose config and tokenizer are written to a directory first."""
    policy.save(directory)
    dtype = str(policy.compute_dtype).removeprefix("torch.")
    return partial(
        VLLMEngine,
        str(directory),
        stop_ids=sorted(policy.stop_ids),
        dtype=dtype,
        max_tokens=MAX_TOKENS,
        max_rows=32,
        kv_cache_bytes=CACHE_BYTES,
        can_sleep=True,
    )


@dataclass
class Engines:
    """Engines by kind; those with weights of their own are kept for the next policy of the same shape."""

    directory: Path
    running: dict[tuple[object, ...], Engine] = field(default_factory=dict)

    def of(self, kind: str, policy: Policy) -> Engine:
        """An engine of a kind with the weights of a policy."""
        if kind == "hf":
            return HFEngine(policy)
        shape = (kind, policy.model.config.tie_word_embeddings, policy.compute_dtype, policy.stop_ids)
        if shape not in self.running:
            if kind == "vllm":  # vLLM knows one model a process
                for key in [key for key in self.running if key[0] == "vllm"]:
                    self.running.pop(key).close()
            maker = paged_maker if kind == "paged" else vllm_maker
            make = maker(policy, self.directory / f"model-{len(self.running)}")
            self.running[shape] = self.process(make, policy.compute_dtype) if kind == "process" else make()
        engine = self.running[shape]
        engine.load_weights(policy.weights())
        return engine

    def process(self, make: Callable[[], Engine], dtype: torch.dtype) -> EngineProcess:
        """An engine in a process of its own."""
        return EngineProcess(make, dtype=dtype, log=self.directory / "engine.log")

    def close(self) -> None:
        """End them all."""
        for engine in self.running.values():
            engine.close()
