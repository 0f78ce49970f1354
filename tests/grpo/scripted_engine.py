"""An engine without a model: its completions are numbers made of weights and seeds, and it fails as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams

__all__ = ["ScriptedEngine"]

LONGEST_S = 30.0  # that it waits to be interrupted


class ScriptedEngine(Engine):
    """What it samples tells which weights, seed, prompt and sample it comes from."""

    concurrent = True

    def __init__(self, name: str = "", *, seeds_prompts: bool = True) -> None:
        self.name, self.seeds_prompts = name, seeds_prompts
        self.weights = 0
        self.asked: list[list[tuple[int, ...]]] = []  # the prompts of each call
        self.dies_after = -1  # completions of a call; -1: never
        self.dies_at_load = self.dies_at_restart = self.ends_early = False
        self.begins_nothing = False  # while it is interrupted
        self.hangs_after = self.waits_after = -1  # the latter until it is interrupted, before a third token
        self.tokens, self.pause_s = 5, 0.0  # of a completion, at most; before one
        self.restarts = 0
        self.closed = False
        self._abandoned = threading.Event()

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        params.check(prompts)
        self.asked.append([tuple(prompt) for prompt in prompts])
        if self.begins_nothing and self.interrupted():
            return
        numbers = params.numbers if self.seeds_prompts and params.numbers else range(len(prompts))
        rows = [(place, sample) for sample in range(params.num_samples) for place in range(len(prompts))]
        for done, (place, sample) in enumerate(rows):
            if done == self.dies_after:
                raise EngineDied(f"{self.name} died after {done}")
            if done == self.hangs_after:
                self._abandoned.wait(30)
                raise EngineDied(f"{self.name} was abandoned")
            if self.ends_early:
                return
            until = time.monotonic() + LONGEST_S
            ended = not 0 <= self.waits_after <= done or params.limit(place) <= 2
            while done == self.waits_after and not ended and not self.interrupted():
                assert time.monotonic() < until, "nobody interrupts it"
                time.sleep(0.001)
            if self.pause_s:
                time.sleep(self.pause_s)
            made = (self.weights, params.seed % 1000, numbers[place], sample, prompts[place][0])[: self.tokens]
            made = made[params.written[place] if params.written else 0 :]
            made = made if ended else made[:2]
            yield GenerationOutput(place, sample, made, (-1.0,) * len(made), ended, finished=ended)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        if self.dies_at_load:
            raise EngineDied(f"{self.name} took no weights")
        self.weights = int(dict(weights)["first"][0])

    def abandon(self) -> None:
        self._abandoned.set()

    def restart(self) -> bool:
        if self.dies_at_restart:
            raise EngineDied(f"{self.name} is not back")
        self.restarts += 1
        self.dies_after = self.hangs_after = -1
        self.ends_early = False
        self._abandoned.clear()
        return False

    def close(self) -> None:
        self.closed = True
