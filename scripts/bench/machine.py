"""The machine that a contender trains on: its name, how fast it multiplies matrices, and the GPU memory in use."""

from __future__ import annotations

import os
import time

import torch
from transformers import PreTrainedModel

from bench.turns import Turns

__all__ = ["device_name", "matmul_tflops", "model_facts", "note_device_memory"]


def device_name() -> str:
    """What the model is trained on."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{len(os.sched_getaffinity(0))} {os.uname().machine} cores"


def model_facts(model: PreTrainedModel, dtype: str, *, lora_rank: int = 0) -> dict[str, float]:
    """The number of a model's parameters without LoRA's, that rank, and the speed of the training's device."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parameters = sum(weight.numel() for name, weight in model.named_parameters() if ".lora_" not in name)
    facts = {"parameters": parameters, "lora_rank": lora_rank}
    return {**facts, "matmul_tflops": matmul_tflops(device, getattr(torch, dtype))}


def matmul_tflops(device: str, dtype: torch.dtype) -> float:
    """The speed of a large product of matrices, in 1e12 operations a second.

    On a CPU the product runs with as many threads as torch has now.
    """
    size = 8192 if device == "cuda" else 1024
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds) / 1e12


def note_device_memory(turns: Turns) -> None:
    """Record the highest GPU memory in use after a step so far; allocators keep what they once had."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        turns.facts["device_mb"] = max(turns.facts.get("device_mb", 0.0), (total - free) / 2**20)
