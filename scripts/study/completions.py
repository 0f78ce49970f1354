"""Graded completions on disk, by prompt: what a gain is computed from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grpo.evaluate import pass_at_k
from grpo_rust.checks import PASS_CHECKS

__all__ = [
    "CHECKS",
    "ByPrompt",
    "CompletionRecord",
    "by_prompt",
    "check",
    "evaluations",
    "num_tokens",
    "passes_at",
    "read_completions",
    "strict_but_wrong",
    "training_means",
]

CompletionRecord = Mapping[str, Any]
ByPrompt = Mapping[str, tuple[float, ...]]  # prompt id -> one value for each completion whose value is known
CHECKS = (*PASS_CHECKS, "asserts")


def read_completions(path: Path) -> list[CompletionRecord]:
    """The lines that `scripts/eval_model.py` wrote; of conversations the first completions."""
    with open(path, encoding="utf-8") as lines:
        return [completion for completion in map(json.loads, lines) if "follows" not in completion]


def evaluations(path: Path) -> tuple[list[CompletionRecord], list[CompletionRecord]]:
    """The completions of a run's evaluation before the first step, and of its last one.

    Args:
        path: The `completions.jsonl` of the run.
    """
    found = [completion for completion in read_completions(path) if completion["phase"] == "eval"]
    last = max(completion["step"] for completion in found)
    before, after = ([one for one in found if one["step"] == step] for step in (0, last))
    return before, after


def by_prompt(completions: Sequence[CompletionRecord], value: Callable[[CompletionRecord], float | None]) -> ByPrompt:
    """A value of every completion, by prompt, without completions whose value is None because the sandbox failed.

    >>> by_prompt([{"task_id": "a", "n": 1.0}, {"task_id": "a", "n": 2.0}], lambda completion: completion["n"])
    {'a': (1.0, 2.0)}
    """
    values: dict[str, list[float]] = defaultdict(list)
    for completion in completions:
        found = value(completion)
        if found is not None:
            values[completion["task_id"]].append(found)
    return {prompt: tuple(found) for prompt, found in values.items()}


def check(name: str) -> Callable[[CompletionRecord], float | None]:
    """A function that returns one of the grader's checks."""
    return lambda completion: completion["checks"][name]


def strict_but_wrong(completion: CompletionRecord) -> float | None:
    """Whether a completion passes its own tests strictly and fails the gold tests: it solves another problem.

    >>> strict_but_wrong({"checks": {"test_strict": 1.0, "gold": 0.0}})
    1.0
    """
    strict, gold = completion["checks"]["test_strict"], completion["checks"]["gold"]
    return None if strict is None or gold is None else float(strict > 0 and not gold)


def training_means(path: Path, value: Callable[[CompletionRecord], float | None]) -> tuple[float, ...]:
    """The mean of a value over the completions of each training batch, by step; () for a run that kept none.

    Args:
        path: The `completions.jsonl` of a run; one line at a time is in memory.
        value: As in `by_prompt`.
    """
    sums: dict[int, tuple[float, int]] = {}
    if path.exists():
        with open(path, encoding="utf-8") as lines:
            for completion in map(json.loads, lines):
                if completion["phase"] == "train" and (found := value(completion)) is not None:
                    total, count = sums.get(completion["step"], (0.0, 0))
                    sums[completion["step"]] = total + found, count + 1
    return tuple(total / count for _, (total, count) in sorted(sums.items()))


def num_tokens(completion: CompletionRecord) -> float:
    """The length of a completion."""
    return float(completion["num_tokens"])


def passes_at(k: int, strict: ByPrompt) -> ByPrompt:
    """For each prompt with at least k completions, the unbiased estimate that one of k completions passes strictly."""
    return {
        prompt: (pass_at_k(len(values), sum(value > 0 for value in values), k),)
        for prompt, values in strict.items()
        if len(values) >= k
    }
