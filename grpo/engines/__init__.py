"""Engines sample completions. They take and give token ids, never text, and yield each completion when it ends.

Every engine promises: the distribution is softmax(z / T), cut to `top_p` if that is below 1, and nothing else (no
penalty from a generation_config); the sampled stop token is part of the completion; the same weights, prompts and seed
give the same completions. One contract suite runs over all of them.

    hf       samples with the trained model itself, so there are no weights to synchronise
    paged    transformers' continuous batching; what "hf" means on a GPU
    vllm     vLLM in this process
    process  any engine in a process of its own, where it samples while this process trains
    served   a `vllm serve` on this or another machine
    several  divides every call among engines, and does without those that die

A new engine is one subclass of `Engine`: `generate`, and whatever else differs from the defaults.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grpo.errors import HostFailed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Engine", "EngineDied", "GenerationOutput", "SamplingParams"]


@dataclass(frozen=True)
class SamplingParams:
    """How completions are sampled. `temperature` 0 is greedy; log-probs are then those at temperature 1.

    `written` continues completions that were interrupted: so many tokens at the end of each prompt are the completion's
    own already, and count towards `max_tokens`.

    `top_p` below 1 samples from the most probable tokens only, as few as have this probability together. It is for
    evaluations: training never sets it, since its loss reads log-probs under the whole distribution, and whether the
    log-probs of completions that were sampled so are those under the whole one differs between engines.
    """

    num_samples: int  # per prompt
    max_tokens: int  # per completion
    temperature: float
    seed: int  # of one call of `generate`
    top_p: float = 1.0
    numbers: tuple[int, ...] = ()  # of the prompts in the call that this is a part of; none: 0, 1, ...
    written: tuple[int, ...] = ()  # for each prompt; (): none anywhere
    goes_on: bool = True  # whether another call continues what an interruption leaves without an end

    def limit(self, prompt: int) -> int:
        """The most tokens that may follow a prompt.

        >>> SamplingParams(1, 10, 1.0, seed=0, written=(0, 7)).limit(1)
        3
        """
        return self.max_tokens - (self.written[prompt] if self.written else 0)

    def check(self, prompts: Sequence[Sequence[int]]) -> None:
        """Refuse a request that samples nothing.

        Raises:
            ValueError: For an empty prompt, a number below 1, a `top_p` that is not above 0 and at most 1, and for
                `written` that leaves no prompt, or nothing to sample.
        """
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; it must be above 0 and at most 1")
        if not all(prompts) or self.num_samples < 1 or self.max_tokens < 1:
            raise ValueError(
                f"got {len(prompts)} prompts, the shortest of {min(map(len, prompts), default=0)} tokens, "
                f"num_samples {self.num_samples}, max_tokens {self.max_tokens}: all must be at least 1"
            )
        if self.written and len(self.written) != len(prompts):
            raise ValueError(f"written has {len(self.written)} numbers for {len(prompts)} prompts")
        for prompt, written in zip(prompts, self.written, strict=False):
            if not 0 <= written < min(len(prompt), self.max_tokens):
                raise ValueError(
                    f"{written} of a prompt's {len(prompt)} tokens are written, max_tokens {self.max_tokens}: written "
                    "must be at least 0 and below both"
                )


@dataclass(frozen=True)
class GenerationOutput:
    """One completion: number `sample` of prompt number `prompt`.

    `logprobs` are natural logs under softmax(z / T), one per token. Not `terminated` means truncated: it ran out of
    tokens. Not `finished` means interrupted: more tokens may follow.
    """

    prompt: int
    sample: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    terminated: bool
    finished: bool = True
    versions: tuple[tuple[int, int], ...] = ()  # as `grpo.rollout.records.Versions`; engines know none


class EngineDied(HostFailed):
    """The engine failed or its process ended; the message quotes its last output. `restart` makes a new one."""


def _nothing() -> None:
    """What happens after a step where nobody asks."""


def _never() -> bool:
    """Whether to end early where nobody asks for it."""
    return False


class Engine(ABC):
    """Samples groups of completions from the weights it was given last.

    The defaults suit an engine that samples with the trained model itself and keeps nothing between calls.
    """

    concurrent: bool = False  # whether it can sample while the trainer changes its own weights
    seeds_prompts: bool = False  # whether a seed and a prompt's number decide its completions, whatever else is sampled
    on_step: Callable[[], None] = staticmethod(_nothing)  # called after every step of sampling, if the engine can
    interrupted: Callable[[], bool] = staticmethod(_never)  # asked after every step of sampling, if the engine can

    @abstractmethod
    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """Yield `params.num_samples` completions of every prompt, each as soon as it ends.

        Once it is `interrupted` it ends after its step, with what there is of every completion that has a token and no
        end: not `finished`, to be continued by `params.written`.

        Args:
            prompts: Token ids, none empty.
            params: How to sample.
        Raises:
            ValueError: As `SamplingParams.check`.
            EngineDied: When the engine fails.
        """

    def interrupt(self, asked: bool) -> None:
        """Interrupt what is sampled, also what begins later; or, with False, do so no longer. From any thread.

        An engine that cannot be interrupted samples to the end.
        """
        self.interrupted = lambda: asked

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """Sample from these weights from now on: all of the model, by their names in a checkpoint."""

    def probe(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams
    ) -> Sequence[tuple[str, Sequence[GenerationOutput]]]:
        """What each engine that samples here makes of the same prompts, so that each of them can be proved.

        Returns: Its name, empty where there is no other, and its completions.
        """
        return [("", list(self.generate(prompts, params)))]

    def abandon(self) -> None:
        """From another thread: give up the call that is running, if the engine can. It has to be restarted then."""

    def metrics(self) -> Mapping[str, float]:
        """What is worth logging of the time since the last call of this."""
        return {}

    def sleep(self) -> None:
        """Free device memory until the next `load_weights`, if the engine can. It cannot sample while asleep."""

    def restart(self) -> bool:
        """Start anew after EngineDied.

        Returns: Whether it has the weights that it had; else they have to be loaded again.
        """
        return False

    def close(self) -> None:
        """Free memory and end processes."""
