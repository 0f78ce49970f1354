"""The settings that all contenders share, and how TRL splits its batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["LR", "NEVER", "BenchSettings", "trl_passes"]

NEVER = 1_000_000  # steps
TRL_PASS = 16  # completions in a forward and backward pass, at most
LR = 1e-6  # the weights change on both sides, and hardly


@dataclass(frozen=True)
class BenchSettings:
    """What both sides train, and on what."""

    model: str
    tasks: str
    prompts: int  # of a step
    group: int
    max_tokens: int
    beta: float
    threads: int
    dtype: str
    lora_rank: int = 0  # 0: all weights are trained


def trl_passes(completions: int) -> dict[str, Any]:
    """How TRL splits a batch of so many completions: passes of at most 16 need less padding than one for all."""
    size = max(size for size in range(1, TRL_PASS + 1) if completions % size == 0)
    return {"per_device_train_batch_size": size, "gradient_accumulation_steps": completions // size}
