"""The tasks of a recipe, and what scores their completions: one rubric on one pool for the whole process.

Promises that waiting for cargo blocks no event loop: `score` is awaited, and any number may be. Left out: sampling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

from grpo.errors import BadInput, HostFailed
from grpo.rollout.records import Completion, Example
from grpo_rust.compose.graders import build_evaluation_grader, build_training_grader
from grpo_rust.compose.prompts import read_held_out, read_rewarded_sources
from grpo_rust.recipe import OWN_TESTS_RECIPE, Recipe, load_recipe
from grpo_rust.sandbox_pool import start_pool
from rewards.grader import RustGrade, RustGrader
from rewards.rubric import Rubric

__all__ = ["EnvironmentTask", "EnvironmentTasks", "Scorer", "open_tasks"]

WAITING = 512  # completions that are graded or wait for it at once; each has a thread, which only waits
SPLITS = ("train", "eval")


@dataclass(frozen=True)
class EnvironmentTask:
    """A row: its id, chat messages, and the other columns, among them the gold tests that no model sees."""

    id: str
    messages: tuple[Mapping[str, str], ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


class Scorer:
    """Scores completions one by one with a grader."""

    def __init__(self, grader: RustGrader) -> None:
        """
        Args:
            grader: Of one completion alone: its rubric has no reward that compares those of a group.
        """
        self.weights = grader.weights
        self._grader = grader
        self._threads = ThreadPoolExecutor(WAITING, thread_name_prefix="scorer")

    def score_now(self, task: EnvironmentTask, text: str) -> RustGrade:
        """The grade of a completion; waits for cargo.

        Args:
            task: What the completion answers.
            text: The completion as the model wrote it, with its code block.
        Raises: HostFailed where the sandbox could not say.
        """
        example = Example(task.id, task.messages, task.columns)
        completion = Completion(task.id, (), (), text, terminated=True, policy_version=0)
        (grade,) = self._grader.finish([self._grader.start(example, completion)])
        if grade.host_failure is not None:
            raise HostFailed(f"the sandbox could not grade a completion to {task.id}: {grade.host_failure}")
        return grade

    async def score(self, task: EnvironmentTask, text: str) -> RustGrade:
        """As `score_now`, while the event loop does other things."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.score_now, task, text)

    def total(self, grade: RustGrade) -> float:
        """The weighted sum of a grade's scores; one that does not apply adds nothing."""
        return sum(weight * (grade.rewards[name] or 0.0) for name, weight in self.weights.items())


@dataclass(frozen=True)
class EnvironmentTasks:
    """The tasks of a recipe with their scorer."""

    recipe: Recipe
    tasks: Sequence[EnvironmentTask]
    scorer: Scorer


def open_tasks(settings: Sequence[str] = (), *, recipe: str = "", split: str = "train") -> EnvironmentTasks:
    """Read the tasks of a recipe and start its pool; the same object for the same arguments, until the process ends.

    Args:
        settings: Overrides, each `section.key=value`. Only `data`, `rewards`, `guard`, `sandbox` and `eval` matter.
        recipe: A TOML file; "" for tiny-own-tests.toml.
        split: "train" for `data.train` and what is mixed in; "eval" for the first `eval.prompts` of `data.eval` and of
            its mixture, with gold tests and `eval.code_block` as evaluations have them.
    Raises:
        BadInput: For settings, data or a split that cannot be used.
        SandboxError: Where nothing can be graded.
    """
    return _opened(tuple(settings), recipe, split)


@cache
def _opened(settings: tuple[str, ...], recipe: str, split: str) -> EnvironmentTasks:
    """As `open_tasks`; the cache knows arguments by their place."""
    if split not in SPLITS:
        raise BadInput(f"the split is {split!r}: give {' or '.join(SPLITS)}")
    found = load_recipe(recipe or OWN_TESTS_RECIPE, list(settings))
    is_eval = split == "eval"
    rubric = Rubric(found.rewards.weights, function_s=found.rewards.function_s)
    if rubric.needs_crossing:
        raise BadInput(
            "rewards.weights: rewards that compare the completions of a group (cross_*) need whole groups, and an "
            f"environment scores completions one by one: take a recipe without them, as {OWN_TESTS_RECIPE.name}"
        )
    examples = read_held_out(found) if is_eval else chain.from_iterable(read_rewarded_sources(found).values())
    tasks = [EnvironmentTask(one.id, one.messages, one.columns) for one in examples]
    build = build_evaluation_grader if is_eval else build_training_grader
    return EnvironmentTasks(found, tasks, Scorer(build(found, rubric, start_pool(found))))
