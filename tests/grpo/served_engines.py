"""Engines of a fake `vllm serve`, with small weights and prompts; tests of several files use them."""

from __future__ import annotations

from typing import Any

import torch

from fake_vllm_server import MODEL, FakeServer
from grpo.engines import GenerationOutput, SamplingParams
from grpo.engines.served.engine import ServedEngine
from grpo.engines.served.handshake import Needed
from grpo.engines.served.weights import SharedFolder

__all__ = ["NEEDED", "PARAMS", "PROMPTS", "ask", "connect", "ready", "weights"]

PROMPTS = [(10, 1), (11, 1), (12, 1)]
PARAMS = SamplingParams(num_samples=2, max_tokens=3, temperature=0.7, seed=5)
NEEDED = Needed(vllm="0.32", model=MODEL, dtype="float32", max_tokens=100, group_size=8)


def connect(server: FakeServer, folder: SharedFolder, *, stuck_after_s: float = 60.0, **changes: Any) -> ServedEngine:
    needed = Needed(**{**vars(NEEDED), **changes})
    return ServedEngine(server.url, stop_ids=[7, 3], needed=needed, way=lambda *_: folder, stuck_after_s=stuck_after_s)


def weights(number: float) -> dict[str, torch.Tensor]:
    return {"one": torch.full((2, 4), number), "two": torch.arange(3.0)}


def ready(server: FakeServer, folder: SharedFolder, **settings: Any) -> ServedEngine:
    engine = connect(server, folder, **settings)
    engine.load_weights(weights(1.0).items())
    return engine


def ask(engine: Any, params: SamplingParams = PARAMS) -> list[GenerationOutput]:
    return sorted(engine.generate(PROMPTS, params), key=lambda made: (made.prompt, made.sample))
