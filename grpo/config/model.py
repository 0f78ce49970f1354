"""The policy: which model, in which precision, trained as a whole or through adapters."""

from __future__ import annotations

from dataclasses import dataclass

from grpo.config.sources import PUBLISHED
from grpo.schema import option

__all__ = ["ModelSection", "LoraSection"]


@dataclass(frozen=True)
class ModelSection:
    """The policy to start from."""

    path: str = option("assets/tiny-rust", "Hugging Face checkpoint directory, or the name of one on the hub")
    dtype: str = option(
        "float32",
        "type of matrix products and of frozen weights; trained ones are float32. float16 rounds 8 times finer than "
        "bfloat16: trainer and engine are closer, but a step whose scaled gradients overflow is skipped",
        choices=("float32", "bfloat16", "float16"),
        source="float32 is exact and fastest on CPUs without bfloat16 units; float16: arXiv 2510.26788",
    )


@dataclass(frozen=True)
class LoraSection:
    """Low-rank adapters that are trained in place of the model's weights."""

    rank: int = option(0, "rank of the matrices; 0: no LoRA, all weights are trained", low=0, high=4096)
    alpha: int = option(
        64, "the product of the two matrices is scaled by alpha / rank", low=1, high=100_000, source=PUBLISHED
    )
    targets: str = option(
        "all-linear",
        "layers with adapters: all-linear is all linear layers but the head; or their names: q_proj,v_proj",
        source=PUBLISHED,
    )
