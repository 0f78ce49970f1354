"""What tests of the rollout stream share: prompts, a grader by prompt, an engine that dies, a stand-in trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from grpo.engines import Engine, EngineDied, GenerationOutput
from grpo.engines.hf import HFEngine
from grpo.model.policy import Policy
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Completion, Example, RolloutBatch
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo.rollout.turns.playing import TurnRules
from letter_grader import Grade, LetterGrader, encoded

EXAMPLES = [Example(f"t{i}", ({"role": "user", "content": f"say {i}"},)) for i in range(12)]
STEPS = 5


class ByPrompt(LetterGrader):
    """Pays all completions to the prompts named alike: those to solve well, those to fail badly."""

    def __init__(self, solved: set[str] = frozenset(), failed: set[str] = frozenset()) -> None:
        super().__init__()
        self._solved, self._failed = solved, failed
        self._of: dict[str, str] = {}

    def start(self, example: Example, completion: Completion) -> Completion:
        self._of[completion.id] = example.id
        return super().start(example, completion)

    def _grade(self, completion: Completion) -> Grade:
        asked = self._of[completion.id]
        if asked in self._solved | self._failed:
            return Grade({"letters": 1.0}, asked in self._solved)
        number = int(completion.id[-1])
        return Grade({"letters": float(number)}, number > 1)


class Dying(Engine):
    """An engine that dies in the calls named, the first of which is number 1."""

    def __init__(self, engine: Engine, calls: set[int], *, concurrent: bool = False) -> None:
        self._engine, self._calls, self.concurrent = engine, calls, concurrent
        self.count, self.restarts = 0, 0

    def generate(self, *arguments: Any, **settings: Any) -> Iterator[GenerationOutput]:
        self.count += 1
        for completion in self._engine.generate(*arguments, **settings):
            if self.count in self._calls:
                raise EngineDied("out of memory, said the engine")
            yield completion

    def restart(self) -> None:
        self.restarts += 1


class Trainer:
    """Stands for the trainer: takes batches, and counts an update after each."""

    def __init__(
        self,
        policy: Policy,
        *,
        engine: Engine | None = None,
        grader: LetterGrader | None = None,
        prompts: list[Example] = EXAMPLES,
        resample_prob: float = 1.0,
        solved_resample_prob: float = 1.0,
        turns: TurnRules | None = None,
        **changes: Any,
    ) -> None:
        self.updates = 0
        self.synced: list[int] = []
        self.said: list[str] = []
        settings = {"seed": 0, "num_steps": STEPS, "prompts_per_step": 3, "group_size": 4, "max_tokens": 4}
        self.engine = RestartingEngine(
            engine or HFEngine(policy), sync=self._sync, frees_cuda_cache=False, say=self.said.append
        )
        self.rollouts = RolloutStream(
            self.engine,
            grader or LetterGrader(),
            PromptStream(
                encoded(prompts, policy.encode),
                seed=1,
                zero_std_resample_prob=resample_prob,
                solved_resample_prob=solved_resample_prob,
            ),
            policy.decode,
            lambda: self.updates,
            RolloutSettings(**{**settings, "temperature": 1.0, **changes}),
            turns,
        )

    def _sync(self, say: Callable[[str], None]) -> dict[str, float]:
        self.synced.append(self.updates)
        return {"time/sync": 0.0}

    def run(self, first: int = 1, last: int = STEPS) -> list[RolloutBatch]:
        batches = []
        for step in range(first, last + 1):
            batches.append(self.rollouts.next_batch(step))
            self.updates += 1
            self.rollouts.sync_weights()
        return batches


def ids(batches: list[RolloutBatch]) -> list[list[str]]:
    return [[group.example.id for group in batch.groups] for batch in batches]


def plain(batches: list[RolloutBatch]) -> list[list[tuple[object, ...]]]:
    """Everything in batches but their metrics, with grades of any class as values."""
    parts = ("rewards", "checks", "solved", "seconds", "verdict")
    return [
        [
            (g.example, g.completions, g.rewards, [[getattr(grade, part) for part in parts] for grade in g.grades])
            for g in batch.groups
        ]
        for batch in batches
    ]
