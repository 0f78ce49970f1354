"""`environment_factory` for TRL's GRPOTrainer: a model that may compile and test its program before it answers.

    GRPOTrainer(..., environment_factory=environment_factory("data.train=tasks.jsonl"), train_dataset=rows)

TRL gives the model the tool `run_cargo`, and asks `get_reward` when its turn ends. TRL does not show an environment
the final answer, so what is scored is the last program that the model ran; without one it is an empty completion. The
rewards of `rewards` stay usable beside it as `reward_funcs`, and read the final answer. Promises that the programs of a
batch are graded at once: the tool is a coroutine, which TRL gathers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from grpo.errors import HostFailed
from grpo_rust.environments.tasks import EnvironmentTask, Scorer, open_tasks
from rewards.feedback import feedback
from rewards.grader import RustGrade
from rewards.rust.fences import fenced
from rewards.tasks.known import task_of

__all__ = ["RustToolEnvironment", "environment_factory"]


class RustToolEnvironment:
    """One rollout of TRL. Every public method but `reset` and `get_reward` is a tool of the model."""

    def __init__(self, scorer: Scorer) -> None:
        """
        Args:
            scorer: Scores the programs.
        """
        self._scorer = scorer
        self._task = EnvironmentTask("", ())
        self._grade: RustGrade | None = None

    def reset(self, *, prompt: Any = (), task_id: Any = "", **columns: Any) -> None:
        """Begin with a row of the data set; TRL passes its columns."""
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        self._task = EnvironmentTask(str(task_id), tuple(messages), columns)
        self._grade = None

    async def run_cargo(self, program: str) -> str:
        """
        Compile a Rust program, lint it and run its tests. The last program that is run is the one that is scored.

        Args:
            program: The whole program with its tests in a module under #[cfg(test)].

        Returns:
            What cargo says: the compiler's messages with their lines, or the tests that fail.
        """
        try:
            self._grade = await self._scorer.score(self._task, _as_completion(program, self._task.columns))
        except HostFailed:
            self._grade = None
            return "The machine could not run it. Try again."
        return feedback(self._grade)

    async def get_reward(self) -> float | None:
        """The weighted sum of the rubric for the last program; None where the sandbox could not say."""
        try:
            grade = self._grade or await self._scorer.score(self._task, "")
        except HostFailed:
            return None
        return self._scorer.total(grade)


def environment_factory(*settings: str, recipe: str = "") -> Callable[[], RustToolEnvironment]:
    """What TRL calls for each rollout; the pool starts now, before the trainer's threads.

    Args:
        settings: Overrides of the recipe, each `section.key=value`.
        recipe: A TOML file; "" for tiny-own-tests.toml.
    Raises: As `open_tasks`.
    """
    return partial(RustToolEnvironment, open_tasks(settings, recipe=recipe).scorer)


def _as_completion(program: str, columns: Mapping[str, Any]) -> str:
    """A program as a model writes it into a completion; what is one already stays as it is.

    >>> print(_as_completion("/// ```\\n/// f();\\n/// ```\\nfn f() {}", {}))
    ````rust
    /// ```
    /// f();
    /// ```
    fn f() {}
    ````
    """
    has_block = any(line.startswith("```") for line in program.splitlines())
    is_completion = has_block or task_of(columns).extract(program, columns, "first").code is not None
    return program if is_completion else fenced(program)
