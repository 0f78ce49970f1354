"""Which GPUs an engine of its own gets, and whether a model can be divided among them."""

from __future__ import annotations

import os
from typing import Any

import torch

from grpo.errors import BadInput

__all__ = ["gpus_of_engine", "refuse_division"]


def gpus_of_engine(count: int) -> list[str]:
    """So many GPUs after those of the trainer, one for each of its processes here, as CUDA_VISIBLE_DEVICES names them.

    Args:
        count: sampling.tensor_parallel times sampling.data_parallel.
    Raises:
        BadInput: When there are fewer.
    """
    there = torch.cuda.device_count()
    named = [name for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if (name := part.strip())]
    names = (named or [str(index) for index in range(there)])[:there]
    trainers = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if trainers + count > len(names):
        raise BadInput(
            f"sampling.tensor_parallel times sampling.data_parallel is {count}, and the trainer has {trainers} of the "
            f"{len(names)} GPUs here: {max(0, len(names) - trainers)} are left for the engine. Use fewer, or "
            "sampling.data_parallel=0 to sample on the trainer's own GPU"
        )
    return names[trainers : trainers + count]


def refuse_division(config: Any, tensor_parallel: int) -> None:
    """Check that a model's heads can be divided among so many GPUs.

    Args:
        config: Of the model's text part, with its numbers of heads.
        tensor_parallel: GPUs that share a copy of the model.
    Raises:
        BadInput: When they cannot.
    """
    heads = config.num_attention_heads
    shared = getattr(config, "num_key_value_heads", None) or heads
    if heads % tensor_parallel or max(shared, tensor_parallel) % min(shared, tensor_parallel):
        fits = [n for n in range(1, heads + 1) if not heads % n and not max(shared, n) % min(shared, n)]
        raise BadInput(
            f"sampling.tensor_parallel = {tensor_parallel}: {heads} heads with {shared} keys and values cannot be "
            f"divided so; possible are {', '.join(map(str, fits))}"
        )
