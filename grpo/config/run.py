"""The run around the training: its name and place, its data, its evaluations, and what it keeps on disk."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grpo.config.sources import PUBLISHED
from grpo.schema import option

__all__ = ["RunSection", "DataSection", "EvalSection", "CheckpointSection", "LogSection"]

SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class RunSection:
    """The run: its name, its directory, its seed."""

    name: str = option("", "name of the run; empty: the name of run.dir, or else of the recipe with date and time")
    dir: str = option("", "run directory; must not exist yet, unless the run resumes; empty: runs/<run.name>")
    seed: int = option(0, "seed of prompt order and sampling", low=0, high=2**31 - 1)
    resume: bool = option(False, "continue the run in run.dir after its last checkpoint")

    def conflicts(self) -> list[str]:
        """A name that cannot be a directory's; a resume without a run."""
        found = []
        if self.name and not SAFE_NAME.fullmatch(self.name):
            found.append(
                f"run.name = {self.name!r}: only letters, digits and . _ + - (not first) make a directory's name"
            )
        if self.resume and not (self.dir or self.name):
            found.append("run.resume = true: say which run with run.dir or run.name")
        return found


@dataclass(frozen=True)
class DataSection:
    """The prompts to train and to evaluate on."""

    train: str = option(
        "assets/tasks/train.jsonl", "training prompts: a .jsonl or .parquet path, hf:NAME, or oxen:REPOSITORY/FILE"
    )
    train_mix: Mapping[str, float] = option(
        {},
        "more training prompts: source and weight, where data.train has weight 1; one of weight 0.5 has its turn half "
        "as often. A pass (train.epochs) is one over data.train",
        low=0.001,
        high=1000,
    )
    eval: str = option("assets/tasks/eval.jsonl", "held-out prompts for evaluation, in the same forms")
    eval_mix: Mapping[str, float] = option(
        {},
        "more held-out prompts: source and weight, where data.eval has weight 1; of one of weight 0.5 half of "
        "eval.prompts are evaluated on, the first",
        low=0.001,
        high=1000,
    )
    system_prompt: str = option("none", "system message before every prompt, by its name", choices=("none",))
    max_prompt_tokens: int = option(
        256, "longest prompt, chat template included", unit="tokens", low=1, high=1_000_000, source=PUBLISHED
    )
    long_prompts: str = option(
        "error",
        "what happens to a longer prompt: an error stops the run, or the prompt is left out",
        choices=("error", "skip"),
    )

    def train_sources(self) -> dict[str, float]:
        """Every source of training prompts with its weight, `data.train` first.

        >>> DataSection(train="a.jsonl", train_mix={"b.jsonl": 0.5}).train_sources()
        {'a.jsonl': 1.0, 'b.jsonl': 0.5}
        """
        return {self.train: 1.0, **self.train_mix}

    def eval_sources(self) -> dict[str, float]:
        """Every source of held-out prompts with its weight, `data.eval` first."""
        return {self.eval: 1.0, **self.eval_mix}

    def conflicts(self) -> list[str]:
        """A source that is named twice."""
        found = []
        for key, first, mix in (("train", self.train, self.train_mix), ("eval", self.eval, self.eval_mix)):
            seen = {_place(first): f"data.{key}, which has weight 1"}
            for source in mix:
                if before := seen.get(_place(source)):
                    found.append(f'data.{key}_mix."{source}": this is {before}: name every source once')
                seen[_place(source)] = f'data.{key}_mix."{source}" too'
        return found


def _place(source: str) -> str:
    """A source in one spelling: `./a.jsonl` is `a.jsonl`."""
    return source if source.startswith(("hf:", "oxen:")) else str(Path(source))


@dataclass(frozen=True)
class EvalSection:
    """Evaluation on held-out prompts, before training, in between, and after."""

    every: int = option(0, "steps between evaluations; 0: only before and after training", unit="steps", low=0)
    prompts: int = option(
        100,
        "prompts to evaluate on, the first of data.eval; of a source in data.eval_mix its weight times as many; 0: no "
        "evaluation at all",
        unit="prompts",
        low=0,
    )
    samples: int = option(2, "completions of every prompt", unit="completions", low=1, high=10_000)
    temperature: float = option(1.0, "sampling temperature; 0: greedy", low=0, high=10, source="as in training")
    top_p: float = option(1.0, "sample from the fewest tokens with this probability; 1: from all", low=0.01, high=1)
    seed: int = option(1234, "seed of the evaluation's sampling, the same for every evaluation", low=0, high=2**31 - 1)

    def num_prompts(self, weight: float) -> int:
        """How many prompts to evaluate on, at most, of a source of that weight.

        >>> EvalSection(prompts=5).num_prompts(0.5)
        3
        """
        return math.ceil(round(self.prompts * weight, 6))


@dataclass(frozen=True)
class CheckpointSection:
    """Checkpoints of the trained model, from which a run can resume."""

    every: int = option(
        20,
        "steps between checkpoints; 0: only at the end, and a run that is killed has nothing to go on from",
        unit="steps",
        low=0,
        source="estimated: minutes of work at most are lost, and a copy to memory takes a second",
    )
    keep_last: int = option(2, "how many of the newest checkpoints are kept", unit="checkpoints", low=1)
    keep_best: int = option(
        0,
        "how many checkpoints are kept beside them: those of the best evaluations; one is compared when both "
        "checkpoint.every and eval.every reach its step",
        unit="checkpoints",
        low=0,
    )
    best_by: str = option(
        "pass_at_1",
        "the metric of the evaluations that says which are best, higher is better; pass_at_1: the share of completions "
        "that solve their prompt",
        choices=("pass_at_1", "reward_mean"),
    )


@dataclass(frozen=True)
class LogSection:
    """What the run directory holds besides its metrics."""

    completions: bool = option(True, "write every completion with its verdict to completions.jsonl")
