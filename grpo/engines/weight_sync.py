"""Hand the trained weights to an engine that has its own, and prove every time that it samples from them.

An engine that goes on with old weights fails silently: rewards still move a little, and the importance ratio hides the
rest. So a few completions are sampled after every hand-over, and the trainer computes their log-probs again.

What that finds is another policy, not other bits: one missed update shows in float32 at the quickstart's learning rate,
but at 2e-5 in bfloat16 it lies below the rounding of two forward passes, and only the drift of many stops the run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from grpo.engines import Engine
from grpo.errors import HostFailed
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy

__all__ = ["WeightSync", "WeightsDiffer"]

PROBE_TOKENS = 16
PROBE_SEED = 7


class WeightsDiffer(HostFailed):
    """The engine does not sample from the trainer's weights."""


@dataclass(frozen=True)
class WeightSync:
    """Brings a policy's weights to an engine.

    `probes` are prompts to sample from; `max_gap` bounds the mean of |engine's log-prob - trainer's| over the tokens of
    the completions, in nats.
    """

    policy: Policy
    engine: Engine
    probes: Sequence[Sequence[int]]
    max_gap: float

    def __call__(self) -> dict[str, float]:
        """Load the weights and compare.

        Returns: the metrics `time/sync` and `sync/gap`.
        Raises: WeightsDiffer; EngineDied.
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
        completions = self.engine.generate(
            self.probes, num_samples=1, max_tokens=PROBE_TOKENS, temperature=1.0, seed=PROBE_SEED
        )
        samples = [TrainingSample(tuple(self.probes[a.prompt]), a.token_ids, a.logprobs, 0.0) for a in completions]
        total, count = 0.0, 0
        for batch in micro_batches(samples, max_tokens=1_000_000):
            batch = batch.to(self.policy.device)
            logprobs, _ = self.policy.completion_logprobs(batch, temperature=1.0)
            total += float((logprobs - batch.sampler_logprobs)[batch.mask].abs().sum())
            count += int(batch.mask.sum())
        return total / count
