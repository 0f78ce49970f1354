"""Keeps weights that are not trained in the dtype of the matrix products: 2 bytes each in place of 4.

Stored so are the matrices of linear layers and embeddings. Autocast would cast those of linear layers in every forward
pass, to the same numbers, so of them only the casts are saved. Embeddings are not cast by autocast: their rows come out
in fp32, so that the residual stream, and with it every norm, has the dtype that it has with trained weights. Norms and
biases stay fp32; they are less than 0.1 % of a model.

Public checkpoints are bf16: stored in bf16 they lose nothing, and log-probs and gradients have the bits that they have
with an fp32 copy. An fp32 checkpoint is rounded, once, as an engine rounds it when it gets the weights. Left out:
matrices of any other module (the stacked experts of a mixture), which stay fp32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["store_frozen"]


@torch.no_grad()
def store_frozen(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Store the frozen matrices of linear layers and embeddings in a dtype, in place. Weights with gradients stay.

    Args:
        model: Whose forward passes run under autocast to `dtype`.
        dtype: float32, where nothing changes, bfloat16 or float16.

    >>> layer = torch.nn.Linear(2, 3).requires_grad_(False)
    >>> store_frozen(layer, torch.bfloat16)
    >>> layer.weight.dtype, layer.bias.dtype
    (torch.bfloat16, torch.float32)
    """
    if dtype == torch.float32:
        return
    for module in model.modules():
        if not isinstance(module, (torch.nn.Linear, torch.nn.Embedding)) or module.weight.requires_grad:
            continue
        module.weight.data = module.weight.data.to(dtype)  # the parameter stays the same object, and tied ones tied
        if isinstance(module, torch.nn.Embedding):
            module.register_forward_hook(_rows_in_fp32)
    torch.cuda.empty_cache()  # an engine takes its memory from the driver; nothing happens without a GPU


def _rows_in_fp32(module: torch.nn.Module, arguments: Any, rows: Tensor) -> Tensor:
    """A hook: the rows of embeddings, [..., H], in fp32."""
    return rows.float()
