"""Supervised fine-tuning: the policy learns to write given completions, by the update that GRPO uses.

Maximum likelihood is a policy gradient whose completions were not sampled and whose advantages are all 1:

    loss = -mean over the batch's completion tokens of log p(token | prompt, tokens before)

So packing, micro-batches, optimizer, checkpoints and resuming are those of `grpo.update` and `grpo.training_loop`.
Left out: a loss on prompts, and packing of whole documents without prompts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grpo.model.batching import TrainingSample
from grpo.objective import Objective
from grpo.rollout.epochs import MixedOrder, Share
from grpo.training_loop import TrainingLoop

__all__ = ["SupervisedTrainer", "demonstration_sample", "likelihood_loss", "supervised_objective"]

MEANT = ("loss/total", "policy/entropy", "optim/lr", "optim/grad_norm", "optim/updates")  # of an update's metrics
MEANT_IN_FLOAT16 = ("optim/loss_scale", "optim/skipped")


def likelihood_loss(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor) -> Tensor:
    """The negative log-likelihood of each token times its completion's weight: `-A log p`.

    Args:
        logprobs: [B, T] of the current policy, with gradient.
        old_logprobs: [B, T], not used: there is no ratio.
        advantages: [B], the weight of each completion; 1 for a demonstration.
        mask: [B, T] bool, True = trained.
    Returns: loss [B, T] in nats, 0 outside the mask.

    >>> likelihood_loss(torch.tensor([[-0.5, -9.0]]), None, torch.tensor([1.0]), torch.tensor([[True, False]])).tolist()
    [[0.5, 0.0]]
    """
    return torch.where(mask, -advantages[:, None] * logprobs, 0.0)


def supervised_objective() -> Objective:
    """The mean of `likelihood_loss` over all tokens of a batch."""
    return Objective(policy_loss=likelihood_loss, aggregation="token", max_tokens=0, temperature=1.0)


def demonstration_sample(prompt_ids: Sequence[int], completion_ids: Sequence[int]) -> TrainingSample:
    """A demonstration for the update: a completion of advantage 1, which no engine sampled.

    Args:
        prompt_ids: The prompt, header of the assistant's turn included.
        completion_ids: The completion, with the token that ends the turn.
    """
    return TrainingSample(tuple(prompt_ids), tuple(completion_ids), (0.0,) * len(completion_ids), 1.0)


@dataclass(kw_only=True)
class SupervisedTrainer(TrainingLoop):
    """A run of supervised fine-tuning; each step is one optimizer step on `batch_size` demonstrations."""

    samples: Sequence[TrainingSample]
    batch_size: int
    seed: int  # of the order of the demonstrations
    shares: Sequence[Share] = ()  # their sources, in their order; () where there is one

    def __post_init__(self) -> None:
        super().__post_init__()
        self._order = MixedOrder(self.shares or [Share(len(self.samples), 1.0)], seed=self.seed)

    def begin(self, say: Callable[[str], None]) -> None:
        """Rehearse. Of the monitors only that of memory applies: demonstrations may well be learned by heart."""
        if self.rehearse is not None:
            self.rehearse(say)

    def recorded_step(self, number: int) -> dict[str, float]:
        """One optimizer step, and its metrics."""
        started, busy = time.perf_counter(), self.updater.busy_s
        batch = self._batch(number)
        update = self.updater.update(batch)
        seconds = time.perf_counter() - started
        lengths = [len(sample.completion_ids) for sample in batch]
        metrics = {
            **{name: update[name] for name in MEANT},
            **{name: update[name] for name in MEANT_IN_FLOAT16 if name in update},
            "completion/length_mean": sum(lengths) / len(lengths),
            "completion/length_max": float(max(lengths)),
            "throughput/tokens_per_s": sum(lengths) / seconds,
            "throughput/completions_per_s": len(lengths) / seconds,
            "time/step": seconds,
            "time/train": self.updater.busy_s - busy,
            **self.stall_metrics(),
        }
        memory = self.memory()
        metrics |= memory
        self.run.log_metrics(number, metrics)
        self.warn(number, memory)
        return metrics

    def _batch(self, number: int) -> list[TrainingSample]:
        """The demonstrations of a step, a function of seed and step; an epoch shows each of them once."""
        start = (number - 1) * self.batch_size
        return [self.samples[self._order.at(position)] for position in range(start, start + self.batch_size)]
