"""Engines sample answers. They take and give token ids, never text, and yield each answer the moment it is complete.

What every engine promises: the distribution is softmax(z / T) and nothing else (no top-p, no penalties from a
generation_config); the sampled stop token is part of the answer; the same weights, prompts and seed give the same
answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Engine", "Sampled"]


@dataclass(frozen=True)
class Sampled:
    """One finished answer: the `sample`-th to prompt number `prompt`.

    `logprobs` are natural logs under softmax(z / T), one per token. Not `terminated` means it ran out of tokens.
    """

    prompt: int
    sample: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    terminated: bool


class Engine(Protocol):
    """Samples groups of answers from the current weights."""

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        num_samples: int,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[Sampled]:
        """Yield `len(prompts) * num_samples` answers, each as soon as it ends; temperature 0 is greedy."""
        ...
