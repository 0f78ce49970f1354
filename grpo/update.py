"""From graded groups to new weights: samples, micro-batches, forward and backward passes, optimizer steps.

`old_logprobs` are the trainer's own, just before the first update on the batch. A batch that feeds one update needs no
forward pass for them: they are the current log-probs, detached. A zero_std group has no policy gradient; leaving it out
saves its forward pass and changes the policy gradient by nothing, because the loss weights are those of the whole
optimizer batch. What is minimised is `grpo.objective`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grpo.device import cpu_threads
from grpo.errors import RunStopped
from grpo.loss.aggregation import aggregation_weights
from grpo.loss.entropy import entropy_floor
from grpo.loss.kl import kl_penalised_rewards
from grpo.model.batching import MicroBatch, TrainingSample, micro_batches
from grpo.model.minibatch import Attempt, LogprobModel, Logprobs, MiniBatch, read_scalars
from grpo.model.policy import Policy
from grpo.objective import Objective
from grpo.optimizer.adamw import make_adamw, set_rate, step
from grpo.optimizer.loss_scale import LossScale
from grpo.rollout.records import Group
from grpo.run.out_of_memory import memory_explained
from grpo.run.stuck import note_progress
from grpo.timing import BusyClock

__all__ = ["NonFiniteLoss", "Updater", "training_samples"]


class NonFiniteLoss(RunStopped, ArithmeticError):
    """The loss or its gradient is NaN or infinite, in float16 again and again: the weights are as they were before."""


def training_samples(
    groups: Sequence[Group], advantages: Tensor, by_token: Sequence[Sequence[tuple[float, ...]]] | None = None
) -> list[TrainingSample]:
    """Every completion that has a reward, with its advantage, in order.

    Args:
        groups: Graded groups of at most G completions.
        advantages: [P, G], from one of `grpo.advantages`; what is beyond a group's own completions is not read.
        by_token: [P][G], the advantages of each completion's tokens where they differ.
    """
    return [
        TrainingSample(
            group.example.prompt_ids + completion.context,
            completion.token_ids,
            completion.sampler_logprobs,
            value,
            truncated=not completion.terminated,
            token_advantages=None if by_token is None else by_token[row][k],
        )
        for row, (group, values) in enumerate(zip(groups, advantages.tolist(), strict=True))
        for k, (completion, value) in enumerate(zip(group.completions, values[: len(group.completions)], strict=True))
        if group.rewards[k] is not None
    ]


class Updater:
    """Owns the optimizer: AdamW on the policy's fp32 parameters, decay on matrices only; in float16 a loss scale."""

    write_moments: Callable[[Path], None] | None = None  # by all ranks of a training, each its own part
    raise_together: Callable[[Exception | None], None] | None = None  # on all ranks of a training where one has it

    def __init__(
        self,
        policy: Policy,
        reference: LogprobModel | None,
        objective: Objective,
        *,
        schedule: Callable[[int], float],
        betas: tuple[float, float],
        weight_decay: float,
        max_grad_norm: float,
        num_iterations: int,
        micro_batch_tokens: int,
        skip_zero_std: bool,
        num_minibatches: int = 1,
        threads: int = 0,
        optimizer: str = "adamw",
    ) -> None:
        """
        Args:
            policy: What is trained.
            reference: What the KL is measured to; needed when the objective has a KL.
            objective: What is minimised.
            schedule: Number of the update -> learning rate.
            betas, weight_decay: Of AdamW.
            max_grad_norm: Global gradient norm above which gradients are scaled down.
            num_iterations: Passes over a batch.
            micro_batch_tokens: In one forward and backward pass.
            skip_zero_std: Whether completions of advantage 0 are left out where their gradient is zero.
            num_minibatches: Parts that a pass cuts a batch into, one optimizer step each.
            threads: CPU threads of torch during an update; 0 changes nothing.
            optimizer: "adamw", or "adamw8bit", whose moments have 8 bits; see `grpo.optimizer.adamw`.
        """
        if objective.needs_reference and reference is None:
            raise ValueError(f"kl_beta is {objective.kl_beta}, but there is no reference model to measure the KL to")
        self.objective = objective
        self.policy, self._reference = policy, reference
        self._schedule = schedule
        self._max_grad_norm = max_grad_norm
        self._num_iterations = num_iterations
        self._num_minibatches = num_minibatches
        self._micro_batch_tokens = micro_batch_tokens
        self._skip_zero_std = skip_zero_std
        self.threads = threads
        self._busy = BusyClock()
        self.updates = 0
        self.before_step: Callable[[Mapping[str, float]], None] | None = None  # may raise to keep the weights
        self.attempt: Attempt | None = None  # the last optimizer step, done or not
        self.loss_scale = LossScale() if policy.compute_dtype == torch.float16 else None
        matrices = [p for p in policy.model.parameters() if p.requires_grad and p.ndim >= 2]
        vectors = [p for p in policy.model.parameters() if p.requires_grad and p.ndim < 2]
        self.optimizer = make_adamw(optimizer, matrices, vectors, lr=schedule(0), betas=betas, decay=weight_decay)

    def together(self, name: str, *arguments: Any) -> AbstractContextManager[None]:
        """The context for what all ranks of a training do at once; nothing where there is one: `grpo.distributed`."""
        return nullcontext()

    @property
    def busy_s(self) -> float:
        """Seconds spent in updates so far, and in measuring the KL of rewards."""
        return self._busy.seconds

    def update(self, samples: Sequence[TrainingSample]) -> dict[str, float]:
        """`num_iterations * num_minibatches` optimizer steps on one batch; in float16 those that overflow are skipped.

        Returns: The metrics of the update; without anything to learn from, only its learning rate and count.
        Raises:
            NonFiniteLoss: Before the step that would have spoiled the weights; so does what `before_step` raises.
            OutOfMemory: With the sizes of the batch.
        """
        memory = memory_explained("the update", lambda: self._size(samples), lambda: self._memory_advice(samples))
        with self.together("update", samples), self._busy.running(), cpu_threads(self.threads), memory:
            size = math.ceil(len(samples) / self._num_minibatches) or 1
            starts = range(0, len(samples), size)
            minibatches = [self.minibatch(samples[start : start + size], start=start) for start in starts]
            minibatches = [minibatch for minibatch in minibatches if minibatch.batches]
            for minibatch in minibatches:  # before any weight moves
                self.prepare(minibatch, alone=len(minibatches) == 1)
            updates = self.updates
            passes = [minibatch for _ in range(self._num_iterations) for minibatch in minibatches]
            parts = [part for i, minibatch in enumerate(passes) for part in self._update_minibatch(i, minibatch)]
            metrics = {**self._metrics(parts, num_steps=len(passes)), "optim/updates": self.updates}
            if self.loss_scale is not None:
                skipped = len(passes) - (self.updates - updates)
                metrics |= {"optim/loss_scale": self.loss_scale.value, "optim/skipped": skipped}
            return metrics

    def _size(self, samples: Sequence[TrainingSample]) -> str:
        """How large a batch is, for a message."""
        longest = max((len(sample.prompt_ids) + len(sample.completion_ids) for sample in samples), default=0)
        dtype = str(self.policy.compute_dtype).removeprefix("torch.")
        return (
            f"train.micro_batch_tokens = {self._micro_batch_tokens}, {len(samples)} completions, the longest of "
            f"{longest} tokens with its prompt, matrix products in {dtype}, {self.policy.model.num_parameters():,} "
            "weights"
        )

    def _memory_advice(self, samples: Sequence[TrainingSample], *, gradients: bool = True) -> str:
        """What to lower first: a micro-batch is never smaller than one completion."""
        longest = max((len(sample.prompt_ids) + len(sample.completion_ids) for sample in samples), default=0)
        others = "train.gradient_checkpointing=true, then " if gradients else ""  # a forward pass keeps nothing for it
        others += "a lower sampling.max_completion_tokens"
        if longest >= self._micro_batch_tokens:
            return f"One completion is a whole micro-batch: try {others}"
        return f"Lower train.micro_batch_tokens first, to {max(longest, self._micro_batch_tokens // 2)}; then {others}"

    def charge_kl(self, groups: Sequence[Group], rewards: Tensor) -> tuple[Tensor, float]:
        """Subtract the KL to the reference from the rewards.

        Returns: Rewards [P, G] minus beta times the KL of each completion; the mean KL per token, in nats.
        Raises:
            OutOfMemory: With the sizes of the batch.
        """
        samples = training_samples(groups, torch.zeros_like(rewards))
        penalties, mean = self.kl_penalties(samples)
        return rewards.masked_scatter(~rewards.isnan(), rewards[~rewards.isnan()] + penalties), mean

    def kl_penalties(self, samples: Sequence[TrainingSample]) -> tuple[Tensor, float]:
        """What `charge_kl` adds to the reward of each sample, [samples] on the CPU; the mean KL per token, in nats."""
        memory = memory_explained(
            "the KL of the rewards",
            lambda: self._size(samples),
            lambda: self._memory_advice(samples, gradients=False),
        )
        with self.together("kl_penalties", samples), self._busy.running(), cpu_threads(self.threads), memory:
            penalties = torch.zeros(len(samples), device=self.policy.device)
            batches = self._micro_batches(samples)
            assert self._reference is not None
            total = penalties.new_zeros(())
            references = self._logprobs(batches, self._reference)
            for batch, ours, theirs in zip(batches, self._logprobs(batches), references, strict=True):
                kl = self.objective.kl(ours.logprobs, theirs.logprobs, batch.mask)
                zero, beta = kl.new_zeros(len(kl)), self.objective.kl_beta
                penalty = kl_penalised_rewards(zero, kl, batch.mask, beta=beta)
                penalties.index_copy_(0, batch.rows, penalty.to(penalties.dtype))
                total += kl.sum()
            return penalties.cpu(), float(total) / max(1, sum(len(sample.completion_ids) for sample in samples))

    def state_dict(self) -> dict[str, Any]:
        """Adam's moments, the number of updates, and the loss scale where there is one."""
        scale = {} if self.loss_scale is None else {"loss_scale": self.loss_scale.state_dict()}
        return {"optimizer": self.optimizer.state_dict(), "updates": self.updates, **scale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was taken. Raises: ValueError or KeyError for what is no such state."""
        if type(updates := state["updates"]) is not int or updates < 0:
            raise ValueError(f"the number of updates is {updates!r}; it is a whole number of at least 0")
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = updates
        set_rate(self.optimizer, self._schedule(max(0, updates - 1)))  # a step that learns nothing reports it
        if self.loss_scale is not None:
            self.loss_scale.load_state_dict(state["loss_scale"])

    def minibatch(self, samples: Sequence[TrainingSample], *, start: int = 0) -> MiniBatch:
        """Micro-batches and loss weights of one optimizer batch, without completions whose gradient is zero."""
        objective = self.objective
        lengths = torch.tensor(
            [0 if objective.mask_truncated and s.truncated else len(s.completion_ids) for s in samples]
        )
        weights = aggregation_weights(lengths, aggregation=objective.aggregation, max_tokens=objective.max_tokens)
        kept = [row for row, length in enumerate(lengths.tolist()) if length and self._has_gradient(samples[row])]
        batches = self._micro_batches([samples[row] for row in kept])
        token_weight = 1 / max(1, int(lengths.sum()))
        return MiniBatch(start, samples, kept, batches, weights[kept].to(self.policy.device), token_weight)

    def minibatch_to_rehearse(self, samples: Sequence[TrainingSample]) -> MiniBatch:
        """As `minibatch`, of samples that fill one micro-batch."""
        return self.minibatch(samples)

    def _micro_batches(self, samples: Sequence[TrainingSample]) -> list[MicroBatch]:
        """The samples in micro-batches, on the policy's device."""
        return [b.to(self.policy.device) for b in micro_batches(samples, max_tokens=self._micro_batch_tokens)]

    def _has_gradient(self, sample: TrainingSample) -> bool:
        """Whether the gradient of a sample can differ from zero."""
        return sample.has_advantage or self.objective.has_gradient_without_advantage or not self._skip_zero_std

    def _logprobs(self, batches: Sequence[MicroBatch], model: LogprobModel | None = None) -> list[Logprobs]:
        """Log-probs and entropy of completions by a model, the trained policy unless another is given."""
        return [self._logprobs_of(batch, model or self.policy) for batch in batches]

    @torch.no_grad()
    def _logprobs_of(self, batch: MicroBatch, model: LogprobModel) -> Logprobs:
        return Logprobs(*model.completion_logprobs(batch, temperature=self.objective.temperature))

    def prepare(self, minibatch: MiniBatch, *, alone: bool = True) -> None:
        """Fill in `minibatch.old` where `measure` cannot: for a quantile of the entropy, or if weights move before.

        Args:
            minibatch: One of a batch.
            alone: Whether it is the batch's only one.
        """
        if not alone or self.objective.top_entropy_fraction < 1:
            minibatch.old = self._logprobs(minibatch.batches)

    def measure(self, minibatch: MiniBatch) -> list[dict[str, Tensor]]:
        """Add the gradient of a minibatch to that of the parameters, in float16 times the loss scale.

        Fills in `minibatch.old` where `prepare` left it empty.

        Returns: The metrics of each micro-batch as scalars on the device, sums over its tokens mostly.
        """
        parts, first = [], not minibatch.old
        floor = self._entropy_floor(minibatch)
        for index in range(len(minibatch.batches)):
            old, part = self._measure_one(minibatch, index, floor)
            if first:
                minibatch.old.append(old)
            parts.append(part)
        return parts

    def _measure_one(self, minibatch: MiniBatch, index: int, floor: float) -> tuple[Logprobs, dict[str, Tensor]]:
        """Add the gradient of one micro-batch; its log-probs before the update, and its metrics."""
        batch = minibatch.batches[index]
        logprobs, entropy = self.policy.completion_logprobs(
            batch, temperature=self.objective.temperature, entropy_grad=self.objective.entropy_coefficient > 0
        )
        known = index < len(minibatch.old)
        old = minibatch.old[index] if known else Logprobs(logprobs.detach(), entropy.detach())
        loss, part = self.objective.loss(
            batch,
            logprobs,
            entropy,
            old.logprobs,
            self._reference_logprobs(batch),
            minibatch.weights.index_select(0, batch.rows),
            token_weight=minibatch.token_weight,
            entropy_floor=floor,
        )
        (loss if self.loss_scale is None else loss * self.loss_scale.value).backward()
        note_progress()
        return old, {**part, "tokens": batch.mask.sum()}

    def read(self, parts: Sequence[Mapping[str, Tensor]]) -> tuple[list[dict[str, float]], float]:
        """Clip the gradient that `measure` left; its norm before that, and the metrics as numbers."""
        return read_scalars(parts, self._clipped_norm())

    def _update_minibatch(self, number: int, minibatch: MiniBatch) -> list[dict[str, float]]:
        """One optimizer step; the metrics of its micro-batches."""
        scale = None if self.loss_scale is None else self.loss_scale.value
        self.attempt = Attempt(number, minibatch, list(minibatch.old), scale)
        numbers, norm = self.read(self.measure(minibatch))
        self.attempt.parts, self.attempt.norm = numbers, norm
        parts = [{**part, "grad_norm": norm} for part in numbers]
        loss = sum(part["total"] for part in numbers)
        if math.isfinite(loss) and math.isfinite(norm):
            self._ask_before_step(parts)
        self._step(loss=loss, norm=norm)
        return parts

    def _ask_before_step(self, parts: Sequence[Mapping[str, float]]) -> None:
        if self.before_step is not None:
            self.before_step(self._metrics(parts, num_steps=1))

    def _entropy_floor(self, minibatch: MiniBatch) -> float:
        """The lowest entropy of a trained token, in nats: a quantile over the optimizer batch."""
        if self.objective.top_entropy_fraction == 1:
            return -math.inf
        known = [batch.unpad(old.entropy) for batch, old in zip(minibatch.batches, minibatch.old, strict=True)]
        return float(entropy_floor(torch.cat(known), fraction=self.objective.top_entropy_fraction))

    def _reference_logprobs(self, batch: MicroBatch) -> Tensor | None:
        """The reference's log-probs of the completions, where the loss has a KL."""
        if not self.objective.kl_in_loss:
            return None
        assert self._reference is not None
        return self._logprobs_of(batch, self._reference).logprobs

    def _clipped_norm(self) -> Tensor:
        """Undo the loss scale in the accumulated gradient, and clip it; its norm in between, a scalar."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        if self.loss_scale is not None:
            self.loss_scale.unscale(parameters)
        return torch.nn.utils.clip_grad_norm_(parameters, self._max_grad_norm)

    def _step(self, *, loss: float, norm: float) -> None:
        """Check and apply the accumulated gradient, or leave it out where only the loss scale was too large for it."""
        finite = math.isfinite(norm) and math.isfinite(loss)
        if self.loss_scale is not None and math.isfinite(loss):
            self.loss_scale.record(finite=finite)
        if not finite:
            self.optimizer.zero_grad()
            if self.loss_scale is None or self.loss_scale.exhausted or not math.isfinite(loss):
                raise NonFiniteLoss(self._complaint(loss=loss, norm=norm))
            return
        set_rate(self.optimizer, self._schedule(self.updates))
        step(self.optimizer)
        self.optimizer.zero_grad()
        self.updates += 1

    def _complaint(self, *, loss: float, norm: float) -> str:
        """Why training cannot go on, and what to do."""
        text = (
            f"update {self.updates}: the loss is {loss} and the gradient norm {norm}; the weights were left as "
            "they were. Lower train.lr, or look for extreme ratios in metrics.jsonl (policy/ratio_max)"
        )
        scale = self.loss_scale
        if scale is None:
            return text
        steps = f"{scale.overflows} steps in a row overflowed, the loss scale is {scale.value:g}"
        return f'{text}. float16 ends at 65504 ({steps}): model.dtype = "bfloat16" has the range of float32'

    def _metrics(self, parts: Sequence[Mapping[str, float]], *, num_steps: int) -> dict[str, float]:
        """The batch's metrics out of the sums of its micro-batches, over all its optimizer steps."""
        rate = {"optim/lr": float(self.optimizer.param_groups[0]["lr"])}
        if not parts:
            return rate
        total = {name: sum(part[name] for part in parts) for name in parts[0]}
        sums = {
            "policy/entropy": "entropy",
            "policy/ratio_mean": "ratio",
            "policy/clipped_low": "clipped_low",
            "policy/clipped_high": "clipped_high",
            "policy/masked": "masked",
            "policy/sampler_gap": "sampler_gap",
            "policy/mismatch_weight": "correction",
            "policy/mismatch_dropped": "dropped",
            "policy/mismatch_bounded": "bounded",
            "kl/reference": "kl",
        }
        return {
            **rate,
            "loss/total": total["total"] / num_steps,
            "loss/policy": total["policy"] / num_steps,
            "policy/ratio_max": max(part["ratio_max"] for part in parts),
            "optim/grad_norm": parts[-1]["grad_norm"],
            **{key: total[name] / total["tokens"] for key, name in sums.items() if name in total},
        }
