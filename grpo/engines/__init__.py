"""Engines sample completions. They take and give token ids, never text, and yield each completion the moment it is complete.

What every engine promises: the distribution is softmax(z / T) and nothing else (no top-p, no penalties from a
generation_config); the sampled stop token is part of the completion; the same weights, prompts and seed give the same
completions. One contract suite runs over all of them.

    hf       samples with the trained model itself; there is nothing to synchronise
    paged    transformers' continuous batching, what hf means on a GPU
    vllm     vLLM, in this process
    process  any engine in a process of its own, where it can sample while this one trains
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from grpo.errors import HostFailed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Engine", "EngineDied", "GenerationOutput", "check_request"]


@dataclass(frozen=True)
class GenerationOutput:
    """One finished completion: the `sample`-th to prompt number `prompt`.

    `logprobs` are natural logs under softmax(z / T), one per token. Not `terminated` means it ran out of tokens.
    """

    prompt: int
    sample: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    terminated: bool


class EngineDied(HostFailed):
    """The engine failed or its process ended; the message holds what it said last. `restart` makes a new one."""


class Engine(Protocol):
    """Samples groups of completions from the weights it was given last."""

    @property
    def concurrent(self) -> bool:
        """Whether it can sample while the trainer changes its own weights."""

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        num_samples: int,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[GenerationOutput]:
        """Yield `num_samples` completions to every prompt, each as soon as it ends.

        Args: prompts, token ids, none empty; num_samples per prompt; max_tokens per completion; temperature, 0 = greedy
            (log-probs are then those at temperature 1); seed of this call's sampling.
        Raises: ValueError for an empty prompt or a limit below 1; EngineDied.
        """
        ...

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """Sample from these from now on: all weights of the model by their names in a checkpoint."""

    def sleep(self) -> None:
        """Give the device's memory away until the next `load_weights`, where the engine can; it cannot sample then."""

    def restart(self) -> None:
        """Start anew after EngineDied; weights have to be loaded again."""

    def close(self) -> None:
        """Give memory and processes back."""


def check_request(prompts: Sequence[Sequence[int]], *, num_samples: int, max_tokens: int) -> None:
    """Refuse to sample nothing.

    Raises: ValueError.
    """
    if not all(prompts) or num_samples < 1 or max_tokens < 1:
        raise ValueError(
            f"got {len(prompts)} prompts, the shortest of {min(map(len, prompts), default=0)} tokens, "
            f"num_samples {num_samples}, max_tokens {max_tokens}: all must be at least 1"
        )
