"""Sampling with the training model itself: a plain decode loop over transformers' forward pass and KV cache.

Nothing of the model's generation_config is used, so no repetition penalty changes the distribution.
Prompts are computed once per group, rows that have ended are dropped from the cache, and the weights are the policy's
own: there is nothing to synchronise. Left out: continuous batching and paged caches; that is what the others are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy, load_policy, untied

__all__ = ["CopyEngine", "HFEngine"]

COMPACT_AT = 1 / 8  # share of ended rows at which copying the cache costs less than computing them


@dataclass
class _Row:
    """A completion being written."""

    prompt: int
    sample: int
    token_ids: list[int]
    logprobs: list[float]
    ended: bool = False

    def output(self, *, terminated: bool = False, finished: bool = True) -> GenerationOutput:
        """What there is of it."""
        return GenerationOutput(
            self.prompt, self.sample, tuple(self.token_ids), tuple(self.logprobs), terminated, finished
        )


class HFEngine(Engine):
    """Samples from a `Policy` with its own weights."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        params.check(prompts)
        generator = torch.Generator(self._policy.device).manual_seed(params.seed)
        rows = [_Row(prompt, sample, [], []) for prompt in range(len(prompts)) for sample in range(params.num_samples)]
        decoding = _Decoding(self._policy, prompts, params.num_samples)
        while True:
            token_ids, logprobs = _sample(decoding.logits, params, generator)
            for row, token_id, logprob in zip(rows, token_ids.tolist(), logprobs.tolist(), strict=True):
                if row.ended:
                    continue
                row.token_ids.append(token_id)
                row.logprobs.append(logprob)
                terminated = token_id in self._policy.stop_ids
                row.ended = terminated or len(row.token_ids) == params.limit(row.prompt)
                if row.ended:
                    yield row.output(terminated=terminated)
            active = [index for index, row in enumerate(rows) if not row.ended]
            if not active:
                return
            self.on_step()
            if self.interrupted():
                yield from [rows[index].output(finished=False) for index in active]
                return
            if len(active) <= len(rows) * (1 - COMPACT_AT):
                rows = [rows[index] for index in active]
                token_ids = token_ids[active]
                decoding.keep(active)
            decoding.advance(token_ids)


class CopyEngine(HFEngine):
    """The same with a copy of the model, where the trained one is sharded over several ranks; for the CPU."""

    def __init__(self, model: str, *, stop_ids: Iterable[int], dtype: str) -> None:
        """
        Args:
            model: A checkpoint's directory or hub name.
            stop_ids: Any of these token ids ends a completion.
            dtype: Of the matrix products.
        """
        policy = load_policy(model, device=torch.device("cpu"), compute_dtype=dtype, needs_chat=False)
        policy.stop_ids = frozenset(stop_ids)
        self._own = dict(untied(policy.model))
        super().__init__(policy)

    @torch.no_grad()
    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`. Raises: EngineDied when a weight is missing or unknown."""
        given = dict(weights)
        if other := sorted(given.keys() ^ self._own.keys()):
            raise EngineDied(f"the engine's model has other weights than it was given: {other[0]}, ...")
        for name, tensor in given.items():
            self._own[name].copy_(tensor)


class _Decoding:
    """The state of a batch of unfinished completions: cache, mask, positions and the logits of the next token."""

    def __init__(self, policy: Policy, prompts: Sequence[Sequence[int]], num_samples: int) -> None:
        self._policy = policy
        self._cache = DynamicCache(config=policy.model.config)
        longest = max(map(len, prompts))
        input_ids = torch.zeros(len(prompts), longest, dtype=torch.int64)
        mask = torch.zeros(len(prompts), longest, dtype=torch.int64)
        for index, prompt in enumerate(prompts):  # padded on the left: every row's last token is its newest
            input_ids[index, longest - len(prompt) :] = torch.tensor(prompt)
            mask[index, longest - len(prompt) :] = 1
        self._mask = mask.to(policy.device)
        positions = (self._mask.cumsum(dim=1) - 1).clamp(min=0)
        logits = self._forward(input_ids.to(policy.device), positions)
        self._cache.batch_repeat_interleave(num_samples)
        self._mask = self._mask.repeat_interleave(num_samples, dim=0)
        self.logits = logits.repeat_interleave(num_samples, dim=0)  # [rows, V]

    def keep(self, rows: list[int]) -> None:
        """Forget all rows but these."""
        self._cache.batch_select_indices(torch.tensor(rows, device=self._policy.device))
        self._mask = self._mask[rows]

    def advance(self, token_ids: Tensor) -> None:
        """Append one token to every row and compute the logits of the next."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(token_ids), 1)], dim=1)
        positions = self._mask.sum(dim=1, keepdim=True) - 1
        self.logits = self._forward(token_ids[:, None], positions)

    def _forward(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """Logits after the last token of every row, [rows, V]."""
        with self._policy.autocast():
            output = self._policy.model(
                input_ids=input_ids,
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        logits: Tensor = output.logits[:, -1]
        return logits


def _sample(logits: Tensor, params: SamplingParams, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw one token per row; token ids, and their log-probs under softmax(z / T) whatever `top_p`, both [rows]."""
    distribution = (logits.float() / (params.temperature or 1.0)).log_softmax(dim=-1)
    if params.temperature == 0:
        token_ids = distribution.argmax(dim=-1)
    else:
        probs = distribution.exp() if params.top_p == 1 else _most_probable(distribution.exp(), params.top_p)
        token_ids = torch.multinomial(probs, 1, generator=generator).squeeze(-1)
    return token_ids, distribution.gather(-1, token_ids[:, None]).squeeze(-1)


def _most_probable(probs: Tensor, top_p: float) -> Tensor:
    """Probabilities with 0 for all but the most probable tokens, as few as reach `top_p` together; [rows, V].

    >>> _most_probable(torch.tensor([[0.25, 0.5, 0.125, 0.125]]), 0.6).tolist()
    [[0.25, 0.5, 0.0, 0.0]]
    """
    ordered, places = probs.sort(dim=-1, descending=True, stable=True)
    more_probable = ordered.cumsum(dim=-1) - ordered
    kept = torch.where(more_probable < top_p, ordered, 0.0)
    return torch.zeros_like(probs).scatter(-1, places, kept)
