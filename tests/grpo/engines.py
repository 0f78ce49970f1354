"""The engines that the contract suite runs over, started once for all tests that can share one."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from grpo.engines import Engine
from grpo.engines.hf import HFEngine
from grpo.engines.paged import PagedEngine
from grpo.engines.process import EngineProcess
from grpo.engines.served.command import ENVIRONMENT, serve_command
from grpo.engines.served.handshake import Needed, shape_of
from grpo.engines.served.owned import OwnedEngine, OwnServer
from grpo.engines.served.weights import SharedFolder
from grpo.engines.several import Several
from grpo.engines.vllm import TESTED, VLLMEngine
from grpo.model.policy import Policy

HAS_VLLM = importlib.util.find_spec("vllm") is not None
KINDS = ("hf", "paged", "vllm", "process", "several", "served")
"""process is vLLM in a process of its own, several two of continuous batching, served a server of vLLM."""
NEED_VLLM = ("vllm", "process", "served")
SLOW = ("several", "served")  # to start
OUT_OF_STEP = ("several", "served")  # completions that end in one step come in any order
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


def own_server(policy: Policy, directory: Path, **options: object) -> OwnServer:
    """A server of vLLM for a policy whose config is written to a directory first."""
    policy.save(directory)
    settings = {
        "--dtype": str(policy.compute_dtype).removeprefix("torch."),
        "--max-model-len": MAX_TOKENS,
        "--max-num-seqs": 32,
        "--kv-cache-memory-bytes": CACHE_BYTES,
        **options,
    }
    given = [str(word) for setting in settings.items() for word in setting]

    def command(port: int) -> list[str]:
        return serve_command(str(directory), ["--port", str(port), *given], on_gpu=False)

    environment = {**ENVIRONMENT, "PYTHONPATH": ":".join(sys.path), "VLLM_LOGGING_LEVEL": "WARNING"}
    return OwnServer(command, environment, directory / "server.log", start_s=900)


def served_settings(policy: Policy, directory: Path) -> dict[str, Any]:
    """What the engine of a server for a policy is told."""
    config = policy.model.config.get_text_config()
    dtype = str(policy.compute_dtype).removeprefix("torch.")
    folder = SharedFolder(directory, policy.compute_dtype)
    return {
        "stop_ids": policy.stop_ids,
        "needed": Needed(TESTED, shape_of(config), dtype, max_tokens=MAX_TOKENS, group_size=32),
        "way": lambda *_: folder,
        "stuck_after_s": 60.0,
    }


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
            if kind in ("vllm", *SLOW):  # vLLM knows one model a process, and the others are large
                for key in [key for key in self.running if key[0] == kind]:
                    self.running.pop(key).close()
            self.running[shape] = self._started(kind, policy, self.directory / f"model-{len(self.running)}")
        engine = self.running[shape]
        engine.load_weights(policy.weights())
        return engine

    def _started(self, kind: str, policy: Policy, directory: Path) -> Engine:
        """A new engine with weights of its own."""
        if kind == "served":
            return OwnedEngine(own_server(policy, directory), **served_settings(policy, self.directory))
        make = vllm_maker(policy, directory) if kind in NEED_VLLM else paged_maker(policy, directory)
        if kind == "several":
            one = partial(self.process, make, policy.compute_dtype)
            return Several({"first": one, "second": one}, say=print)
        return self.process(make, policy.compute_dtype) if kind == "process" else make()

    def process(self, make: Callable[[], Engine], dtype: torch.dtype) -> EngineProcess:
        """An engine in a process of its own."""
        return EngineProcess(make, dtype=dtype, log=self.directory / "engine.log")

    def close(self) -> None:
        """End them all."""
        for engine in self.running.values():
            engine.close()
