"""Causal attention over sequences that lie end to end in one row, some of them with a prompt in common.

A micro-batch is one row of N tokens. Which of them each sequence sees is a table: `index[b, l]` is the place in the row
of token l of sequence b, so that a prompt shared by a group stands in the row once, and in the table once for each
answer. Everything but attention works on the N tokens; attention works on the table, where each sequence is plainly
causal.

`install` teaches this to a transformers model: attention calls that come with a `Layout` follow its table, all others
(the engine's, with a cache) go to transformers' own function. On the CPU sequences are padded inside attention only; on
CUDA the variable-length flash kernel of torch takes them as they are, in bf16 or fp16. Left out: sliding windows and
soft-capped scores; `can_pack` says no to models that have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = ["Layout", "can_pack", "install"]

NAME = "packed"  # of the attention function, as transformers knows it


@dataclass(frozen=True)
class Layout:
    """Where the tokens of each sequence stand in the row."""

    index: Tensor  # [B, L] int64: place in the row; padded on the right with any place
    place: Tensor  # [N] int64: where the output for each token of the row is found in the flattened table
    lengths: Tensor  # [B] int32: tokens of each sequence
    max_length: int  # L

    def to(self, device: torch.device) -> Layout:
        """The same layout on another device."""
        return Layout(self.index.to(device), self.place.to(device), self.lengths.to(device), self.max_length)


def can_pack(model: PreTrainedModel) -> bool:
    """Whether every attention of the model is plainly causal, and goes through transformers' interface."""
    config = model.config.get_text_config()
    plain = all(kind == "full_attention" for kind in getattr(config, "layer_types", None) or ())
    capped = getattr(config, "attn_logit_softcapping", None)
    return bool(getattr(model, "_supports_attention_backend", False)) and plain and not capped


def install(model: PreTrainedModel) -> None:
    """Let the model's attention follow a `Layout` that comes as the keyword argument `layout` of its forward pass."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


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
    """transformers' attention interface: query [1, Hq, N, D], key and value [1, Hkv, N, D] to [1, N, Hq, D]."""
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))  # [N, H, D]
    on_flash = query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)
    output = (_ragged if on_flash else _padded)(query, key, value, layout, scaling)
    return output[None], None


def _padded(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the table as it is; padding stands on the right, where no real token looks."""
    query, key, value = (
        states[layout.index.flatten()].unflatten(0, layout.index.shape).transpose(1, 2)  # [B, H, L, D]
        for states in (query, key, value)
    )
    grouped = query.shape[1] != key.shape[1]
    output = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=grouped)
    return output.transpose(1, 2).flatten(0, 1)[layout.place]  # [N, Hq, D]


def _ragged(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the sequences without padding, by torch's variable-length flash kernel."""
    width = layout.max_length
    real = torch.arange(width, device=query.device) < layout.lengths[:, None]  # [B, L]
    ends = torch.nn.functional.pad(layout.lengths.cumsum(0, dtype=torch.int32), (1, 0))
    before = (real.flatten().cumsum(0) - 1)[layout.place]  # [N]: the place in the unpadded table
    query, key, value = (states[layout.index[real]] for states in (query, key, value))
    output = varlen_attn(
        query,
        key,
        value,
        ends,
        ends,
        width,
        width,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(output, Tensor)  # and not a pair: nothing else was asked for
    return output[before]
