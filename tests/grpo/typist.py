"""An engine whose every token, log-probability and interruption is known by hand, and the loop that trains with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy
from grpo.rollout.records import RolloutBatch
from stream_trainer import Trainer

FIRST, LATER, STOP = 100, 40, 2  # token ids: 100 + sample, then 40 + version of the weights, then the end
LONGEST = 12


class Typist(Engine):
    """Writes a token a step into every open completion. Sample k has 4 + 3 k tokens, or as many as there may be."""

    concurrent = True

    def __init__(self, stops: Mapping[int, int] | None = None, dies: Sequence[int] = ()) -> None:
        """
        Args:
            stops: By the number of the call, the first of which is 1: after how many steps it waits for new weights.
            dies: The calls that die where they would stop.
        """
        self._stops, self._dies = dict(stops or {}), set(dies)
        self.weights, self.calls, self.restarts, self.seeds = 0, 0, 0, list[int]()
        self.arrived = threading.Semaphore(0)  # released where a call stops
        self.working = False

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        params.check(prompts)
        self.calls += 1
        self.seeds.append(params.seed)
        self.working = True
        try:
            yield from self._typed(prompts, params, self._stops.get(self.calls), self.calls in self._dies)
        finally:
            self.working = False

    def load(self, version: int) -> dict[str, float]:
        assert not self.working, "the rest of its tokens would be another policy's"
        self.weights = version
        return {}

    def restart(self) -> bool:
        self.restarts += 1
        return True

    def _typed(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, stop: int | None, dies: bool
    ) -> Iterator[GenerationOutput]:
        written = params.written or (0,) * len(prompts)
        rows = {
            (number, sample): list(prompt[len(prompt) - done :])
            for number, (prompt, done) in enumerate(zip(prompts, written, strict=True))
            for sample in range(params.num_samples)
        }
        for step in range(1, LONGEST + 1):
            for (number, sample), row in list(rows.items()):
                row.append(LATER + self.weights if row else FIRST + sample)
                wanted = 4 + 3 * (row[0] - FIRST)
                if len(row) == wanted:
                    row[-1] = STOP
                if len(row) in (wanted, params.max_tokens):
                    yield self._output(number, sample, rows.pop((number, sample)), written[number], finished=True)
            if step == stop:
                self.arrived.release()
                while not self.interrupted():
                    threading.Event().wait(0.001)
                if dies:
                    raise EngineDied("struck by a meteorite")
                for (number, sample), row in rows.items():
                    yield self._output(number, sample, row, written[number], finished=False)
                return
            if not rows:
                return

    def _output(self, number: int, sample: int, row: list[int], done: int, *, finished: bool) -> GenerationOutput:
        logprobs = tuple(logprob(self.weights, place) for place in range(done, len(row)))
        return GenerationOutput(number, sample, tuple(row[done:]), logprobs, row[-1] == STOP, finished)


def logprob(version: int, place: int) -> float:
    """What a version of the weights says of a completion's token at a place."""
    return -0.5 * (version + 1) - 0.01 * place


def make_trainer(policy: Policy, engine: Typist, **changes: object) -> Trainer:
    """A stand-in trainer whose engine gets the number of updates as its weights."""
    settings = {"ahead": 1, "partial": True, "max_tokens": LONGEST, **changes}
    trainer = Trainer(policy, engine=engine, **settings)
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
