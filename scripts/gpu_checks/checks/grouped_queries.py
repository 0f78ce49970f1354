"""Attention with fewer heads of keys than of queries: as they are, with the keyword if there is one, or repeated."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import varlen
from torch.nn.functional import scaled_dot_product_attention

from gpu_checks.measuring import median_s
from gpu_checks.outcome import Figures

__all__ = ["grouped_queries"]

HEADS, KEY_HEADS, WIDTH = 12, 2, 128
SEQUENCES = 4
REPEATS = 5
Attend = Callable[[Tensor, Tensor, Tensor, bool], Tensor]


def grouped_queries(device: torch.device, *, tokens: int) -> Figures:
    """Milliseconds of a forward and a backward pass both ways, and their largest difference.

    Args:
        device: Where.
        tokens: Of all sequences together.
    """
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    q, k, v = (
        torch.randn(tokens, heads, WIDTH, device=device, dtype=dtype, requires_grad=True)
        for heads in (HEADS, KEY_HEADS, KEY_HEADS)
    )
    attend, has_keyword = _variable_length(device) if device.type == "cuda" else (_padded, True)

    def way(grouped: bool) -> Callable[[], list[Tensor]]:
        repeated = () if grouped else (HEADS // KEY_HEADS,)

        def work() -> list[Tensor]:
            key, value = (part.repeat_interleave(*repeated, dim=1) if repeated else part for part in (k, v))
            output = attend(q, key, value, grouped)
            return [output.detach(), *torch.autograd.grad(output.float().sum(), (q, k, v))]

        return work

    figures: Figures = {"gqa_has_keyword": has_keyword}
    figures["gqa_repeated_ms"] = round(1000 * median_s(way(False), device.type, repeats=REPEATS), 3)
    try:
        found = way(True)()
    except (RuntimeError, ValueError) as error:  # a torch without the keyword may refuse heads that differ
        return {**figures, "gqa_refused": str(error).partition("\n")[0][:200]}
    figures["gqa_grouped_ms"] = round(1000 * median_s(way(True), device.type, repeats=REPEATS), 3)
    figures["gqa_difference"] = max(float((a - b).abs().max()) for a, b in zip(found, way(False)(), strict=True))
    return figures


def _padded(query: Tensor, key: Tensor, value: Tensor, grouped: bool) -> Tensor:
    """Sequences of one length through the ordinary function."""
    q, k, v = (part.unflatten(0, (SEQUENCES, -1)).transpose(1, 2) for part in (query, key, value))
    return scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)


def _variable_length(device: torch.device) -> tuple[Attend, bool]:
    """Sequences end to end through the flash kernel, and whether this torch's has the keyword."""
    keywords = inspect.signature(varlen.varlen_attn).parameters
    causal: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in keywords else {"is_causal": True}
    has_keyword = "enable_gqa" in keywords

    def attend(query: Tensor, key: Tensor, value: Tensor, grouped: bool) -> Tensor:
        length = len(query) // SEQUENCES
        ends = torch.arange(0, len(query) + 1, length, dtype=torch.int32, device=device)
        extra = causal | ({"enable_gqa": True} if grouped and has_keyword else {})
        output: Any = varlen.varlen_attn(query, key, value, ends, ends, length, length, **extra)
        assert isinstance(output, Tensor)
        return output

    return attend, has_keyword
