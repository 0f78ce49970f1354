"""Samples batches ahead of the one that the trainer learns from.

With `ahead` = 0 a batch is sampled from the weights that learn from it, and its grading hides behind its own decoding.
With n the weights are n batches older, and grading hides behind sampling and training too; an engine in a process of
its own then samples while the trainer updates. Batch k is always sampled from the weights after step k - 1 - n, however
fast anything runs, so a run is a function of its recipe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from grpo.engines import EngineDied
from grpo.rollout.collect import PendingRollout, seed_for
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Example
from grpo.timing import BusyClock

__all__ = ["InFlightBatch", "Prefetcher"]


@dataclass
class InFlightBatch:
    """A batch that is being sampled, or was sampled and not trained on yet."""

    step: int
    examples: Sequence[Example]
    id_prefix: str
    seed: int
    sampling: Future[PendingRollout]
    version: int  # of the weights that it is sampled from


@dataclass
class Prefetcher:
    """Samples each step's batch at most `ahead` steps early, in a thread of its own."""

    engine: RestartingEngine
    prompts: PromptStream
    sample: Callable[[Sequence[Example], str, int, int], PendingRollout]  # examples, id prefix, seed, policy version
    version: Callable[[], int]  # number of weight updates so far
    seed: int  # the run's
    num_steps: int
    prompts_per_step: int
    ahead: int
    in_flight: deque[InFlightBatch] = field(init=False, default_factory=deque)
    _busy: BusyClock = field(init=False, default_factory=BusyClock)
    _thread: ThreadPoolExecutor = field(init=False, default_factory=lambda: ThreadPoolExecutor(1, "sampling"))

    def __post_init__(self) -> None:
        self.engine.on_death = self._find_lost

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
        while self.in_flight[-1].step < min(step + self.ahead, self.num_steps):
            self._start(self.in_flight[-1].step + 1)

    def wait_sampled(self) -> None:
        """Wait for the completions of every batch in flight."""
        for batch in self.in_flight:
            self._wait_sampled(batch)

    def replace_sampled(self, change: Callable[[PendingRollout], PendingRollout]) -> list[tuple[int, PendingRollout]]:
        """Put something else in the place of each batch in flight, waited for; by their steps what is there then."""
        self.wait_sampled()  # of all: an engine that dies has those sampled again that it did not finish
        for batch in self.in_flight:
            batch.sampling = _done(change(batch.sampling.result()))
        return [(batch.step, batch.sampling.result()) for batch in self.in_flight]

    def sample_now(self, examples: Sequence[Example], step: int, round_number: int) -> PendingRollout:
        """Completions of further examples for a step, waited for."""
        name_and_seed = self._name_and_seed(step, round_number)
        return self.engine.with_restart(lambda: self._sampled(examples, *name_and_seed, self.version()).result())

    def pop(self) -> None:
        """The first batch was trained on: it is in flight no longer."""
        self.in_flight.popleft()

    def adopt(self, step: int, pending: PendingRollout) -> None:
        """Put a batch in flight that an earlier session of the run sampled."""
        versions = [completion.policy_version for completion in pending.completions.values()]
        name_and_seed, version = self._name_and_seed(step), min(versions, default=0)
        self.in_flight.append(InFlightBatch(step, pending.examples, *name_and_seed, _done(pending), version))

    def _name_and_seed(self, step: int, round_number: int = 0) -> tuple[str, int]:
        """The prefix of the completions' ids in a round of a step, and the seed of their sampling."""
        if not round_number:
            return f"s{step}", seed_for(self.seed, "train", step)
        return f"s{step}.{round_number}", seed_for(self.seed, "train", step, round_number)

    def close(self) -> None:
        """Start to sample nothing more; what is being sampled is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _start(self, step: int) -> None:
        """Start to sample the batch of a step."""
        examples = self.prompts.take(self.prompts_per_step)
        id_prefix, seed = self._name_and_seed(step)
        version = self.version()
        sampling = self._sampled(examples, id_prefix, seed, version)
        self.in_flight.append(InFlightBatch(step, examples, id_prefix, seed, sampling, version))

    def _sampled(self, examples: Sequence[Example], id_prefix: str, seed: int, version: int) -> Future[PendingRollout]:
        """Completions of examples: sampled in the thread if the engine can sample beside the trainer, else at once."""

        def sampling() -> PendingRollout:
            with self._busy.running():
                return self.sample(examples, id_prefix, seed, version)

        if self.engine.engine.concurrent:
            return self._thread.submit(sampling)
        done: Future[PendingRollout] = Future()
        try:
            done.set_result(sampling())
        except EngineDied as error:
            done.set_exception(error)
        return done

    def _wait_sampled(self, batch: InFlightBatch) -> PendingRollout:
        return self.engine.with_restart(lambda: batch.sampling.result())

    def _find_lost(self) -> Callable[[bool], None]:
        """Wait until nothing is being sampled.

        Returns: What samples the batches again that a dead engine did not finish: from the weights that it had, or, if
            it did not keep them, from the current ones.
        """
        lost = [batch for batch in self.in_flight if isinstance(batch.sampling.exception(), EngineDied)]

        def sample_again(kept: bool) -> None:
            for batch in lost:
                batch.version = batch.version if kept else self.version()
                batch.sampling = self._sampled(batch.examples, batch.id_prefix, batch.seed, batch.version)

        return sample_again


def _done(pending: PendingRollout) -> Future[PendingRollout]:
    """A batch that is there."""
    future: Future[PendingRollout] = Future()
    future.set_result(pending)
    return future
