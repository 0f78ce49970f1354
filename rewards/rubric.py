"""The rubric: which reward functions are computed, and with what weight they are summed.

A name is a built-in reward of one completion (`rewards.registry.REWARDS`), one that compares the completions of a group
(`rewards.group_rewards.GROUP_REWARDS`), or a user's own function as `package.module:function` or
`path/to/file.py:function`. A user's function is called as TRL calls it: keyword arguments `prompts`, `completions`,
`completion_ids`, `verdicts` and every column of the data, each with one entry per completion; it returns one float or
None per completion, or a coroutine that returns them. Promises that a user's function that fails, or does not return in
time, is named with what it gave and what is wanted; one that pays ends the run before anything is learned from a batch
without its scores. Left out: the sum.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from rewards.completion import GradedCompletion, Score
from rewards.group_rewards import GROUP_REWARDS, GradedGroup, GroupReward
from rewards.registry import REWARDS, Reward
from rewards.user_functions import UserFunctionError, load_function, scores_of

__all__ = ["RewardError", "Rubric"]

FUNCTION_S = 300.0
log = logging.getLogger(__name__)


class RewardError(ValueError):
    """A reward function is unknown, cannot be loaded, or fails; the message says which, why, and what to do."""


class Rubric:
    """Reward functions by name, with their weights; a reward of weight 0 is computed and logged but pays nothing.

    >>> rubric = Rubric({"code_block": 0.5})
    >>> rubric.score(GradedCompletion("```rust\\nfn a() {}\\n```"))["code_block"].value
    1.0
    """

    def __init__(self, weights: Mapping[str, float], *, function_s: float = FUNCTION_S) -> None:
        """Find the reward functions and load the user's own.

        Args:
            weights: The weight of each reward in the sum, by the reward's name.
            function_s: Seconds for a user's function to score a batch. 0: no limit, and the function runs in the thread
                that asks; else in one of its own.
        Raises: RewardError for a name that is not known, with the nearest that is, or that cannot be loaded.
        """
        self.weights: Mapping[str, float] = dict(weights)
        self._builtin: dict[str, Reward] = {name: REWARDS[name] for name in weights if name in REWARDS}
        self._group: dict[str, GroupReward] = {name: GROUP_REWARDS[name] for name in weights if name in GROUP_REWARDS}
        self._function_s = function_s
        others = [name for name in weights if name not in REWARDS and name not in GROUP_REWARDS]
        self._user: dict[str, Callable[..., Any]] = {name: _load(name) for name in others}

    @property
    def needs_gold(self) -> bool:
        """Whether some reward needs gold tests."""
        return any(reward.needs_gold for reward in self._builtin.values())

    @property
    def needs_mutation_score(self) -> bool:
        """Whether every change of the code must be tried, not only enough to tell that tests depend on it."""
        return "mutation" in self._builtin or "cross_tests" in self._group

    @property
    def parts(self) -> dict[str, str]:
        """The part of a completion that a reward judges, "code" or "tests", by its name; only for rewards of one part.

        A user's own function judges the whole.
        """
        paying = {name: reward.pays for name, reward in self._builtin.items()}
        paying |= {name: reward.pays for name, reward in self._group.items()}
        return {name: part for name, part in paying.items() if part is not None}

    @property
    def needs_crossing(self) -> bool:
        """Whether some reward needs the codes of a group run on the tests of the others."""
        return bool(self._group)

    @property
    def pays_crossing(self) -> bool:
        """Whether some reward on a group has a weight other than 0."""
        return any(self.weights[name] for name in self._group)

    @property
    def pays_gold(self) -> bool:
        """Whether some reward that needs gold tests has a weight other than 0."""
        return any(reward.needs_gold and self.weights[name] for name, reward in self._builtin.items())

    @property
    def has_user_functions(self) -> bool:
        """Whether some function is not built in."""
        return bool(self._user)

    def score(self, completion: GradedCompletion) -> dict[str, Score]:
        """The scores of one completion by the rubric's built-in rewards."""
        return {name: reward.score(completion) for name, reward in self._builtin.items()}

    def timed_score(self, completion: GradedCompletion) -> tuple[dict[str, float | None], dict[str, float]]:
        """The values of `score`, and the seconds that each took, including the sandbox's phase that it needs."""
        values: dict[str, float | None] = {}
        seconds: dict[str, float] = {}
        for name, reward in self._builtin.items():
            started = time.perf_counter()
            values[name] = reward.score(completion).value
            seconds[name] = time.perf_counter() - started + _sandbox_seconds(reward, completion)
        return values, seconds

    def group_scores(self, group: GradedGroup) -> dict[str, list[float | None]]:
        """The values of the rewards that compare the completions of a group, one for each completion."""
        return {name: [score.value for score in reward.scorer(group)] for name, reward in self._group.items()}

    def user_scores(
        self, arguments: Mapping[str, Sequence[Any]], count: int
    ) -> tuple[dict[str, list[float | None]], float]:
        """The scores of a batch by the user's own functions.

        A function fails when it raises, does not return in time, or returns anything but one finite number or None per
        completion. It is named in the log then, and with weight 0 scores None for the whole batch.

        Args:
            arguments: The batch as TRL passes it, by keyword.
            count: The number of completions.
        Returns: The scores by function name, and the mean seconds per completion of all functions together.
        Raises: RewardError when a function of another weight fails: the run would learn from the other rewards alone.
        """
        started = time.perf_counter()
        scores: dict[str, list[float | None]] = {name: [] for name in self._user}
        for name, function in self._user.items() if count else ():
            try:
                scores[name] = scores_of(function, arguments, count, limit_s=self._function_s)
            except Exception as error:  # the boundary to code that is not ours
                log.exception("reward function %s failed", name)
                if self.weights[name]:
                    raise RewardError(
                        f"reward function {name} failed: {type(error).__name__}: {error}. Nothing was learned from "
                        "this batch. Repair the function, or give it the weight 0, then go on from the last checkpoint "
                        "with run.resume=true"
                    ) from error
                scores[name] = [None] * count
        return scores, (time.perf_counter() - started) / max(1, count)


def _sandbox_seconds(reward: Reward, completion: GradedCompletion) -> float:
    """The seconds of the sandbox's phase that a reward needs; 0 where it needs none or none was run."""
    verdict = completion.gold.verdict if reward.on_gold_tests and completion.gold else completion.verdict
    return verdict.ms.get(reward.phase or "", 0.0) / 1e3 if verdict is not None else 0.0


def _load(name: str) -> Callable[..., Any]:
    """Load a user's own function."""
    if ":" not in name:
        known = [*REWARDS, *GROUP_REWARDS]
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise RewardError(
            f"no reward function {name!r}{hint} Known: {', '.join(known)}; your own: package.module:function or "
            "path/to/file.py:function"
        )
    try:
        return load_function(name)
    except UserFunctionError as error:
        raise RewardError(f"reward function: {error}") from error
