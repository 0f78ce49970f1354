"""From completions to tensors: micro-batches of bounded size, in a fixed order.

A sequence is a prompt with a completion. The sequences of a micro-batch lie end to end in one row without padding, each
with its own positions. Completions to the same prompt share its tokens, so that the prompt is computed once. The
`Layout` (`grpo.model.packing`) says which tokens of the row each sequence attends to. Losses are per completion and
padded: [B, T].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grpo.model.packing import Layout, lay_out

__all__ = ["MicroBatch", "TrainingSample", "micro_batches"]


@dataclass(frozen=True)
class TrainingSample:
    """One completion to train on."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    sampler_logprobs: tuple[float, ...]
    advantage: float
    truncated: bool = False  # ran out of tokens

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The whole sequence."""
        return self.prompt_ids + self.completion_ids


@dataclass(frozen=True)
class MicroBatch:
    """The completions of one forward pass: B completions of at most T tokens, on a row of N tokens."""

    rows: Tensor  # [B] int64: the index of each completion in the list it was cut from
    input_ids: Tensor  # [N] int64: the sequences end to end
    positions: Tensor  # [N] int64: of each token in its sequence
    layout: Layout  # which tokens each sequence attends to
    predictors: Tensor  # [mask.sum()] int64: the place in the row that predicts each trained token
    mask: Tensor  # [B, T] bool, True = a completion token
    completion_ids: Tensor  # [B, T] int64, padded with 0
    sampler_logprobs: Tensor  # [B, T] fp32, padded with 0
    advantages: Tensor  # [B] fp32

    def to(self, device: torch.device) -> MicroBatch:
        """The same batch on another device."""
        return MicroBatch(**{name: part.to(device) for name, part in vars(self).items()})


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
    Raises: ValueError for a sample without prompt or completion tokens.

    >>> one, two = TrainingSample((1, 2), (3,), (-0.1,), 1.0), TrainingSample((1, 2), (4, 5), (-0.2, -0.2), -1.0)
    >>> [batch] = micro_batches([one, two], max_tokens=6)
    >>> batch.rows.tolist(), batch.input_ids.tolist(), batch.positions.tolist()
    ([1, 0], [1, 2, 4, 5, 3], [0, 1, 2, 3, 2])
    """
    for index, sample in enumerate(samples):
        if not sample.prompt_ids or not sample.completion_ids:
            raise ValueError(f"sample {index} has no prompt or no completion tokens; leave it out of the update")
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
    return [_pack(rows, [samples[row] for row in rows], share_prompts) for rows in batches]


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
    prompts: dict[tuple[int, ...], list[int]] = {}  # prompt -> its places in the row
    input_ids: list[int] = []
    positions: list[int] = []
    sequences: list[list[int]] = []
    for sample in samples:
        known = prompts.get(sample.prompt_ids, []) if share_prompts else []
        new = sample.token_ids[len(known) :]
        places = [*known, *range(len(input_ids), len(input_ids) + len(new))]
        input_ids += new
        positions += range(len(known), len(places))
        prompts[sample.prompt_ids] = places[: len(sample.prompt_ids)]
        sequences.append(places)
    predictors = [p for places, s in zip(sequences, samples, strict=True) for p in places[len(s.prompt_ids) - 1 : -1]]
    lengths = torch.tensor([len(sample.completion_ids) for sample in samples])
    return MicroBatch(
        rows=torch.tensor(rows),
        input_ids=torch.tensor(input_ids),
        positions=torch.tensor(positions),
        layout=lay_out(sequences),
        predictors=torch.tensor(predictors),
        mask=torch.arange(int(lengths.max())) < lengths[:, None],
        completion_ids=_stack([sample.completion_ids for sample in samples], torch.int64),
        sampler_logprobs=_stack([sample.sampler_logprobs for sample in samples], torch.float32),
        advantages=torch.tensor([sample.advantage for sample in samples], dtype=torch.float32),
    )


def _stack(rows: Sequence[Sequence[float]], dtype: torch.dtype) -> Tensor:
    """Rows of different lengths as one tensor, padded with 0 on the right."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row, dtype=dtype) for row in rows], batch_first=True)
