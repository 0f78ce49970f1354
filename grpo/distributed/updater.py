"""The update on several ranks: every rank has all samples of the batch, and computes its share of the micro-batches.

Loss weights, the order of micro-batches, the learning rate and every decision are computed alike on every rank, from
equal numbers; gradients are summed by FSDP, and the log-probs before the update and the metrics of every micro-batch go
to all ranks. A rank that has no micro-batch in a pass computes an empty one, so that all ranks gather the same layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grpo.distributed.dealing import deal, fair_size
from grpo.distributed.moments import shards_of, wait_for_shards, write_moments
from grpo.distributed.team import Team
from grpo.errors import HostFailed
from grpo.model.batching import MicroBatch, TrainingSample, micro_batches
from grpo.model.minibatch import LogprobModel, Logprobs, MiniBatch, read_scalars
from grpo.update import NonFiniteLoss, Updater

__all__ = ["SharedUpdater"]

NOTHING = TrainingSample((0,), (0,), (0.0,), 0.0)  # what an empty pass computes


class SharedUpdater(Updater):
    """`Updater` on all ranks of a team; its policy, and its reference where it has one, are sharded."""

    def __init__(self, team: Team, *arguments: Any, **settings: Any) -> None:
        """
        Args:
            team: The ranks.
            arguments, settings: As of `Updater`, the same on every rank.
        """
        super().__init__(*arguments, **settings)
        self.team = team
        self._empty = micro_batches([NOTHING], max_tokens=1)[0].to(self.policy.device)

    def together(self, name: str, *arguments: Any) -> AbstractContextManager[None]:
        """An order, so that all ranks do it."""
        return self.team.order(name, *arguments)

    def raise_together(self, problem: Exception | None) -> None:
        """As `Team.raise_together`."""
        self.team.raise_together(problem)

    def write_moments(self, folder: Path) -> None:
        """Write Adam's moments into a folder, every rank its own part, until rank 0 sees all of them.

        Raises: OSError or RankFailed, on all ranks.
        """
        with self.together("write_moments", folder):
            problem: Exception | None = None
            try:
                write_moments(folder, self.optimizer, self.team.orders)
            except OSError as error:
                problem = error
            self.raise_together(problem)
            shards = self.team.gather(shards_of(folder, self.team.place.rank))
            try:
                if self.team.leads:
                    wait_for_shards(folder, shards)
            except OSError as error:
                problem = error
            self.raise_together(problem)

    def minibatch_to_rehearse(self, samples: Sequence[TrainingSample]) -> MiniBatch:
        """The one micro-batch of the samples on every rank."""
        made = self.minibatch(samples)
        return replace(made, batches=super()._micro_batches([samples[row] for row in made.kept]) * self.team.place.size)

    def measure(self, minibatch: MiniBatch) -> list[dict[str, Tensor]]:
        """As `Updater.measure`, each micro-batch on one rank."""
        floor, found = self._entropy_floor(minibatch), {}
        for index in self._share(minibatch.batches):
            if index is None:
                self._measure_nothing()
            else:
                old, part = self._measure_one(minibatch, index, floor)
                found[index] = (_on_cpu(old) if not minibatch.old else None, part)
        known = self._exchange({index: (old, _numbers(part)) for index, (old, part) in found.items()})
        if not minibatch.old:
            minibatch.old = [self._on_device(old) for old, _ in known]
        return [{name: self._scalar(value) for name, value in part.items()} for _, part in known]

    def _micro_batches(self, samples: Sequence[TrainingSample]) -> list[MicroBatch]:
        """Cut so that all ranks have about as much to do."""
        size = fair_size(samples, ranks=self.team.place.size, max_tokens=self._micro_batch_tokens)
        return [batch.to(self.policy.device) for batch in micro_batches(samples, max_tokens=size)]

    def _share(self, batches: Sequence[MicroBatch]) -> list[int | None]:
        """The numbers of this rank's micro-batches, one a pass; None for an empty pass."""
        return deal([len(batch.input_ids) for batch in batches], ranks=self.team.place.size)[self.team.place.rank]

    def _exchange(self, own: Mapping[int, Any]) -> list[Any]:
        """What the ranks have found for their micro-batches, in the order of the batch."""
        found = {index: value for part in self.team.gather(dict(own)) for index, value in part.items()}
        return [found[index] for index in sorted(found)]

    def _logprobs(self, batches: Sequence[MicroBatch], model: LogprobModel | None = None) -> list[Logprobs]:
        """As `Updater._logprobs`, each micro-batch on one rank."""
        asked, found = model or self.policy, {}
        for index in self._share(batches):
            logprobs = self._logprobs_of(self._empty if index is None else batches[index], asked)
            if index is not None:
                found[index] = _on_cpu(logprobs)
        return [self._on_device(logprobs) for logprobs in self._exchange(found)]

    def _measure_nothing(self) -> None:
        """A pass of the same forward and backward computations whose gradient is zero."""
        logprobs, _ = self.policy.completion_logprobs(self._empty, temperature=self.objective.temperature)
        self._reference_logprobs(self._empty)
        (logprobs.sum() * 0).backward()

    def _ask_before_step(self, parts: Sequence[Mapping[str, float]]) -> None:
        """As `Updater._ask_before_step`: rank 0 is asked, and where it refuses no rank makes the step."""
        problem: Exception | None = None
        try:
            super()._ask_before_step(parts)
        except HostFailed as error:
            problem = error
        self.raise_together(problem)

    def _clipped_norm(self) -> Tensor:
        """As `Updater._clipped_norm`, over all shards."""
        norm: Any = super()._clipped_norm()
        whole: Tensor = norm.full_tensor()
        return whole

    def _step(self, *, loss: float, norm: float) -> None:
        """As `Updater._step`; what it refuses, all ranks refuse."""
        try:
            super()._step(loss=loss, norm=norm)
        except NonFiniteLoss as error:
            self.team.agree(error)
            raise

    def _scalar(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64, device=self.policy.device)

    def _on_device(self, logprobs: Logprobs) -> Logprobs:
        return Logprobs(logprobs.logprobs.to(self.policy.device), logprobs.entropy.to(self.policy.device))


def _on_cpu(logprobs: Logprobs) -> Logprobs:
    return Logprobs(logprobs.logprobs.cpu(), logprobs.entropy.cpu())


def _numbers(part: Mapping[str, Tensor]) -> dict[str, float]:
    """The scalars of a micro-batch as numbers, in one copy from the device."""
    (numbers,), _ = read_scalars([part], next(iter(part.values())))
    return numbers
