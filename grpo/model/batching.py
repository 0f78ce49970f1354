"""From completions to tensors: micro-batches of bounded size, in a fixed order.

A sequence is a prompt with a completion. The sequences of a micro-batch lie end to end in one row without padding, each
with its own positions. Completions to the same prompt share its tokens, so that the prompt is computed once. The
`Layout` (`grpo.model.packing`) says which tokens of the row each sequence attends to. Losses are per completion and
padded: [B, T].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grpo.device import send
from grpo.model.packing import Layout, lay_out

__all__ = ["MicroBatch", "TrainingSample", "cut", "micro_batches"]


@dataclass(frozen=True)
class TrainingSample:
    """One completion to train on."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    sampler_logprobs: tuple[float, ...]
    advantage: float
    truncated: bool = False  # ran out of tokens
    token_advantages: tuple[float, ...] | None = None  # of each completion token, in place of `advantage`

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The whole sequence."""
        return self.prompt_ids + self.completion_ids

    @property
    def has_advantage(self) -> bool:
        """Whether a token of it has an advantage that is not zero."""
        return self.advantage != 0.0 if self.token_advantages is None else any(self.token_advantages)


@dataclass(frozen=True)
class MicroBatch:
    """The completions of one forward pass: B completions of at most T tokens, on a row of N tokens."""

    rows: Tensor  # [B] int64: the index of each completion in the list it was cut from
    input_ids: Tensor  # [N] int64: the sequences end to end
    positions: Tensor  # [N] int64: of each token in its sequence
    layout: Layout  # which tokens each sequence attends to
    predictors: Tensor  # [M] int64: the place in the row that predicts each of the M completion tokens
    token_ids: Tensor  # [M] int64: the completion tokens, end to end
    slots: Tensor  # [M] int64: where they stand in the flattened [B, T]
    mask: Tensor  # [B, T] bool, True = a completion token
    sampler_logprobs: Tensor  # [B, T] fp32, padded with 0
    advantages: Tensor  # [B] fp32; [B, T], padded with 0, where a completion has them by the token

    def to(self, device: torch.device) -> MicroBatch:
        """The same batch on another device."""
        tensors = {name: send(part, device) for name, part in vars(self).items() if isinstance(part, Tensor)}
        return replace(self, layout=self.layout.to(device), **tensors)

    def pad(self, values: Tensor) -> Tensor:
        """One value for each completion token, [M], as [B, T] with 0 elsewhere; keeps the gradient."""
        flat = values.new_zeros(self.mask.numel())
        return flat.index_copy(0, self.slots, values).view(self.mask.shape)

    def unpad(self, values: Tensor) -> Tensor:
        """The inverse of `pad`: `values[mask]`, without waiting for the GPU to count the mask."""
        return values.flatten().index_select(0, self.slots)


def micro_batches(
    samples: Sequence[TrainingSample], *, max_tokens: int, share_prompts: bool = True
) -> list[MicroBatch]:
    """Cut samples into micro-batches of at most `max_tokens` tokens, the longest first.

    The longest come first so that a lack of memory shows at once. A sequence longer than `max_tokens` gets a
    micro-batch of its own.

    Args:
        samples: Each with at least one prompt token and one completion token.
        max_tokens: Tokens per micro-batch, a shared prompt counted once.
        share_prompts: Whether completions to one prompt in one micro-batch share its tokens.
    Returns: micro-batches whose `rows` together are a permutation of range(len(samples)).
    Raises: ValueError for a sample without prompt or completion tokens, or with another number of log-probs or
        advantages.

    >>> one, two = TrainingSample((1, 2), (3,), (-0.1,), 1.0), TrainingSample((1, 2), (4, 5), (-0.2, -0.2), -1.0)
    >>> [batch] = micro_batches([one, two], max_tokens=6)
    >>> batch.rows.tolist(), batch.input_ids.tolist(), batch.positions.tolist()
    ([1, 0], [1, 2, 4, 5, 3], [0, 1, 2, 3, 2])
    """
    for index, sample in enumerate(samples):
        if not sample.prompt_ids or not sample.completion_ids:
            raise ValueError(f"sample {index} has no prompt or no completion tokens; leave it out of the update")
        if len(sample.sampler_logprobs) != len(sample.completion_ids):
            raise ValueError(
                f"sample {index} has {len(sample.sampler_logprobs)} sampler_logprobs for {len(sample.completion_ids)} "
                "completion tokens; give one for each, NaN where it is unknown"
            )
        if sample.token_advantages is not None and len(sample.token_advantages) != len(sample.completion_ids):
            raise ValueError(
                f"sample {index} has {len(sample.token_advantages)} token_advantages for {len(sample.completion_ids)} "
                "completion tokens; give one for each, or None"
            )
    rows = cut(samples, max_tokens=max_tokens, share_prompts=share_prompts)
    return [_pack(part, [samples[row] for row in part], share_prompts) for part in rows]


def cut(samples: Sequence[TrainingSample], *, max_tokens: int, share_prompts: bool = True) -> list[list[int]]:
    """The places of the samples of each micro-batch, as `micro_batches` cuts them.

    >>> cut([TrainingSample((1,), (2,) * length, (), 1.0) for length in (3, 5, 1)], max_tokens=6)
    [[1], [0, 2]]
    """
    batches: list[list[int]] = []
    room = 0
    for row in _order(samples, share_prompts):
        sample = samples[row]
        known = share_prompts and room > 0 and samples[batches[-1][-1]].prompt_ids == sample.prompt_ids
        cost = len(sample.completion_ids if known else sample.token_ids)
        if cost > room:
            batches.append([])
            room, cost = max_tokens, len(sample.token_ids)
        batches[-1].append(row)
        room -= cost
    return batches


def _order(samples: Sequence[TrainingSample], share_prompts: bool) -> list[int]:
    """Indices of samples, the longest first; those that share a prompt together, at the place of their longest."""
    longest: dict[tuple[int, ...], int] = {}
    for sample in samples if share_prompts else ():
        longest[sample.prompt_ids] = max(longest.get(sample.prompt_ids, 0), len(sample.token_ids))
    ranks = {prompt: rank for rank, prompt in enumerate(longest)}  # so that ties keep their order

    def key(row: int) -> tuple[int, int, int]:
        sample = samples[row]
        return (-longest.get(sample.prompt_ids, 0), ranks.get(sample.prompt_ids, 0), -len(sample.token_ids))

    return sorted(range(len(samples)), key=key)


def _pack(rows: list[int], samples: list[TrainingSample], share_prompts: bool) -> MicroBatch:
    """One micro-batch of these samples."""
    starts: dict[tuple[int, ...], int] = {}  # prompt -> its first place in the row
    pieces: list[tuple[int, ...]] = []  # of the row
    sequences, num_tokens = [], 0
    for sample in samples:
        start = starts.get(sample.prompt_ids) if share_prompts else None
        if start is None:
            start = starts[sample.prompt_ids] = num_tokens
            pieces.append(sample.prompt_ids)
            num_tokens += len(sample.prompt_ids)
        pieces.append(sample.completion_ids)
        prompt = np.arange(start, start + len(sample.prompt_ids))
        sequences.append(np.append(prompt, np.arange(num_tokens, num_tokens + len(sample.completion_ids))))
        num_tokens += len(sample.completion_ids)
    positions = np.empty(num_tokens, dtype=np.int64)
    for places in sequences:
        positions[places] = np.arange(len(places))
    predictors = [p[len(s.prompt_ids) - 1 : -1] for p, s in zip(sequences, samples, strict=True)]
    lengths = np.array([len(sample.completion_ids) for sample in samples])
    mask = np.arange(lengths.max()) < lengths[:, None]
    sampler_logprobs = np.zeros(mask.shape, dtype=np.float32)
    sampler_logprobs[mask] = _concatenate([sample.sampler_logprobs for sample in samples], np.float32)
    return MicroBatch(
        rows=torch.tensor(rows),
        input_ids=torch.from_numpy(_concatenate(pieces, np.int64)),
        positions=torch.from_numpy(positions),
        layout=lay_out(sequences),
        predictors=torch.from_numpy(np.concatenate(predictors)),
        token_ids=torch.from_numpy(_concatenate([sample.completion_ids for sample in samples], np.int64)),
        slots=torch.from_numpy(mask.ravel().nonzero()[0]),
        mask=torch.from_numpy(mask),
        sampler_logprobs=torch.from_numpy(sampler_logprobs),
        advantages=_advantages(samples, mask),
    )


def _advantages(samples: Sequence[TrainingSample], mask: npt.NDArray[np.bool_]) -> Tensor:
    """One number for each completion, [B]; one for each token, [B, T], where a completion has them so."""
    if all(sample.token_advantages is None for sample in samples):
        return torch.tensor([sample.advantage for sample in samples], dtype=torch.float32)
    rows = [s.token_advantages or (s.advantage,) * len(s.completion_ids) for s in samples]
    padded = np.zeros(mask.shape, dtype=np.float32)
    padded[mask] = _concatenate(rows, np.float32)
    return torch.from_numpy(padded)


def _concatenate(parts: Sequence[Sequence[float]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The numbers of all parts, one part after the other."""
    return np.fromiter(chain.from_iterable(parts), dtype, count=sum(map(len, parts)))
