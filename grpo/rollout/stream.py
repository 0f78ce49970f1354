"""Graded batches in order: what the trainer asks for once per step.

A batch is sampled (`prefetch`), graded (`collect`), freed of completions that are too old, and refilled (`refill`).
Batches in flight are part of a checkpoint, so a resumed run trains on the same completions with the same grades.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grpo.engines import Engine, SamplingParams
from grpo.rollout.collect import Decode, PendingRollout, collect, graded, sample
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.in_flight import examples_of, from_json, to_json
from grpo.rollout.partial.drafts import Drafts
from grpo.rollout.prefetch import InFlightBatch, Prefetcher
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Example, Grader, Group, RolloutBatch
from grpo.rollout.refill import refill, solved_share, split_by_std
from grpo.rollout.token_parts import TokenParts
from grpo.rollout.turns.conversations import turn_metrics
from grpo.rollout.turns.playing import TurnRules
from grpo.watch.unscored import count_failures

__all__ = ["RolloutSettings", "RolloutStream"]


@dataclass(frozen=True)
class RolloutSettings:
    """What a batch is and how it is sampled."""

    seed: int  # of the run
    num_steps: int
    prompts_per_step: int
    group_size: int
    max_tokens: int  # per completion
    temperature: float
    ahead: int = 0  # batches sampled before they are trained on
    max_staleness: int = 0  # updates between sampling and use; 0: no bound
    solved_above: float = 0.9  # a group with this share of solved completions is solved
    refill_rounds: int = 0  # rounds of fresh prompts that replace zero_std groups; 0: never
    testers: int = 0  # completions for tests alone, by which the grader compares a group
    sleeps: bool = False  # the engine frees its memory between a batch and the next weights; `ahead` is 0
    partial: bool = False  # new weights interrupt what is sampled ahead, which then goes on under them
    deadline_s: float = 0.0  # of each call, whose unfinished completions are then cut, not with `partial`; 0: never


class RolloutStream:
    """Draws prompts, samples a group for each and grades it; gives the engine new weights. `close` ends its thread."""

    def __init__(
        self,
        engine: RestartingEngine,
        grader: Grader,
        prompts: PromptStream,
        decode: Decode,
        version: Callable[[], int],
        settings: RolloutSettings,
        turns: TurnRules | None = None,
    ) -> None:
        """
        Args:
            engine: Samples completions, and is restarted when it dies.
            grader: Scores them.
            prompts: Draws the encoded prompts.
            decode: Token ids of a completion to its text.
            version: The number of weight updates so far.
            settings: What a batch is.
            turns: How conversations go on after their first completion; None: not at all.
        Raises:
            ValueError: For `partial` with an engine that samples in this process, where new weights never find it at
                work.
        """
        if settings.partial and not engine.engine.concurrent:
            raise ValueError("partial rollouts need an engine that samples while the trainer updates: EngineProcess")
        self.engine, self.grader, self.prompts = engine, grader, prompts
        self._decode, self._version, self._settings, self._turns = decode, version, settings, turns
        self._token_parts = TokenParts(decode)
        self._metrics: dict[str, float] = {}  # of the batch that is collected now
        self._failures: Counter[str] = Counter()  # of its grading, by reason
        self._num_graded, self._num_cut = 0, 0
        self._prefetcher = Prefetcher(
            engine,
            prompts,
            self._sample,
            version,
            seed=settings.seed,
            num_steps=settings.num_steps,
            prompts_per_step=settings.prompts_per_step,
            ahead=settings.ahead,
            partial=settings.partial,
            deadline_s=settings.deadline_s,
        )

    @property
    def busy_s(self) -> float:
        """Seconds that the engine has been sampling so far."""
        return self._prefetcher.busy_s

    def next_batch(self, step: int) -> RolloutBatch:
        """The graded batch of a step. Batches after it start to be sampled before its grades are waited for.

        An engine that `sleeps` is asleep afterwards, until `sync_weights`.

        Raises:
            EngineDied: When a restarted engine dies again.
            WeightsDiffer: When a restarted engine does not take the weights.
        """
        self._metrics = {"time/generate": 0.0, "time/wait_engine": 0.0, "time/wait_rewards": 0.0}
        self._failures, self._num_graded, self._num_cut = Counter(), 0, 0
        if self._turns is not None:
            self._metrics["rollout/crowded"] = 0.0
        pending = self._sampled(step)  # prompts, and a group of completions for each
        groups = self._graded(pending)
        groups = self._drop_stale(groups)
        if self._settings.refill_rounds:
            groups = self._refill(groups, step)
        self._finish_batch()
        if self._settings.deadline_s:
            self._metrics["rollout/cut"] = self._num_cut / self._num_graded
        groups = [self._in_parts(group) if group.part_rewards else group for group in groups]
        if self._turns is not None:
            self._metrics |= turn_metrics(groups, "rollout", most=self._turns.most)
        return RolloutBatch(tuple(groups), self._metrics, self._failures, self._num_graded)

    def sync_weights(self) -> dict[str, float]:
        """Bring the trainer's weights to the engine, after what it is sampling now, or in the middle of it (`partial`).

        In the middle it stands still until `next_batch`, so that evaluations and checkpoints find the engine idle.

        Returns: The metrics of the hand-over.
        """
        started = time.perf_counter()
        self._prefetcher.stand_still()
        waited = time.perf_counter() - started
        return {**self.engine.sync_weights(), "time/wait_engine": waited}

    def sleep(self) -> None:
        """Let the engine free its memory until `sync_weights`, if it is one that sleeps during updates."""
        if self._settings.sleeps:
            self.engine.with_restart(self.engine.engine.sleep)

    def progress(self) -> dict[str, Any]:
        """What a checkpoint keeps, as plain JSON values: the place in the prompts, and the batches in flight.

        The grades of those batches are waited for, and kept for their turn; what follows from them (which prompts had
        nothing to teach or were solved) is noted when that comes, as without a checkpoint. Of a batch that is
        interrupted the tokens are kept; it is graded when it is sampled.
        """
        batches = self._prefetcher.replace_sampled(lambda pending: graded(pending, self.grader))
        return {
            "prompts_drawn": self.prompts.position,
            "zero_std_prompts": sorted(self.prompts.zero_std),
            "solved_prompts": sorted(self.prompts.solved),
            "in_flight": [_in_flight(batch, sampled) for batch, sampled in batches],
        }

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Go on where `progress` was taken.

        Raises:
            DataError: When prompts of the batches in flight are gone.
        """
        self.prompts.position = progress["prompts_drawn"]
        self.prompts.zero_std = set(progress["zero_std_prompts"])
        self.prompts.solved = set(progress["solved_prompts"])
        for record in progress["in_flight"]:
            if "rounds" in record:
                examples = examples_of(record, self.prompts.by_id)
                self._prefetcher.adopt_drafts(record["step"], examples, Drafts.from_json(record["rounds"]))
                continue
            pending = from_json(record, self.prompts.by_id, decode=self._decode, grader=self.grader)
            self._prefetcher.adopt(record["step"], pending)

    def close(self) -> None:
        """Start to sample nothing more. The engine is its owner's to close."""
        self._prefetcher.close()

    def _sample(
        self, engine: Engine, examples: Sequence[Example], id_prefix: str, seed: int, version: int
    ) -> PendingRollout:
        settings = self._settings
        params = SamplingParams(settings.group_size, settings.max_tokens, settings.temperature, seed)
        return sample(
            engine,
            self.grader,
            self._decode,
            examples,
            params,
            id_prefix=id_prefix,
            policy_version=version,
            testers=settings.testers,
            turns=self._turns,
        )

    def _sampled(self, step: int) -> PendingRollout:
        """The completions of a step, waited for; the batches after it start to be sampled."""
        with self._timed("time/wait_engine"):
            if self._settings.partial and not self._settings.refill_rounds:
                self._prefetcher.look_ahead(step)  # into the rows that the longest completions leave free
            self._prefetcher.go_on()
            pending = self._prefetcher.first(step)
            if not self._settings.refill_rounds:  # else fresh prompts of this batch come first
                self._prefetcher.look_ahead(step)
        return pending

    def _graded(self, pending: PendingRollout) -> Sequence[Group]:
        """The groups of a batch, waited for; notes which prompts had nothing to teach or were solved."""
        rollout = collect(pending, self.grader, credit=self._turns.credit if self._turns is not None else "final")
        self._metrics["time/generate"] += rollout.generate_s
        self._metrics["time/wait_rewards"] += rollout.wait_rewards_s
        if self._turns is not None:
            self._metrics["rollout/crowded"] += rollout.num_crowded
        self._failures += count_failures(rollout.groups)
        self._num_graded += sum(len(group.completions) for group in rollout.groups)
        self._num_cut += pending.num_cut
        self._note_seen(rollout.groups)
        return rollout.groups

    def _note_seen(self, groups: Sequence[Group]) -> None:
        """Tell the prompts how their groups went: what was known of them before no longer counts."""
        seen = {group.example.id for group in groups}
        zero_std = {group.example.id for group in split_by_std(groups)[1]}
        solved = {group.example.id for group in groups if solved_share(group) >= self._settings.solved_above}
        self.prompts.zero_std = self.prompts.zero_std - seen | zero_std
        self.prompts.solved = self.prompts.solved - seen | solved

    def _drop_stale(self, groups: Sequence[Group]) -> Sequence[Group]:
        """The groups without the rewards of completions that too old weights sampled."""
        self._metrics["policy/stale"] = 0.0
        if not self._settings.max_staleness:
            return groups
        oldest = self._version() - self._settings.max_staleness
        kept = []
        for group in groups:
            stale = [completion.policy_version < oldest for completion in group.completions]
            self._metrics["policy/stale"] += sum(stale)
            rewards = [None if is_old else reward for is_old, reward in zip(stale, group.rewards, strict=True)]
            kept.append(dataclasses.replace(group, rewards=tuple(rewards)))
        return kept

    def _in_parts(self, group: Group) -> Group:
        """The group with the part of each token."""
        return dataclasses.replace(group, token_parts=self._token_parts.of(group))

    def _refill(self, groups: Sequence[Group], step: int) -> Sequence[Group]:
        """The groups with zero_std groups replaced; then the batches after the step start to be sampled."""

        def fresh_groups(count: int, round_number: int) -> Sequence[Group]:
            examples = self.prompts.take(count)
            with self._timed("time/wait_engine"):
                pending = self._prefetcher.sample_now(examples, step, round_number)
            return self._graded(pending)

        settings = self._settings
        filled, counts = refill(
            groups, fresh_groups, num_groups=settings.prompts_per_step, rounds=settings.refill_rounds
        )
        self._metrics |= counts
        with self._timed("time/wait_engine"):
            self._prefetcher.look_ahead(step)
        return filled

    def _finish_batch(self) -> None:
        self._prefetcher.pop()
        self.sleep()
        self.engine.batch_is_complete()

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        """Add the seconds inside to a metric of the batch."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._metrics[name] += time.perf_counter() - started


def _in_flight(batch: InFlightBatch, sampled: PendingRollout | None) -> dict[str, Any]:
    """A batch in flight as plain JSON values: its graded completions, or what is written of them so far."""
    if sampled is not None:
        return to_json(batch.step, sampled)
    names = [example.id for example in batch.examples]
    return {"step": batch.step, "examples": names, "rounds": batch.drafts.to_json()}
