"""Causal attention over sequences that lie end to end in one row, some of which share a prompt.

A micro-batch is one row of N tokens. A table says which of them belong to each sequence: `table[b, l]` is the place in
the row of token l of sequence b. A prompt that a group shares stands in the row once, and in the table once for each
completion. Attention works on tables, in which each sequence is plainly causal; everything else works on the N tokens.
Sequences of similar length share a table, so that little of it is padding.

`install` gives this to a transformers model: attention calls with a `Layout` follow its tables, all others (the
engine's, with a cache) go to transformers' own function. On the CPU that is one call per table; on CUDA the
variable-length flash kernel of torch takes all sequences at once, in bf16 or fp16. Left out: sliding windows and
soft-capped scores; `can_pack` is False for models that have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = ["Layout", "can_pack", "install", "lay_out"]

NAME = "packed"  # name of the attention function in transformers' registry
SHORTEST = 0.75  # of the longest sequence of a table: a shorter one begins another table


@dataclass(frozen=True)
class Layout:
    """Where the tokens of each sequence stand in the row."""

    tables: tuple[Tensor, ...]  # each [b, l] int64: places in the row, padded on the right with any place
    real: tuple[Tensor, ...]  # each [b, l] bool, False = padding
    place: Tensor  # [N] int64: where each token of the row stands in the flattened tables

    def to(self, device: torch.device) -> Layout:
        """The same layout on another device."""
        tables, real = (tuple(part.to(device) for part in parts) for parts in (self.tables, self.real))
        return Layout(tables, real, self.place.to(device))


def lay_out(sequences: Sequence[Sequence[int]]) -> Layout:
    """The layout of sequences, each a list of places in the row; every place must occur in at least one of them.

    >>> layout = lay_out([[0, 1, 2], [0, 1, 3, 4]])  # two completions to the prompt in places 0 and 1
    >>> [table.tolist() for table in layout.tables], layout.place.tolist()
    ([[[0, 1, 3, 4], [0, 1, 2, 0]]], [0, 1, 6, 2, 3])
    """
    tables: list[list[Sequence[int]]] = []
    for sequence in sorted(sequences, key=len, reverse=True):
        if not tables or len(sequence) < SHORTEST * len(tables[-1][0]):
            tables.append([])
        tables[-1].append(sequence)
    padded, real, found, start = [], [], dict[int, int](), 0
    for table in tables:
        width = len(table[0])
        for row, sequence in enumerate(table):
            for column, place in enumerate(sequence):
                found.setdefault(place, start + row * width + column)
        start += len(table) * width
        padded.append(torch.tensor([[*sequence, *[0] * (width - len(sequence))] for sequence in table]))
        real.append(torch.arange(width) < torch.tensor([len(sequence) for sequence in table])[:, None])
    return Layout(tuple(padded), tuple(real), torch.tensor([found[place] for place in range(len(found))]))


def can_pack(model: PreTrainedModel) -> bool:
    """Whether every attention layer of the model is plainly causal and goes through transformers' interface."""
    config = model.config.get_text_config()
    plain = all(kind == "full_attention" for kind in getattr(config, "layer_types", None) or ())
    capped = getattr(config, "attn_logit_softcapping", None)
    return bool(getattr(model, "_supports_attention_backend", False)) and plain and not capped


def install(model: PreTrainedModel) -> None:
    """Let the model's attention follow the `Layout` that its forward pass gets as the keyword argument `layout`."""
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
    """transformers' attention interface: from query [1, Hq, N, D], key and value [1, Hkv, N, D] to [1, N, Hq, D]."""
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))  # [N, H, D]
    on_flash = query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)
    output = (_ragged if on_flash else _padded)(query, key, value, layout, scaling)
    return output[None], None


def _padded(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the tables with their padding, which stands on the right, where no real token attends."""
    outputs = []
    for table in layout.tables:
        q, k, v = (states[table.flatten()].unflatten(0, table.shape).transpose(1, 2) for states in (query, key, value))
        grouped = q.shape[1] != k.shape[1]  # [b, H, l, D]
        output = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=grouped)
        outputs.append(output.transpose(1, 2).flatten(0, 1))  # [b * l, Hq, D]
    return torch.cat(outputs)[layout.place]  # [N, Hq, D]


def _ragged(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scaling: float | None) -> Tensor:
    """Attention over the sequences without padding, by torch's variable-length flash kernel."""
    index = torch.cat([table[real] for table, real in zip(layout.tables, layout.real, strict=True)])
    lengths = torch.cat([real.sum(dim=1) for real in layout.real])
    ends = torch.nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
    unpadded = torch.cat([real.flatten() for real in layout.real]).cumsum(0) - 1
    longest = layout.tables[0].shape[1]
    output = varlen_attn(
        query[index],
        key[index],
        value[index],
        ends,
        ends,
        longest,
        longest,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(output, Tensor)  # a pair only with return_aux
    return output[unpadded[layout.place]]
