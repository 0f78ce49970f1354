"""An engine whose every token, log-probability and interruption is known by hand, and the loop that trains with it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy
from grpo.rollout.records import RolloutBatch
from stream_trainer import Trainer

FIRST, LATER, STOP = 100, 40, 2  # token ids: 100 + sample, then 40 + version of the weights, then the end
LONGEST = 12
PROMPTS, SAMPLES, STEPS = 3, 4, 4  # of a batch, of a prompt, of a run, which has every prompt once


class Typist(Engine):
    """Writes a token a step into every open completion of the oldest batch that it is asked for.

    Sample k has 4 + 3 k tokens, or as many as there may be.
    """

    concurrent = True

    def __init__(
        self, stops: Mapping[tuple[int, int], int] | None = None, dies: Sequence[tuple[int, int]] = ()
    ) -> None:
        """
        Args:
            stops: By weights and batch, after how many steps over this batch it waits until it is interrupted. Else no
                interruption is heard. It begins such a batch when all earlier ones have been asked for.
            dies: Where it dies of the interruption.
        """
        self._stops, self._dies = dict(stops or {}), set(dies)
        self.weights, self.restarts, self.seeds = 0, 0, list[int]()
        self.order: list[tuple[int, ...]] = []  # the prompts of all batches, `PROMPTS` each
        self.arrived = threading.Semaphore(0)  # released where it stops
        self.working = False
        self._steps: Counter[tuple[int, int]] = Counter()  # by weights and batch
        self._asked = set[int]()  # batches
        self._begun: Counter[tuple[int, ...]] = Counter()  # samples of a prompt

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        params.check(prompts)
        self.seeds.append(params.seed)
        self.working = True
        try:
            yield from self._typed(prompts, params)
        finally:
            self.working = False

    def load(self, version: int) -> dict[str, float]:
        assert not self.working, "the rest of its tokens would be another policy's"
        self.weights = version
        return {}

    def restart(self) -> bool:
        self.restarts += 1
        return True

    def _typed(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        written = params.written or (0,) * len(prompts)
        batches = [self._batch(prompt) for prompt in prompts]
        self._asked.update(batches)
        rows = {
            (number, sample): list(prompt[len(prompt) - done :])
            for number, (prompt, done) in enumerate(zip(prompts, written, strict=True))
            for sample in range(params.num_samples)
        }
        while rows:
            batch = min(batches[number] for number, _ in rows)
            key = (self.weights, batch)
            overtakes = key in self._stops and not self._asked.issuperset(range(1, batch))  # threads ask in any order
            if overtakes or self._steps[key] == self._stops.get(key):
                self._wait(key)
                for (number, sample), row in rows.items():
                    if len(row) > written[number]:
                        yield self._output(number, sample, row, written[number], finished=False)
                return
            self._steps[key] += 1
            if self._steps[key] == self._stops.get(key):
                self.arrived.release()
            for (number, sample), row in [item for item in rows.items() if batches[item[0][0]] == batch]:
                row.append(LATER + self.weights if row else FIRST + self._begin(prompts[number]))
                wanted = 4 + 3 * (row[0] - FIRST)
                if len(row) == wanted:
                    row[-1] = STOP
                if len(row) in (wanted, params.max_tokens):
                    yield self._output(number, sample, rows.pop((number, sample)), written[number], finished=True)

    def _begin(self, prompt: Sequence[int]) -> int:
        """The number of the sample that is begun; a call for several batches has each as a prompt of its own."""
        self._begun[tuple(prompt)] += 1
        return (self._begun[tuple(prompt)] - 1) % SAMPLES

    def _wait(self, key: tuple[int, int]) -> None:
        """Until somebody interrupts."""
        while not self.interrupted():
            time.sleep(0.001)
        if key in self._dies:
            raise EngineDied("struck by a meteorite")

    def _batch(self, prompt: Sequence[int]) -> int:
        """The batch that a prompt or what continues one belongs to, the first is 1."""
        (found,) = [place for place, start in enumerate(self.order) if tuple(prompt[: len(start)]) == start]
        return found // PROMPTS + 1

    def _output(self, number: int, sample: int, row: list[int], done: int, *, finished: bool) -> GenerationOutput:
        logprobs = tuple(logprob(self.weights, place) for place in range(done, len(row)))
        return GenerationOutput(number, sample, tuple(row[done:]), logprobs, row[-1] == STOP, finished)


def logprob(version: int, place: int) -> float:
    """What a version of the weights says of a completion's token at a place."""
    return -0.5 * (version + 1) - 0.01 * place


def make_trainer(policy: Policy, engine: Typist, **changes: Any) -> Trainer:
    """A stand-in trainer whose engine gets the number of updates as its weights."""
    settings: dict[str, Any] = {"ahead": 1, "partial": True, "max_tokens": LONGEST, "num_steps": STEPS, **changes}
    trainer = Trainer(policy, engine=engine, **settings)
    engine.order = [example.prompt_ids for example in Trainer(policy).rollouts.prompts.take(PROMPTS * STEPS)]
    trainer.engine.sync = lambda say: engine.load(trainer.updates)
    return trainer


def steps(trainer: Trainer, first: int, last: int, stopped: Sequence[int] = ()) -> list[RolloutBatch]:
    """Train from a step to another; new weights come when the engine has stopped, in the steps named."""
    engine, batches = trainer.engine.engine, []
    if first == 1:
        trainer.rollouts.sync_weights()
    for step in range(first, last + 1):
        batches.append(trainer.rollouts.next_batch(step))
        if step in stopped:
            assert engine.arrived.acquire(timeout=10)
        trainer.updates += 1
        trainer.rollouts.sync_weights()
        assert not engine.working, "evaluations and checkpoints find it idle"
    return batches
