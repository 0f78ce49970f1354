"""Gives the trained weights to an engine that has its own, and proves each time that it samples from them.

An engine that goes on with old weights fails silently: rewards still move a little, and the importance ratio hides
the rest. So completions are sampled after every hand-over, and the trainer computes their log-probs too.

The proof finds another policy, not different bits: one missed update shows in float32 at the quickstart's learning
rate, but at 2e-5 in bfloat16 it lies below the rounding of two forward passes, and only the drift of many updates is
seen. What arrived is proved bit by bit instead: `grpo.engines.process` compares the buffer, `grpo.engines.vllm` what
vLLM has made of it.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.errors import RunStopped
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy

__all__ = ["SyncBounds", "WeightSync", "WeightsDiffer"]

TOKENS_AT_ONCE = 65_536  # that the trainer scores; an engine's proof has about a thousand
ROUNDS = 4  # of completions, until there are enough tokens; some models end theirs early
FAR = 10.0  # times the bound: no rounding reaches that, so the first such gap stops the run


class WeightsDiffer(RunStopped):
    """The engine does not sample from the trainer's weights."""


@dataclass(frozen=True)
class SyncBounds:
    """What a proof measures, and what it allows. The gap is the mean |engine's log-prob - trainer's|, in nats a token.

    Numbers with rounding, bfloat16 and float16, have a gap of their own that varies with the text; exact ones do not.
    Where a gap may be chance it must be too large several times in a row, since another policy stays another policy,
    while one bad draw is gone at the next sync. A gap of `FAR` times the bound, or that is no number, stops the run at
    once.
    """

    warn: float  # a gap above it is said once, and again after it was below
    stop: float  # a gap above it, `patience` times in a row, stops the run
    patience: int  # syncs
    tokens: int  # to measure on, at least, unless completions end too early
    max_tokens: int  # of one completion


@dataclass
class WeightSync:
    """Brings a policy's weights to an engine. Remembers the gaps of the last syncs."""

    policy: Policy
    engine: Engine
    probes: Sequence[Sequence[int]]  # prompts that the proof samples from
    bounds: SyncBounds
    _too_large: int = field(default=0, init=False)  # syncs in a row with a gap above `stop`
    _warned: bool = field(default=False, init=False)  # since the gap rose above `warn`

    def __call__(self, say: Callable[[str], None]) -> dict[str, float]:
        """Load the weights and compare.

        Args:
            say: Told when the gap rises above the bounds.
        Returns: The metrics `time/sync`, `sync/gap`, and the policy's own about the weights.
        Raises:
            WeightsDiffer: When the gap is too large, often enough, or not a number.
            EngineDied: When the engine fails, or holds other bits than it was given.
        """
        started = time.perf_counter()
        self.engine.load_weights(self.policy.weights())
        name, gap = self._worst()
        self._judge(name, gap, say)
        metrics = {**self.policy.weight_metrics(), **self.engine.metrics()}
        return {"time/sync": time.perf_counter() - started, "sync/gap": gap, **metrics}

    def _worst(self) -> tuple[str, float]:
        """The engine with the largest gap, and that; a gap that is no number is larger than any."""
        return max(self._gaps().items(), key=lambda found: (math.isnan(found[1]), found[1]))

    @torch.no_grad()
    def _gaps(self) -> dict[str, float]:
        """The gap of every engine, by its name, over the tokens of the proof's completions."""
        bounds = self.bounds
        needed = bounds.max_tokens * len(self.probes)  # of one completion each
        params = SamplingParams(math.ceil(bounds.tokens / needed), bounds.max_tokens, temperature=1.0, seed=7)
        totals: dict[str, tuple[float, int]] = {}
        for round_number in range(ROUNDS):
            asked = dataclasses.replace(params, seed=params.seed + round_number)
            for name, (added, tokens) in self._differences(self.engine.probe(self.probes, asked)).items():
                total, count = totals.get(name, (0.0, 0))
                totals[name] = total + added, count + tokens
            if all(count >= bounds.tokens for _, count in totals.values()):
                break
        return {name: total / count for name, (total, count) in totals.items()}

    def _differences(self, probed: Sequence[tuple[str, Sequence[GenerationOutput]]]) -> Mapping[str, tuple[float, int]]:
        """The sum of the differences over each engine's completions of the proof, and their tokens.

        Those of all engines are computed together: ranks gather the model for every pass.
        """
        made = [(name, one) for name, completions in probed for one in completions]
        samples = [TrainingSample(tuple(self.probes[a.prompt]), a.token_ids, a.logprobs, 0.0) for _, a in made]
        found = {name: (0.0, 0) for name, _ in probed}
        for batch in micro_batches(samples, max_tokens=TOKENS_AT_ONCE):
            batch = batch.to(self.policy.device)
            logprobs, _ = self.policy.completion_logprobs(batch, temperature=1.0)
            sums = torch.where(batch.mask, (logprobs - batch.sampler_logprobs).abs(), 0.0).sum(dim=1)
            for row, added, tokens in zip(batch.rows.tolist(), sums.tolist(), batch.mask.sum(dim=1).tolist()):
                name, (total, count) = made[row][0], found[made[row][0]]
                found[name] = total + added, count + tokens
        return found

    def _judge(self, name: str, gap: float, say: Callable[[str], None]) -> None:
        """Say that a gap is large when it has become so, and stop the run when it stays."""
        bounds = self.bounds
        self._too_large = 0 if gap <= bounds.stop else self._too_large + 1
        whose = f"the engine's log-probs ({name})" if name else "the engine's log-probs"
        found = f"after new weights {whose} differ from the trainer's by {gap:.2g} nats a token in the mean"
        advice = (
            "The engine samples from other weights, or computes with too few digits: compare sampling.engine=hf, or "
            "on a GPU sampling.engine=paged"
        )
        allowed = f"allowed are {bounds.stop:g} (sampling.max_sync_gap)"
        if not gap <= FAR * bounds.stop or self._too_large >= bounds.patience:
            often = f", {self._too_large} times in a row" if self._too_large > 1 else ""
            raise WeightsDiffer(f"{found}{often}; {allowed}. {advice}")
        if gap > bounds.warn and not self._warned:
            stops = f"{allowed}, {bounds.patience} times in a row they stop the run"
            say(f"warning: {found}; usual are at most {bounds.warn:g}, {stops}. {advice}")
        self._warned = gap > bounds.warn
