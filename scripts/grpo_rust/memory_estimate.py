"""How much memory a model needs to be trained, by formula from its config.json: nothing is loaded.

Knows dense decoders of the Llama family (Llama, Mistral, Qwen2, Qwen3). The byte counts of activations were measured on
Qwen2 by summing what autograd saves; the rest follows from shapes. Not counted: what an allocator loses to fragments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ADAM_BYTES", "MemoryEstimate", "ModelShape", "estimate_memory", "model_shape", "read_model_shape"]

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
HALF = (32, 8)
ACTIVATION_BYTES = {"float32": (36, 16), "bfloat16": HALF, "float16": HALF}  # a token, layer: x hidden, x MLP width
HEAD_TILES, TILE_TOKENS, VOCAB_SLICE = 3, 4096, 8192  # fp32: what `grpo.logprobs` holds of the logits, at most
ADAM_BYTES = {"adamw": 8, "adamw8bit": 2 + 8 / 256}  # a parameter: two moments, of 8 bits with a scale a block of each
RUNTIME_BYTES = 700 * 2**20  # the interpreter with torch and transformers; on a GPU, its context and graphs
PAGE_TOKENS = 256  # the largest page of an engine's cache
SAMPLER_BYTES = 12  # of an engine, for a row and token of the vocabulary: logits, their fp32 copy, and vLLM's counts


@dataclass(frozen=True)
class ModelShape:
    """The sizes in a config.json that memory depends on."""

    family: str
    parameters: int
    layers: int
    hidden: int
    mlp: int
    kv_width: int  # heads of keys x their width
    vocabulary: int
    linear_ends: int  # inputs and outputs of all linear layers but the head: LoRA has rank x this many weights


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by purpose. What sampling and updates need does not add up where the engine frees its memory between."""

    weights: int  # fp32; with LoRA the base in the dtype of the matrix products, and fp32 adapters
    adam: int  # two moments
    reference: int  # the starting policy, in the dtype of the matrix products
    gradients: int  # fp32, of what is trained
    compute_copy: int  # what autocast keeps of the weights that are trained; frozen ones have its dtype
    activations: int  # one micro-batch
    head: int  # tiles of the logits; they never exist as a whole
    kv_cache: int  # all completions of a step
    engine: int  # an engine's own weights, the buffer that new weights are sent in, and the sampler's logits
    beside_updates: int  # what an engine holds while the policy is updated

    @property
    def updating(self) -> int:
        """Bytes that only an update needs."""
        return self.gradients + self.compute_copy + self.activations + self.head

    @property
    def peak(self) -> int:
        """The most bytes in use at one time."""
        always = RUNTIME_BYTES + self.weights + self.adam + self.reference
        always += RUNTIME_BYTES if self.engine else 0
        return always + max(self.engine + self.kv_cache, self.beside_updates + self.updating)


def model_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """The sizes of a model; None for a family whose formula is not known here.

    Args:
        config: The content of a Hugging Face config.json.

    Raises:
        KeyError: For a missing size.

    >>> tiny = {"model_type": "qwen2", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
    ...         "vocab_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
    >>> model_shape(tiny).parameters  # embeddings 256, attention 2 * 64 + 2 * 32 + 16, MLP 384, norms 24
    872
    """
    family = config["model_type"]
    if family not in FAMILIES:
        return None
    hidden, mlp, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    heads = config["num_attention_heads"]
    head_width = config.get("head_dim") or hidden // heads
    width, kv_width = heads * head_width, (config.get("num_key_value_heads") or heads) * head_width
    attention = 2 * hidden * width + 2 * hidden * kv_width
    if family == "qwen2":
        attention += width + 2 * kv_width  # biases of q, k and v
    elif config.get("attention_bias"):
        attention += width + 2 * kv_width + hidden
    norms = 2 * hidden + (2 * head_width if family == "qwen3" else 0)
    mlp_biases = 2 * mlp + hidden if config.get("mlp_bias") else 0
    embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
    parameters = embeddings + layers * (attention + 3 * hidden * mlp + mlp_biases + norms) + hidden
    linear_ends = layers * (2 * (hidden + width) + 2 * (hidden + kv_width) + 3 * (hidden + mlp))
    return ModelShape(family, parameters, layers, hidden, mlp, kv_width, config["vocab_size"], linear_ends)


def read_model_shape(directory: Path) -> ModelShape | None:
    """The sizes of the model in a checkpoint directory; None for a family whose formula is not known here.

    Raises:
        ValueError: Where its config.json does not describe a model.
    """
    try:
        return model_shape(json.loads((directory / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{directory / 'config.json'} does not describe a model ({error!r})") from error


def estimate_memory(
    shape: ModelShape,
    *,
    dtype: str,
    reference: bool,
    micro_batch_tokens: int,
    rows: int,
    row_tokens: int,
    lora_rank: int = 0,
    gradient_checkpointing: bool = False,
    own_engine: bool = False,
    keeps: Collection[str] = (),
    cache_bytes: int = 0,
    optimizer: str = "adamw",
) -> MemoryEstimate:
    """Memory of training a model on one device.

    Args:
        shape: The model's sizes.
        dtype: The type of the matrix products, "float32", "bfloat16" or "float16".
        reference: Whether there is a frozen reference policy; with LoRA it needs no memory of its own. Norms and biases
            of frozen weights are fp32 and count as if they were not: less than 0.1 % of a model.
        micro_batch_tokens: Tokens of one forward and backward pass.
        rows: Completions that are sampled at once.
        row_tokens: The longest prompt and completion together.
        lora_rank: Rank of the adapters; 0: all weights are trained.
        gradient_checkpointing: Whether only the activations between layers, and those of one layer, are kept.
        own_engine: Whether the engine has weights of its own.
        keeps: What such an engine holds during updates: "weights", "cache".
        cache_bytes: Size of its KV cache; 0: what `rows` need.
        optimizer: A key of `ADAM_BYTES`; with 8 bits biases and norms, whose moments are fp32 all the same, count as
            if they had 8: less than 0.1 % of a model.

    Returns: bytes by purpose.
    """
    per_hidden, per_mlp = ACTIVATION_BYTES[dtype]
    width = 4 if dtype == "float32" else 2
    adapters = lora_rank * shape.linear_ends
    trained = adapters or shape.parameters
    layer = micro_batch_tokens * (per_hidden * shape.hidden + per_mlp * shape.mlp)
    between = micro_batch_tokens * shape.layers * 4 * shape.hidden
    pages = -(-row_tokens // PAGE_TOKENS) * PAGE_TOKENS if own_engine else row_tokens
    kv_cache = cache_bytes or rows * pages * shape.layers * 2 * shape.kv_width * width
    engine = 2 * width * shape.parameters + SAMPLER_BYTES * rows * shape.vocabulary if own_engine else 0
    return MemoryEstimate(
        weights=4 * adapters + (width if adapters else 4) * shape.parameters,
        adam=int(ADAM_BYTES[optimizer] * trained),
        reference=width * shape.parameters if reference and not adapters else 0,
        gradients=4 * trained,
        compute_copy=0 if dtype == "float32" else width * trained,
        activations=between + layer if gradient_checkpointing else shape.layers * layer,
        head=HEAD_TILES * 4 * min(micro_batch_tokens, TILE_TOKENS) * min(shape.vocabulary, VOCAB_SLICE),
        kv_cache=kv_cache,
        engine=engine,
        beside_updates=engine * ("weights" in keeps) + kv_cache * ("cache" in keeps),
    )
