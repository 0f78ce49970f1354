"""Sizes of models and data that are known before anything is downloaded or loaded: what a plan and a benchmark need.

For published models the values of each config.json, for the published experiment the number of prompts in each file,
and for any other model its config.json, in a directory here or in the hub's cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grpo_rust.memory_estimate import ModelShape, model_shape, read_model_shape

__all__ = ["COMPLETIONS", "COMPLETIONS_PER_STEP", "find_model_shape", "known_config", "known_prompts", "model_names"]

COMPLETIONS = 15_000 * 4  # of the published epoch
COMPLETIONS_PER_STEP = 4 * 4


def _qwen(hidden: int, layers: int, heads: int, kv_heads: int, mlp: int, *, tied: bool = True) -> Mapping[str, Any]:
    """The sizes in the config.json of a Qwen2.5-Coder."""
    return {
        "model_type": "qwen2",
        "vocab_size": 151_936 if tied else 152_064,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": mlp,
        "max_position_embeddings": 32_768,
        "tie_word_embeddings": tied,
    }


def _llama(hidden: int, layers: int, heads: int, mlp: int, *, tied: bool) -> Mapping[str, Any]:
    """The sizes in the config.json of a Llama 3.1 or 3.2."""
    return {
        "model_type": "llama",
        "vocab_size": 128_256,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "intermediate_size": mlp,
        "max_position_embeddings": 131_072,
        "tie_word_embeddings": tied,
    }


# Those of 7B and more, and of Llama, are from copies of the config.json in public repositories, two of each.
CONFIGS = {
    "qwen2.5-coder-0.5b": _qwen(896, 24, 14, 2, 4864),
    "qwen2.5-coder-1.5b": _qwen(1536, 28, 12, 2, 8960),
    "qwen2.5-coder-3b": _qwen(2048, 36, 16, 2, 11_008),
    "qwen2.5-coder-7b": _qwen(3584, 28, 28, 4, 18_944, tied=False),
    "qwen2.5-coder-14b": _qwen(5120, 48, 40, 8, 13_824, tied=False),
    "llama-3.2-1b": _llama(2048, 16, 32, 8192, tied=True),
    "llama-3.2-3b": _llama(3072, 28, 24, 8192, tied=True),
    "llama-3.1-8b": _llama(4096, 32, 32, 14_336, tied=False),
}
PROMPTS = {"cargo_test_passed_train.parquet": 15_000, "cargo_test_passed_eval.parquet": 500}


def model_names() -> list[str]:
    """The short names of the models whose sizes are known."""
    return sorted(CONFIGS)


def known_config(name: str) -> Mapping[str, Any] | None:
    """The sizes of a model by its short name or its name on the hub; None for any other.

    >>> known_config("Qwen/Qwen2.5-Coder-1.5B-Instruct") == known_config("qwen2.5-coder-1.5b") != None
    True
    """
    return CONFIGS.get(name.rpartition("/")[2].lower().removesuffix("-instruct"))


def known_prompts(source: str) -> int | None:
    """How many prompts a published file has; None for any other."""
    return PROMPTS.get(Path(source).name)


def find_model_shape(path: str) -> tuple[ModelShape | None, str]:
    """The sizes of a model; None where they are not known, and why.

    Args:
        path: A checkpoint directory, or the name of a model on the hub; nothing is downloaded.

    Raises:
        ValueError: For a directory without a model, or a name that the hub cannot have.
    """
    directory = Path(path) if Path(path).is_dir() else _cached(path)
    if directory is None:
        published = known_config(path)
        if published:
            return model_shape(published), ""
        return None, "no directory here and not in the hub's cache: memory and time are unknown"
    shape = read_model_shape(directory)
    return shape, "" if shape else "an architecture whose memory formula is not known here"


def _cached(name: str) -> Path | None:
    """The directory of a hub model that was downloaded before."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise ValueError(f"neither a directory nor a name on the hub: {error}") from error
    return Path(found).parent if isinstance(found, str) else None
