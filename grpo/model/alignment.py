"""Weights at the addresses where torch itself would put them.

The last bits of a matrix product on a CPU depend on how its operands lie in memory. Weights that are read from a
safetensors file are a view of that file, and begin where its header ends: a checkpoint has another header than the
model that the run began with, so a resumed run would go on in other bits.
"""

from __future__ import annotations

from itertools import chain

import torch

__all__ = ["ALIGNMENT", "align_weights"]

ALIGNMENT = 64  # bytes, of every tensor that torch allocates on a CPU


def align_weights(model: torch.nn.Module) -> None:
    """Copy every parameter and buffer on a CPU that does not begin at a multiple of `ALIGNMENT`; values stay.

    >>> layer, memory = torch.nn.Linear(1, 4), torch.zeros(5)
    >>> layer.bias.data = memory[1:]
    >>> align_weights(layer)
    >>> layer.bias.data_ptr() % ALIGNMENT
    0
    """
    for tensor in chain(model.parameters(), model.buffers()):
        if tensor.device.type == "cpu" and tensor.data_ptr() % ALIGNMENT:
            tensor.data = tensor.data.clone()
