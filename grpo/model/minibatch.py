"""The part of a batch that one optimizer step learns from, and what is known of that step while it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from grpo.model.batching import MicroBatch, TrainingSample

__all__ = ["Attempt", "LogprobModel", "Logprobs", "MiniBatch", "read_scalars"]


class LogprobModel(Protocol):
    """Computes log-probs of completions: a policy, or the base model under its adapters."""

    def completion_logprobs(
        self, batch: MicroBatch, *, temperature: float, entropy_grad: bool = False
    ) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Logprobs:
    """A model's log-probs of the completions of a micro-batch, and its entropy; detached, both [B, T]."""

    logprobs: Tensor
    entropy: Tensor


@dataclass
class MiniBatch:
    """The part of a batch that one optimizer step learns from."""

    start: int  # place of its first sample in the batch
    samples: Sequence[TrainingSample]
    kept: list[int]  # the samples in the micro-batches, whose `rows` count them: those with a gradient
    batches: list[MicroBatch]
    weights: Tensor  # [completions]: of each completion's tokens in the loss
    token_weight: float  # 1 / trained tokens
    old: list[Logprobs] = field(default_factory=list)  # of the policy before the first update on the batch


@dataclass
class Attempt:
    """One optimizer step while it is made: with the weights before it, all that it takes to make it again."""

    number: int  # among the steps on the batch, from 0
    minibatch: MiniBatch
    old: list[Logprobs]  # of the minibatch before this step; empty where the step itself makes them
    loss_scale: float | None
    parts: list[dict[str, float]] = field(default_factory=list)  # the numbers of each micro-batch
    norm: float = math.nan  # of the gradient, before clipping


def read_scalars(parts: Sequence[Mapping[str, Tensor]], norm: Tensor) -> tuple[list[dict[str, float]], float]:
    """Scalars on the device as numbers, in one copy: the host waits for the device once a step and not once a number.

    Args:
        parts: The scalars of each micro-batch by name, all with the same names.
        norm: One more scalar.
    Returns: The numbers of each micro-batch, and the last.
    """
    scalars = [scalar.double() for part in parts for scalar in part.values()]
    *numbers, last = torch.stack([*scalars, norm.double()]).tolist()
    values = iter(numbers)
    return [{name: next(values) for name in part} for part in parts], last
