"""Samples batches ahead of the one that the trainer learns from.

With `ahead` = 0 a batch is sampled from the weights that learn from it, and its grading hides behind its own decoding.
With n the weights are n batches older, and grading hides behind sampling and training too; an engine in a process of
its own then samples while the trainer updates. Batch k is always sampled from the weights after step k - 1 - n, however
fast anything runs, so a run is a function of its recipe. Where new weights may interrupt the sampling (`partial`), a
batch is begun by those weights or later ones, and finished by those of the step that learns from it at the latest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grpo.engines import Engine, EngineDied
from grpo.rollout.collect import PendingRollout, seed_for
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.partial.drafts import Drafts
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Example
from grpo.timing import BusyClock

if TYPE_CHECKING:
    from grpo.rollout.partial.interruptions import Interruptions

__all__ = ["InFlightBatch", "Prefetcher"]


@dataclass
class InFlightBatch:
    """A batch that is being sampled, or was sampled and not trained on yet."""

    step: int
    examples: Sequence[Example]
    id_prefix: str
    seed: int
    version: int  # of the weights that it is sampled from
    drafts: Drafts = field(default_factory=Drafts)  # what is written of it, where it may be interrupted
    sampling: Future[PendingRollout] | None = None  # None: it goes on with the first step of the session

    @property
    def sampled(self) -> PendingRollout | None:
        """Its completions, if they are there and the engine did not die over them."""
        there = self.sampling is not None and self.sampling.done() and not self.sampling.exception()
        return self.result() if there else None

    def result(self) -> PendingRollout:
        """Its completions, waited for."""
        assert self.sampling is not None
        return self.sampling.result()

    def died(self) -> bool:
        """Whether the engine died over it; waited for."""
        return self.sampling is not None and isinstance(self.sampling.exception(), EngineDied)


@dataclass
class Prefetcher:
    """Samples each step's batch at most `ahead` steps early, beside the trainer if the engine can."""

    engine: RestartingEngine
    prompts: PromptStream
    sample: Callable[[Engine, Sequence[Example], str, int, int], PendingRollout]  # ..., id prefix, seed, policy version
    version: Callable[[], int]  # number of weight updates so far
    seed: int  # the run's
    num_steps: int
    prompts_per_step: int
    ahead: int
    partial: bool = False  # whether new weights interrupt what is being sampled
    deadline_s: float = 0.0  # see `RolloutSettings`
    in_flight: deque[InFlightBatch] = field(init=False, default_factory=deque)
    _busy: BusyClock = field(init=False, default_factory=BusyClock)
    _interruptions: Interruptions | None = field(init=False, default=None)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.engine.on_death = self._find_lost
        # One batch after the other, or all in flight together, and the fresh prompts of one.
        self._threads = ThreadPoolExecutor(self.ahead + 2 if self.partial else 1, "sampling")
        if self.partial:
            from grpo.rollout.partial.interruptions import Interruptions

            self._interruptions = Interruptions(self.engine.engine, self._busy)

    @property
    def busy_s(self) -> float:
        """Seconds that the engine has been sampling so far."""
        return self._busy.seconds

    def first(self, step: int) -> PendingRollout:
        """The completions of a step, waited for; started now if they were not sampled ahead."""
        if not self.in_flight:
            self._start(step)
        return self._wait_sampled(self.in_flight[0])

    def look_ahead(self, step: int) -> None:
        """Start to sample the batches that may be ahead of a step."""
        newest = self.in_flight[-1].step if self.in_flight else step - 1
        for number in range(newest + 1, min(step + self.ahead, self.num_steps) + 1):
            self._start(number)

    def stand_still(self) -> None:
        """Wait for the completions of every batch in flight, or interrupt them until `go_on`."""
        if self._interruptions is not None:
            return self._interruptions.pause()
        for batch in self.in_flight:
            self._wait_sampled(batch)

    def go_on(self) -> None:
        """Sample again after `stand_still`, from the weights that there are now."""
        for batch in self.in_flight:
            if batch.sampling is None:
                self._begin(batch)
        if self._interruptions is not None:
            self._interruptions.go_on(self.version())

    def replace_sampled(
        self, change: Callable[[PendingRollout], PendingRollout]
    ) -> Sequence[tuple[InFlightBatch, PendingRollout | None]]:
        """Put something else in the place of what is sampled of each batch in flight.

        Returns: The batches in flight, each with what was put there. None for one that was not sampled yet, although it
            may be by now: only batches that may be interrupted may have nothing sampled yet.
        """
        self.stand_still()  # all are waited for: an engine that dies has those sampled again that it did not finish
        replaced = []
        for batch in self.in_flight:
            if (pending := batch.sampled) is not None:
                pending = change(pending)
                batch.sampling = _done(pending)
            replaced.append((batch, pending))
        return replaced

    def sample_now(self, examples: Sequence[Example], step: int, round_number: int) -> PendingRollout:
        """Completions of further examples for a step, waited for."""
        name_and_seed = self._name_and_seed(step, round_number)
        return self.engine.with_restart(
            lambda: self._sampled(step, examples, *name_and_seed, self.version(), Drafts()).result()
        )

    def pop(self) -> None:
        """The first batch was trained on: it is in flight no longer."""
        self.in_flight.popleft()

    def adopt(self, step: int, pending: PendingRollout) -> None:
        """Put a batch in flight that an earlier session of the run sampled."""
        versions = [completion.policy_version for completion in pending.completions.values()]
        name_and_seed, version = self._name_and_seed(step), min(versions, default=0)
        batch = InFlightBatch(step, pending.examples, *name_and_seed, version, sampling=_done(pending))
        self.in_flight.append(batch)

    def adopt_drafts(self, step: int, examples: Sequence[Example], drafts: Drafts) -> None:
        """Put a batch in flight that an earlier session of the run began to sample; it goes on with `go_on`."""
        self.in_flight.append(InFlightBatch(step, examples, *self._name_and_seed(step), self.version(), drafts))

    def _name_and_seed(self, step: int, round_number: int = 0) -> tuple[str, int]:
        """The prefix of the completions' ids in a round of a step, and the seed of their sampling."""
        if not round_number:
            return f"s{step}", seed_for(self.seed, "train", step)
        return f"s{step}.{round_number}", seed_for(self.seed, "train", step, round_number)

    def close(self) -> None:
        """Start to sample nothing more; what is being sampled is not waited for."""
        if self._interruptions is not None:
            self._interruptions.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, step: int) -> None:
        """Start to sample the batch of a step."""
        examples = self.prompts.take(self.prompts_per_step)
        self.in_flight.append(InFlightBatch(step, examples, *self._name_and_seed(step), self.version()))
        self._begin(self.in_flight[-1])

    def _begin(self, batch: InFlightBatch) -> None:
        """Start to sample a batch, or go on with what is written of it."""
        about = (batch.step, batch.examples, batch.id_prefix, batch.seed, batch.version, batch.drafts)
        batch.sampling = self._sampled(*about)

    def _sampled(
        self, step: int, examples: Sequence[Example], id_prefix: str, seed: int, version: int, drafts: Drafts
    ) -> Future[PendingRollout]:
        """Completions of examples: sampled in the thread if the engine can sample beside the trainer, else at once."""

        def sampling() -> PendingRollout:
            if self._interruptions is not None:
                return self.sample(self._interruptions.over(drafts, step), examples, id_prefix, seed, version)
            with self._busy.running():
                return self.sample(self._in_time(), examples, id_prefix, seed, version)

        if self.engine.engine.concurrent:
            return self._threads.submit(sampling)
        done: Future[PendingRollout] = Future()
        try:
            done.set_result(sampling())
        except EngineDied as error:
            done.set_exception(error)
        return done

    def _in_time(self) -> Engine:
        """The engine, with its deadline if it has one."""
        if not self.deadline_s:
            return self.engine.engine
        from grpo.rollout.partial.deadline import WithDeadline

        return WithDeadline(self.engine.engine, self.deadline_s)

    def _wait_sampled(self, batch: InFlightBatch) -> PendingRollout:
        return self.engine.with_restart(batch.result)

    def _find_lost(self) -> Callable[[bool], None]:
        """Wait until nothing is being sampled.

        Returns: What samples the batches again that a dead engine did not finish: from the weights that it had, or, if
            it did not keep them, from the current ones. A batch that is interrupted has lost nothing.
        """
        still = self._interruptions is not None and self._interruptions.paused
        lost = [batch for batch in self.in_flight if (batch.drafts.lost or not still) and batch.died()]

        def sample_again(kept: bool) -> None:
            if not (kept or still):
                self.go_on()  # the version of the weights is another one
            for batch in lost:
                batch.version, batch.drafts = batch.version if kept else self.version(), Drafts()
                self._begin(batch)

        return sample_again


def _done(pending: PendingRollout) -> Future[PendingRollout]:
    """A batch that is there."""
    future: Future[PendingRollout] = Future()
    future.set_result(pending)
    return future
