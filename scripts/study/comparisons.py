"""What runs gained over the untrained model, and over each other: checks, lengths, pass@k and classes of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from study.completions import (
    CHECKS,
    CompletionRecord,
    by_prompt,
    check,
    num_tokens,
    passes_at,
    read_completions,
    strict_but_wrong,
)
from study.gains import Gain, paired_gain
from study.running import HeldOutSet, TrainingRun
from tiny.diagnosis import CLASSES, mistake_of

__all__ = ["MISTAKES", "QUANTITIES", "difference", "gains_of", "untrained_completions"]

Value = Callable[[CompletionRecord], float | None]
QUANTITIES: dict[str, Value] = {
    **{name: check(name) for name in CHECKS},
    "strict_but_wrong": strict_but_wrong,
    "tokens": num_tokens,
}


def _shows(kind: str) -> Value:
    """A function that tells whether a completion shows a class of mistake."""
    return lambda completion: float(mistake_of(completion) == kind)


MISTAKES: dict[str, Value] = {kind: _shows(kind) for kind in CLASSES}


def untrained_completions(held_out: HeldOutSet, folder: Path) -> Path:
    """The file with the completions of the model that training starts from."""
    return folder / f"warm.{held_out.name}.jsonl"


def gains_of(runs: Sequence[TrainingRun], held_out: HeldOutSet) -> dict[str, Gain]:
    """What the runs of one arm gained, by the name of the quantity."""
    before = read_completions(untrained_completions(held_out, runs[0].folder))
    after = [read_completions(run.completions(held_out)) for run in runs]

    def gain(value: Value) -> Gain:
        return paired_gain(by_prompt(before, value), [by_prompt(completions, value) for completions in after])

    gains = {name: gain(value) for name, value in QUANTITIES.items()}
    strict = [by_prompt(completions, check("test_strict")) for completions in (before, *after)]
    for k in (1, 2, 4, 8):
        if k <= held_out.samples:
            gains[f"pass@{k}"] = paired_gain(passes_at(k, strict[0]), [passes_at(k, seed) for seed in strict[1:]])
    return gains | {kind: gain(value) for kind, value in MISTAKES.items()}


def difference(runs: Sequence[TrainingRun], others: Sequence[TrainingRun], held_out: HeldOutSet) -> dict[str, Gain]:
    """What other runs have beyond runs, all seeds of each arm together."""

    def together(arm: Sequence[TrainingRun]) -> list[CompletionRecord]:
        return [completion for run in arm for completion in read_completions(run.completions(held_out))]

    one, other = together(runs), together(others)
    return {name: paired_gain(by_prompt(one, value), [by_prompt(other, value)]) for name, value in QUANTITIES.items()}
