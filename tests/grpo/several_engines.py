"""Scripted engines as one, and what is asked of them; tests of several files use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from grpo.engines import EngineDied, GenerationOutput, SamplingParams
from grpo.engines.several import Several
from scripted_engine import ScriptedEngine

__all__ = ["PARAMS", "PROMPTS", "SEEDED", "Group", "ask", "rows", "weights"]

PROMPTS = [(10,), (11,), (12,), (13,), (14,)]
PARAMS = SamplingParams(num_samples=3, max_tokens=5, temperature=1.0, seed=7)
SEEDED = pytest.mark.parametrize("seeds_prompts", [True, False], ids=["seeds prompts", "seeds calls"])


class Group:
    """Engines as one, and what is said of them."""

    def __init__(self, count: int = 2, *, seeds_prompts: bool = True, **settings: float) -> None:
        self.engines = [ScriptedEngine(f"e{number}", seeds_prompts=seeds_prompts) for number in range(count)]
        self.said: list[str] = []
        self.settings = settings

    def start(self) -> Several:
        def maker(engine: ScriptedEngine) -> Callable[[], ScriptedEngine]:
            return lambda: engine if not engine.dies_at_restart else _refuse(engine)

        makers = {engine.name: maker(engine) for engine in self.engines}
        self.several = Several(makers, say=self.said.append, **self.settings)
        self.load(1)
        return self.several

    def load(self, number: int) -> None:
        self.several.load_weights(weights(number))


def _refuse(engine: ScriptedEngine) -> ScriptedEngine:
    raise EngineDied(f"{engine.name} does not answer")


def weights(number: int) -> Iterator[tuple[str, torch.Tensor]]:
    yield "first", torch.full((2,), float(number))


def ask(engine: Several, params: SamplingParams = PARAMS) -> list[GenerationOutput]:
    return sorted(engine.generate(PROMPTS, params), key=lambda made: (made.prompt, made.sample))


def rows(completions: list[GenerationOutput]) -> list[tuple[int, int]]:
    return [(made.prompt, made.sample) for made in completions]
