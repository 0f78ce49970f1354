"""What the warm start in the formats begins with: the shipped model with more tokens and a layer more, and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2ForCausalLM, Qwen2Tokenizer

from grpo.model.policy import Policy
from tiny.tasks import demonstrations
from tiny.warmstart import Encoded
from tiny_formats.copying import with_previous_token_layer
from tiny_formats.encoding import encode_rows
from tiny_formats.growing import frequent_words, grow
from tiny_formats.idioms import FIM_TOKENS, FORMAT_IDIOMS
from tiny_formats.rows import drawn_rows

__all__ = ["Prepared", "prepare", "prepare_next_edits"]

WORDS = 300  # that get a token of their own
LOOKED_AT = 4000  # rows that these words are counted in
KNOWN = 2000  # demonstrations of `tiny.tasks`, which are spelled as before
MAX_PROMPT_TOKENS, MAX_COMPLETION_TOKENS = 400, 128
MAX_NEXT_EDIT_TOKENS = 448  # of their prompts


class Prepared(NamedTuple):
    """A model, its tokenizer, what it is to imitate, and texts to try a saved tokenizer with."""

    model: Qwen2ForCausalLM
    tokenizer: Qwen2Tokenizer
    encoded: list[Encoded]
    probe: list[str]


def prepare(start: Path, shipped: Path, count: int, *, seed: int) -> Prepared:
    """Draw demonstrations, give the model a first layer and the tokens that these need, and encode them.

    Args:
        start: The folder of the model to begin with.
        shipped: The folder of the shipped rows.
        count: Demonstrations.
        seed: Decides which.
    """
    model: Any = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(start)
    rows = drawn_rows(count, shipped, seed=seed)
    texts = list(chain.from_iterable(_texts(row) for row in rows[:LOOKED_AT] if "task" in row))
    known = demonstrations(KNOWN, mistaken=0.0, seed=seed)
    spelled = chain.from_iterable((item.prompt, item.completion) for item in known)
    grow(
        model,
        tokenizer,
        (*FORMAT_IDIOMS, *frequent_words(texts, spelled, tokenizer, FORMAT_IDIOMS, WORDS)),
        FIM_TOKENS,
    )
    model = with_previous_token_layer(model, seed=seed)
    return _encoded(model, tokenizer, rows, texts[:400], MAX_PROMPT_TOKENS)


def prepare_next_edits(start: Path, shipped: Path, count: int, *, seed: int) -> Prepared:
    """Draw more demonstrations of next edits for a model that knows the formats.

    Args:
        start: The folder of that model, from `prepare` and a warm start.
        shipped: The folder of the shipped rows.
        count: Demonstrations.
        seed: Decides which; another one than that of the model's own.
    """
    model: Any = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(start)
    rows = drawn_rows(count, shipped, seed=seed, shares={"next_edit": 1.0})
    texts = list(chain.from_iterable(_texts(row) for row in rows[:200]))
    return _encoded(model, tokenizer, rows, texts, MAX_NEXT_EDIT_TOKENS)


def _encoded(model: Any, tokenizer: Any, rows: Sequence[Any], probe: list[str], max_prompt_tokens: int) -> Prepared:
    policy = Policy(model, tokenizer, torch.device("cpu"), torch.float32, frozenset({tokenizer.eos_token_id}))
    limits = {"max_prompt_tokens": max_prompt_tokens, "max_completion_tokens": MAX_COMPLETION_TOKENS}
    encoded = list(encode_rows(rows, policy, **limits))
    model.set_attn_implementation("sdpa")  # in float32 a third faster than "eager"
    return Prepared(model, tokenizer, encoded, probe)


def _texts(row: Any) -> Iterator[str]:
    """The prompt and the answer of a row."""
    prompt: str | Sequence[Mapping[str, str]] = row["prompt"]
    yield prompt if isinstance(prompt, str) else prompt[-1]["content"]
    yield row["completion"]
