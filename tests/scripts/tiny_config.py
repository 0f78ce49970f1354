"""The config.json of a toy model, for tests that compute from sizes; no test lives here."""

from __future__ import annotations

__all__ = ["TINY"]

TINY = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
    "tie_word_embeddings": True,
}
