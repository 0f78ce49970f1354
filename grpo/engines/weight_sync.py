"""Gives the trained weights to an engine that has its own, and proves each time that it samples from them.

An engine that goes on with old weights fails silently: rewards still move a little, and the importance ratio hides
the rest. So a few completions are sampled after every hand-over, and the trainer computes their log-probs too.

The proof finds another policy, not different bits: one missed update shows in float32 at the quickstart's learning
rate, but at 2e-5 in bfloat16 it lies below the rounding of two forward passes, and only the drift of many updates is
seen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from grpo.engines import Engine, SamplingParams
from grpo.errors import HostFailed
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy

__all__ = ["WeightSync", "WeightsDiffer"]

PROBE = SamplingParams(num_samples=1, max_tokens=16, temperature=1.0, seed=7)


class WeightsDiffer(HostFailed):
    """The engine does not sample from the trainer's weights."""


@dataclass(frozen=True)
class WeightSync:
    """Brings a policy's weights to an engine."""

    policy: Policy
    engine: Engine
    probes: Sequence[Sequence[int]]  # prompts that the proof samples from
    max_gap: float  # of the mean |engine's log-prob - trainer's| over the completions' tokens, in nats

    def __call__(self) -> dict[str, float]:
        """Load the weights and compare.

        Returns: The metrics `time/sync` and `sync/gap`.
        Raises:
            WeightsDiffer: When the gap is too large.
            EngineDied: When the engine fails.
        """
        started = time.perf_counter()
        self.engine.load_weights(self.policy.weights())
        gap = self.gap()
        if not gap <= self.max_gap:
            raise WeightsDiffer(
                f"after new weights the engine's log-probs differ from the trainer's by {gap:.2g} "
                f"nats a token in the mean; allowed are {self.max_gap:g} (sampling.max_sync_gap). It samples from "
                "other weights, or computes with too few digits: compare sampling.engine=hf"
            )
        return {"time/sync": time.perf_counter() - started, "sync/gap": gap}

    @torch.no_grad()
    def gap(self) -> float:
        """Mean |log-prob of the engine - of the trainer| over the tokens of a few completions, in nats."""
        completions = self.engine.generate(self.probes, PROBE)
        samples = [TrainingSample(tuple(self.probes[a.prompt]), a.token_ids, a.logprobs, 0.0) for a in completions]
        total, count = 0.0, 0
        for batch in micro_batches(samples, max_tokens=1_000_000):
            batch = batch.to(self.policy.device)
            logprobs, _ = self.policy.completion_logprobs(batch, temperature=1.0)
            total += float((logprobs - batch.sampler_logprobs)[batch.mask].abs().sum())
            count += int(batch.mask.sum())
        return total / count
