"""Causal attention over the sequences of a `Layout`, for a transformers model.

`install` registers it: attention calls with a `Layout` follow it, all others (the engine's, with a cache) go to
transformers' own function. There are two ways, and `takes_ragged` chooses:

    ragged  CUDA, bf16 or fp16: torch's variable-length flash kernel takes all sequences at once, without padding
    padded  CPU, and CUDA in fp32, for which that kernel does not exist: `scaled_dot_product_attention` on each table

Under autocast a model's rotary embedding leaves query and key in the fp32 of its parameters' residual while the value
is in half precision. All three take the value's dtype here, which is what every matrix product of autocast does, before
anything asks for the dtype. Left out: sliding windows and soft-capped scores; `can_pack` is False for models that have
them, and they are padded by transformers' own attention.

The flash kernel's signature was read, and the call tested against its shape, for torch 2.11 (no `enable_gqa`: key and
value heads are repeated), 2.12 and 2.13 (`enable_gqa`). It ran on a GPU for none of them yet.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from grpo.model.packing import Layout

__all__ = ["can_pack", "install", "odd_head_size", "takes_ragged"]

NAME = "packed"  # name of the attention function in transformers' registry
CAUSAL = (-1, 0)  # the flash kernel's window: everything to the left, nothing to the right


def can_pack(model: PreTrainedModel) -> bool:
    """Whether every attention layer of the model is plainly causal and goes through transformers' interface."""
    config = model.config.get_text_config()
    plain = all(kind == "full_attention" for kind in getattr(config, "layer_types", None) or ())
    capped = getattr(config, "attn_logit_softcapping", None)
    return bool(getattr(model, "_supports_attention_backend", False)) and plain and not capped


def install(model: PreTrainedModel) -> None:
    """Let the model's attention follow the `Layout` that its forward pass gets as the keyword argument `layout`."""
    # For compiled layers: the lengths of a layout would make new code in every micro-batch.
    AttentionInterface.register(NAME, torch.compiler.disable(_attention))
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def takes_ragged(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether states of this dtype on this device go to the variable-length kernel; else they are padded.

    >>> takes_ragged(torch.device("cuda"), torch.bfloat16), takes_ragged(torch.device("cuda"), torch.float32)
    (True, False)
    >>> takes_ragged(torch.device("cpu"), torch.bfloat16)
    False
    """
    return device.type == "cuda" and dtype in (torch.float16, torch.bfloat16)


def odd_head_size(model: PreTrainedModel) -> int:
    """The size of the model's attention heads where the variable-length kernel cannot take it, else 0."""
    config = model.config.get_text_config()
    size = int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
    return size if size % 8 or size > 256 else 0


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    layout: Layout | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: from query [1, Hq, N, D], key and value [1, Hkv, N, D] to [1, N, Hq, D]."""
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    attend = _ragged if takes_ragged(value.device, value.dtype) else _padded
    q, k, v = (
        states[0].transpose(0, 1).to(value.dtype).index_select(0, layout.places)  # [S, H, D]
        for states in (query, key, value)
    )
    return attend(q, k, v, layout, scaling).index_select(0, layout.own)[None], None


def _padded(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the tables with their padding, which stands on the right, where no real token attends."""
    outputs = []
    for table in layout.tables:
        q, k, v = (table.pad(states).transpose(1, 2) for states in (query, key, value))  # [rows, H, width, D]
        grouped = q.shape[1] != k.shape[1]
        output = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=grouped)
        outputs.append(table.unpad(output.transpose(1, 2)))
    return torch.cat(outputs)  # [S, Hq, D]


def _ragged(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the sequences without padding, by torch's variable-length flash kernel."""
    extra: dict[str, Any] = {}
    if (groups := query.shape[1] // key.shape[1]) > 1:
        if _takes_grouped_heads(varlen_attn):
            extra["enable_gqa"] = True
        else:
            key, value = _repeat_heads(key, groups), _repeat_heads(value, groups)
    longest, ends = layout.longest, layout.ends
    output = varlen_attn(query, key, value, ends, ends, longest, longest, scale=scaling, window_size=CAUSAL, **extra)
    assert isinstance(output, Tensor)  # a pair only with return_aux
    return output


@cache
def _takes_grouped_heads(kernel: Callable[..., Any]) -> bool:
    """Whether the flash kernel of this torch can be given fewer key and value heads than query heads."""
    return "enable_gqa" in inspect.signature(kernel).parameters


def _repeat_heads(states: Tensor, times: int) -> Tensor:
    """Each head of [S, H, D] `times` times, one after the other; `repeat_interleave` may wait for the GPU."""
    return states[:, :, None].expand(-1, -1, times, -1).flatten(1, 2)
