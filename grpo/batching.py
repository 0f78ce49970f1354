"""From answers to tensors: micro-batches of bounded size, in a fixed order.

A row is prompt + answer, padded on the right, so positions count from 0 and causal attention never looks at padding.
Rows of similar length share a micro-batch, and no micro-batch holds more than `max_tokens` tokens, padding included.
Left out: packing several rows into one sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["MicroBatch", "Sample", "micro_batches"]


@dataclass(frozen=True)
class Sample:
    """One answer to train on."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    sampler_logprobs: tuple[float, ...]
    advantage: float
    truncated: bool = False  # ran out of tokens


@dataclass(frozen=True)
class MicroBatch:
    """The rows of one forward pass; B rows, L tokens in the longest row, T in the longest answer."""

    rows: Tensor  # [B] int64: the index of each row in the list it was cut from
    input_ids: Tensor  # [B, L] int64, padded on the right with 0
    attention_mask: Tensor  # [B, L] bool, True = a real token
    trained: Tensor  # [B, L] bool, True where the *next* token belongs to the answer
    mask: Tensor  # [B, T] bool, True = an answer token; mask.sum() == trained.sum()
    completion_ids: Tensor  # [B, T] int64, padded with 0
    sampler_logprobs: Tensor  # [B, T] fp32, padded with 0
    advantages: Tensor  # [B] fp32

    def to(self, device: torch.device) -> MicroBatch:
        """The same batch on another device."""
        return MicroBatch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def micro_batches(samples: Sequence[Sample], *, max_tokens: int) -> list[MicroBatch]:
    """Cut samples into micro-batches of at most `max_tokens` padded tokens, longest rows first.

    The longest come first so that memory that does not suffice fails at once and not an hour later. A single row longer
    than `max_tokens` gets a micro-batch of its own.

    Args: samples, each with at least one prompt and one answer token; max_tokens, padded tokens per micro-batch.
    Returns: micro-batches whose `rows` together are a permutation of range(len(samples)).
    Raises: ValueError for a sample without prompt or answer tokens.

    >>> one, two = Sample((1, 2), (3,), (-0.1,), 1.0), Sample((1,), (4,), (-0.2,), -1.0)
    >>> [batch.rows.tolist() for batch in micro_batches([two, one], max_tokens=6)]
    [[1, 0]]
    """
    for index, sample in enumerate(samples):
        if not sample.prompt_ids or not sample.completion_ids:
            raise ValueError(f"sample {index} has no prompt or no answer tokens; leave it out of the update")
    order = sorted(range(len(samples)), key=lambda row: -_length(samples[row]))  # stable: ties keep their order
    batches: list[list[int]] = []
    for row in order:
        if batches and (len(batches[-1]) + 1) * _length(samples[batches[-1][0]]) <= max_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return [_pad(rows, [samples[row] for row in rows]) for rows in batches]


def _length(sample: Sample) -> int:
    """Tokens of prompt and answer together."""
    return len(sample.prompt_ids) + len(sample.completion_ids)


def _pad(rows: list[int], samples: list[Sample]) -> MicroBatch:
    """One micro-batch out of these samples."""
    num_tokens = torch.tensor([_length(sample) for sample in samples])  # [B]
    num_prompt = torch.tensor([len(sample.prompt_ids) for sample in samples])
    lengths = num_tokens - num_prompt
    position = torch.arange(int(num_tokens.max()))  # [L]
    return MicroBatch(
        rows=torch.tensor(rows),
        input_ids=_stack([sample.prompt_ids + sample.completion_ids for sample in samples], torch.int64),
        attention_mask=position < num_tokens[:, None],
        trained=(position >= num_prompt[:, None] - 1) & (position < num_tokens[:, None] - 1),
        mask=torch.arange(int(lengths.max())) < lengths[:, None],
        completion_ids=_stack([sample.completion_ids for sample in samples], torch.int64),
        sampler_logprobs=_stack([sample.sampler_logprobs for sample in samples], torch.float32),
        advantages=torch.tensor([sample.advantage for sample in samples], dtype=torch.float32),
    )


def _stack(rows: Sequence[Sequence[float]], dtype: torch.dtype) -> Tensor:
    """Rows of different lengths as one tensor, padded with 0 on the right."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row, dtype=dtype) for row in rows], batch_first=True)
