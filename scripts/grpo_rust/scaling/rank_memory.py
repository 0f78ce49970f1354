"""The memory of one rank of FSDP, of a GPU that only samples, and of hosts, from the estimate for one GPU.

Weights (float32; frozen ones in the dtype of the matrix products), Adam's moments, gradients and a reference are
divided among the ranks. Whole are: what a rank has gathered of the model at one time (its ends as they are stored, and
two layers: the one in use and the next), the largest gradient before it is summed, the activations of its micro-batch,
and an engine with its cache.
"""

from __future__ import annotations

import dataclasses

from grpo_rust.memory_estimate import RUNTIME_BYTES, MemoryEstimate, ModelShape
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.work import ENDS_BYTES, WIDTHS, layer_parameters

__all__ = ["engine_bytes", "loading_bytes", "rank_memory"]

LAYERS_AT_ONCE = 2


def rank_memory(
    memory: MemoryEstimate, shape: ModelShape, division: Division, *, dtype: str, adapters: bool = False
) -> MemoryEstimate:
    """What a rank holds.

    Args:
        memory: Of one GPU that does all the work, with the rows of one engine and the tokens of one micro-batch.
        shape: The model's sizes.
        division: Who does what; with one rank and a shared GPU nothing changes.
        dtype: The type of the matrix products.
        adapters: Whether they alone are trained: all other weights are stored in `dtype` then.
    """
    ranks, layer = division.ranks, layer_parameters(shape)
    if not division.shared:
        memory = dataclasses.replace(memory, kv_cache=0, engine=0, beside_updates=0)
    if ranks == 1:
        return memory
    ends = shape.parameters - shape.layers * layer
    gathered = (WIDTHS[dtype] if adapters else ENDS_BYTES) * ends + WIDTHS[dtype] * LAYERS_AT_ONCE * layer
    unsummed = max(layer, ends) * memory.gradients // shape.parameters
    return dataclasses.replace(
        memory,
        weights=memory.weights // ranks,
        adam=memory.adam // ranks,
        reference=memory.reference // ranks,
        gradients=memory.gradients // ranks + unsummed,
        compute_copy=gathered,
    )


def engine_bytes(memory: MemoryEstimate, division: Division) -> int:
    """What a GPU holds that only samples: its part of an engine's weights and cache."""
    return RUNTIME_BYTES + (memory.engine + memory.kv_cache) // division.engine_width


def loading_bytes(shape: ModelShape, division: Division, *, per_machine: int) -> int:
    """What the memory of a host holds while its ranks load the model: each all of it in float32, before it is sharded.

    Args:
        shape: The model's sizes.
        division: Who does what.
        per_machine: GPUs of a machine.
    """
    return 4 * shape.parameters * min(division.ranks, per_machine)
