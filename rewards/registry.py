"""The registry of rewards: what is known of each, by name.

A new reward is one function under `@reward`: the rubric, the recipe, the command line and the functions for TRL find it
in `REWARDS`. Those for all tasks are in `rewards.builtin`, those of one task in its file in `rewards.tasks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rewards.completion import GradedCompletion, Part, Score
from rewards.tasks.task import Judged, Task

__all__ = ["REWARDS", "Phase", "Reward", "Scorer", "published_weights", "reward"]

Scorer = Callable[[GradedCompletion], Score]
Phase = Literal["build", "clippy", "test"]


@dataclass(frozen=True)
class Reward:
    """A built-in reward: its function and what `reward` was told of it."""

    name: str  # its name in a rubric and in `rewards.weights`
    scorer: Scorer
    phase: Phase | None  # the sandbox's phase that it needs; None: it reads the text alone
    on_gold_tests: bool  # whether that phase runs the prompt's gold tests instead of the completion's own
    published_name: str  # the name of the function that TRL calls
    published_weight: float | None  # its weight in the published recipe; None: that recipe does not have it
    pays: Part | None  # the part of a completion that it judges; None: code and tests together
    judges: Judged  # what of an answer it needs: tasks whose answers do not have it are not scored
    task: str  # the only task that it is for; "": every one
    reads_gold: bool  # whether it looks at the results of the prompt's gold tests besides

    @property
    def needs_verdict(self) -> bool:
        """Whether the completion's own program must be graded."""
        return self.phase is not None and not self.on_gold_tests

    @property
    def needs_gold(self) -> bool:
        """Whether the prompt's gold tests must be run."""
        return self.on_gold_tests or self.reads_gold

    def is_for(self, task: Task) -> bool:
        """Whether answers to a task have what it judges."""
        return self.judges in task.gives and self.task in ("", task.name)

    def score(self, completion: GradedCompletion) -> Score:
        """The score of a completion; None where the reward is not for its task."""
        if not self.is_for(completion.task):
            return Score(None, f"not for the task {completion.task.name}")
        return self.scorer(completion)


REWARDS: dict[str, Reward] = {}  # by name, in the order of their definition, in which they are printed


def reward(
    *,
    phase: Phase | None = None,
    on_gold_tests: bool = False,
    published_name: str = "",
    published_weight: float | None = None,
    pays: Part | None = None,
    judges: Judged = "program",
    task: str = "",
    reads_gold: bool = False,
) -> Callable[[Scorer], Scorer]:
    """Register the decorated function as the built-in reward of its name.

    Its docstring is also that of the function for TRL.

    Args:
        phase: The sandbox's phase that the reward needs, and whose time is added to the reward's own; None for a reward
            that reads the text alone.
        on_gold_tests: Whether that phase runs the prompt's gold tests instead of the completion's own.
        published_name: The name of the function that TRL calls; by default the function's name and `_reward_func`.
        published_weight: The weight in the published recipe; None where that recipe does not have it.
        pays: The part of a completion that the reward judges, and whose tokens it pays where credit is given apart;
            None for a reward that judges code and tests together.
        judges: What of an answer the reward needs: "tests" for the completion's own; a task whose answers do not give
            it (`rewards.tasks.task.Task.gives`) is not scored.
        task: The only task that the reward is for; "" for every one.
        reads_gold: Whether it looks at the results of the prompt's gold tests besides that phase, so that they are run.

    Returns: A decorator that returns the function unchanged.

    Raises: ValueError for a name that is taken.
    """

    def register(scorer: Scorer) -> Scorer:
        name = scorer.__name__
        function = published_name or f"{name}_reward_func"
        if name in REWARDS or any(function == other.published_name for other in REWARDS.values()):
            raise ValueError(f"a reward called {name} or {function} is registered already; give it another name")
        REWARDS[name] = Reward(
            name, scorer, phase, on_gold_tests, function, published_weight, pays, judges, task, reads_gold
        )
        return scorer

    return register


def published_weights() -> dict[str, float]:
    """The weights of the published recipe, by reward."""
    return {found.name: found.published_weight for found in REWARDS.values() if found.published_weight is not None}
