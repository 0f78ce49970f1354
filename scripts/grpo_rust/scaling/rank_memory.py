"""The memory of one rank of FSDP, and of a GPU that only samples, from the estimate for one GPU.

Weights, Adam's moments, gradients and a reference are divided among the ranks. Whole are: what a rank has gathered of
the model at one time (the ends of the model, and two layers: the one in use and the next), the gradient of a layer
before it is summed, the activations of its micro-batch, and an engine with its cache.
"""

from __future__ import annotations

import dataclasses

from grpo_rust.memory_estimate import RUNTIME_BYTES, MemoryEstimate, ModelShape
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.work import WIDTHS

__all__ = ["engine_bytes", "layer_parameters", "rank_memory"]

LAYERS_AT_ONCE = 2


def layer_parameters(shape: ModelShape) -> int:
    """The weights of one layer, its norms and biases not counted: less than 0.1 % of it.

    >>> layer_parameters(ModelShape("qwen2", 872, 1, 8, 16, 4, 32, 128))  # 8 * (2 * 8 + 2 * 4 + 3 * 16)
    576
    """
    ends = shape.linear_ends / shape.layers
    width = (ends - 2 * (shape.hidden + shape.kv_width) - 3 * (shape.hidden + shape.mlp)) / 2 - shape.hidden
    return round(shape.hidden * (2 * width + 2 * shape.kv_width + 3 * shape.mlp))


def rank_memory(memory: MemoryEstimate, shape: ModelShape, division: Division, *, dtype: str) -> MemoryEstimate:
    """What a rank holds.

    Args:
        memory: Of one GPU that does all the work, with the rows of one engine and the tokens of one micro-batch.
        shape: The model's sizes.
        division: Who does what; with one rank and a shared GPU nothing changes.
        dtype: The type of the matrix products.
    """
    ranks, layer = division.ranks, layer_parameters(shape)
    if not division.shared:
        memory = dataclasses.replace(memory, kv_cache=0, engine=0, beside_updates=0)
    if ranks == 1:
        return memory
    ends = shape.parameters - shape.layers * layer
    gathered = WIDTHS[dtype] * (ends + LAYERS_AT_ONCE * layer)
    unsummed = max(layer, ends) * memory.gradients // shape.parameters
    return dataclasses.replace(
        memory,
        weights=memory.weights // ranks,
        adam=memory.adam // ranks,
        reference=memory.reference // ranks,
        gradients=memory.gradients // ranks + unsummed,
        compute_copy=gathered,
    )


def engine_bytes(memory: MemoryEstimate) -> int:
    """What a GPU holds that only samples."""
    return RUNTIME_BYTES + memory.engine + memory.kv_cache
