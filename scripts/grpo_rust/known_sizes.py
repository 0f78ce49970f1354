"""What is known of published models and data before they are downloaded: a plan and a benchmark need no more.

The values of each model's config.json, and the number of prompts in each file of the published experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["COMPLETIONS", "COMPLETIONS_PER_STEP", "known_config", "known_prompts", "model_names"]

COMPLETIONS = 15_000 * 4  # of the published epoch
COMPLETIONS_PER_STEP = 4 * 4


def _qwen(hidden: int, layers: int, heads: int, mlp: int) -> Mapping[str, Any]:
    """The config.json of a Qwen2.5-Coder, as far as sizes go."""
    return {
        "model_type": "qwen2",
        "vocab_size": 151_936,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 2,
        "intermediate_size": mlp,
        "max_position_embeddings": 32_768,
        "tie_word_embeddings": True,
    }


CONFIGS = {
    "qwen2.5-coder-0.5b": _qwen(896, 24, 14, 4864),
    "qwen2.5-coder-1.5b": _qwen(1536, 28, 12, 8960),
    "qwen2.5-coder-3b": _qwen(2048, 36, 16, 11_008),
}
PROMPTS = {"cargo_test_passed_train.parquet": 15_000, "cargo_test_passed_eval.parquet": 500}


def model_names() -> list[str]:
    """The models whose sizes are known, by short names."""
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
