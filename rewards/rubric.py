"""The rubric: which reward functions are computed, and with what weight they are summed.

A name is one of `rewards.trl_functions.SCORERS`, or a function of your own as `package.module:function` or
`path/to/file.py:function`. Your own is called as TRL would call it: keyword arguments `prompts`, `completions`,
`completion_ids`, `verdicts` and every column of the data, one entry per answer; it returns one float or None per
answer, or a coroutine of them.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from rewards.completion import GradedCompletion, Score
from rewards.trl_functions import SCORERS, RewardFunction
from rewards.user_functions import OwnFunctionError, load_function

__all__ = ["RewardError", "Rubric"]

PHASES = {  # whose time a reward function's is
    "cargo_build": "build",
    "cargo_clippy": "clippy",
    "clippy_clean": "clippy",
    **dict.fromkeys(("cargo_test", "cargo_test_thorough", "tests_passed_share", "gold"), "test"),
}
log = logging.getLogger(__name__)


class RewardError(ValueError):
    """A reward function is not known or cannot be loaded; says what is."""


class Rubric:
    """Reward functions by name, with their weights; weight 0 computes and logs without paying.

    >>> rubric = Rubric({"code_block": 0.5})
    >>> rubric.score(GradedCompletion("```rust\\nfn a() {}\\n```"))["code_block"].value
    1.0
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        """Raises: RewardError naming the nearest known function."""
        self.weights: Mapping[str, float] = dict(weights)
        self._own: dict[str, RewardFunction] = {name: _load(name) for name in weights if name not in SCORERS}

    def score(self, answer: GradedCompletion) -> dict[str, Score]:
        """What the built-in functions of the rubric say of one answer."""
        return {name: SCORERS[name](answer) for name in self.weights if name in SCORERS}

    def timed_score(self, answer: GradedCompletion) -> tuple[dict[str, float | None], dict[str, float]]:
        """The values of `score`, and the seconds that each took; the sandbox's time counts for what needed it."""
        values: dict[str, float | None] = {}
        seconds: dict[str, float] = {}
        for name in self.weights:
            if name in SCORERS:
                started = time.perf_counter()
                values[name] = SCORERS[name](answer).value
                seconds[name] = time.perf_counter() - started + _sandbox_seconds(name, answer)
        return values, seconds

    def own_scores(
        self, arguments: Mapping[str, Sequence[Any]], count: int
    ) -> tuple[dict[str, list[float | None]], float]:
        """What your own functions say of a batch, and the seconds per answer.

        One that raises, or returns another number of scores or one that is not finite, scores None for the whole batch
        and is named in the log: a mistake there must not end a run of many hours.
        """
        started = time.perf_counter()
        scores: dict[str, list[float | None]] = {}
        for name, function in self._own.items():
            try:
                result = function(**arguments)
                values = asyncio.run(_wait(result)) if inspect.isawaitable(result) else result
                if len(values) != count:
                    raise ValueError(f"returned {len(values)} scores for {count} answers")
                scores[name] = [None if value is None else _finite(float(value)) for value in values]
            except Exception:  # the boundary to code that is not ours
                log.exception("reward function %s failed; it scores None for this batch", name)
                scores[name] = [None] * count
        return scores, (time.perf_counter() - started) / max(1, count)

    @property
    def has_own(self) -> bool:
        """Whether some function is not built in."""
        return bool(self._own)


def _finite(score: float) -> float:
    """A score that can be averaged: an infinite one would make every advantage of its group NaN."""
    if not math.isfinite(score):
        raise ValueError(f"returned the score {score}; give a finite number, or None where it does not apply")
    return score


async def _wait(result: Any) -> Any:
    """Let a coroutine run to its end."""
    return await result


def _sandbox_seconds(name: str, answer: GradedCompletion) -> float:
    """The sandbox's time that a reward function made necessary."""
    verdict = answer.gold.verdict if name == "gold" and answer.gold else answer.verdict
    phase = PHASES.get(name, "")
    return verdict.ms.get(phase, 0.0) / 1e3 if verdict is not None else 0.0


def _load(name: str) -> RewardFunction:
    """A function of the user's own."""
    if ":" not in name:
        near = get_close_matches(name, SCORERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise RewardError(
            f"no reward function {name!r}{hint} Known: {', '.join(SCORERS)}; your own: package.module:function or "
            "path/to/file.py:function"
        )
    try:
        return load_function(name)
    except OwnFunctionError as error:
        raise RewardError(f"reward function: {error}") from error
