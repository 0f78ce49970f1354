"""Rows as tokens, by the same code that asks a model for them in training."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from grpo.model.policy import Policy
from tiny.warmstart import Encoded

__all__ = ["encode_rows", "mixed_batches"]

PROMPT_WEIGHT = 0.1  # of a prompt's token in the loss: prompts repeat their code, so they teach to copy
WINDOW = 8  # batches


def encode_rows(
    rows: Iterable[Mapping[str, Any]], policy: Policy, *, max_prompt_tokens: int, max_completion_tokens: int
) -> Iterator[Encoded]:
    """Demonstrations as tokens, without those that are too long.

    Args:
        rows: As `tiny_formats.rows.drawn_rows` gives them.
        policy: Its tokenizer has tokens for filling in the middle.
        max_prompt_tokens: Of a prompt.
        max_completion_tokens: Of an answer, with the token that ends it.
    """
    for row in rows:
        prompt, completion = _encoded(row, policy)
        if len(prompt) <= max_prompt_tokens and len(completion) <= max_completion_tokens:
            weights = (PROMPT_WEIGHT,) * (len(prompt) - 1) + (1.0,) * len(completion)
            yield Encoded((*prompt, *completion), weights)


def _encoded(row: Mapping[str, Any], policy: Policy) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Prompt and answer of a row as tokens."""
    prompt, completion = row["prompt"], row["completion"]
    if row.get("infill") == "tokens":
        return policy.encode_infill(row["prefix"], row["suffix"]), policy.encode_middle(completion)
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return policy.encode(messages), policy.encode_completion(completion)


def mixed_batches(encoded: Sequence[Encoded], batch_size: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches in random order; each round holds every demonstration once.

    Demonstrations are sorted by length among `WINDOW` batches: little is padded, and a batch has several tasks.
    """
    rng = random.Random(f"mixed {seed}")
    size = batch_size * WINDOW
    while True:
        order = rng.sample(encoded, len(encoded))
        for start in range(0, len(order), size):
            window = sorted(order[start : start + size], key=lambda item: len(item.token_ids))
            groups = [window[place : place + batch_size] for place in range(0, len(window), batch_size)]
            yield from rng.sample(groups, len(groups))
