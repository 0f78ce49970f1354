"""The tasks as an OpenEnv environment, and the server of it that OpenEnv's clients and trainers speak to.

    uvicorn.run(openenv_app("data.train=tasks.jsonl"), port=8000)

`reset` gives a task, by `task_id` or by seed; each `step` takes a completion and gives its reward, the scores behind it
and what cargo says; the episode ends with a program that solves the task, or after `max_tries`. Promises that sessions
do not see each other, that waiting for cargo blocks no other session, and that an episode which has ended runs and pays
nothing more: its observation is `done` again, with a reward of 0. Left out: a limit of sessions beyond OpenEnv's
own, and a token: OpenEnv's server has none, so leave it on the loopback address.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

from openenv.core.env_server.http_server import create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State

from grpo.errors import BadInput
from grpo_rust.environments.tasks import EnvironmentTask, EnvironmentTasks, open_tasks
from rewards.feedback import feedback

__all__ = ["RustAction", "RustEnvironment", "RustObservation", "openenv_app"]

MAX_SESSIONS = 64
OVER = "The episode has ended, and pays nothing more: call reset for another one."


class RustAction(Action):  # type: ignore[misc]  # untyped where openenv is not installed
    """A completion, with the program in its ```rust block."""

    completion: str


class RustObservation(Observation):  # type: ignore[misc]
    """What a client sees: of `reset` the messages of the task, of `step` what cargo says and each reward's score."""

    task_id: str = ""
    messages: list[dict[str, str]] = []
    feedback: str = ""
    scores: dict[str, float | None] = {}


class RustEnvironment(Environment):  # type: ignore[misc]
    """One session on the tasks of a recipe."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, tasks: EnvironmentTasks, *, max_tries: int = 1) -> None:
        """
        Args:
            tasks: What is asked, and what scores it.
            max_tries: Completions of one episode.
        """
        super().__init__()
        self._tasks, self._max_tries = tasks, max_tries
        self._by_id = {task.id: task for task in tasks.tasks}
        self._task: EnvironmentTask | None = None
        self._done = False
        self._state = State(episode_id=str(uuid4()), step_count=0)

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, *, task_id: str = "", **_: Any
    ) -> RustObservation:
        """Begin an episode: the task of that id, else one that the seed chooses. Raises: BadInput for another id."""
        if task_id and task_id not in self._by_id:
            raise BadInput(f"there is no task {task_id!r} among the {len(self._by_id)} of this environment")
        self._task = self._by_id[task_id] if task_id else random.Random(seed).choice(list(self._tasks.tasks))
        self._state, self._done = State(episode_id=episode_id or str(uuid4()), step_count=0), False
        messages = [dict(message) for message in self._task.messages]
        return RustObservation(task_id=self._task.id, messages=messages)

    async def step_async(self, action: RustAction, timeout_s: float | None = None, **_: Any) -> RustObservation:
        """Score a completion. Raises: BadInput before `reset`, HostFailed where the sandbox could not say."""
        task, scorer = self._begun(), self._tasks.scorer
        return self._over() if self._done else self._observed(await scorer.score(task, action.completion))

    def step(self, action: RustAction, timeout_s: float | None = None, **_: Any) -> RustObservation:
        """As `step_async`, for callers without an event loop."""
        task, scorer = self._begun(), self._tasks.scorer
        return self._over() if self._done else self._observed(scorer.score_now(task, action.completion))

    @property
    def state(self) -> State:
        """The episode's id and how many completions it has had."""
        return self._state

    def _begun(self) -> EnvironmentTask:
        if self._task is None:
            raise BadInput("there is no task yet: call reset before step")
        return self._task

    def _observed(self, grade: Any) -> RustObservation:
        """A grade as what the client sees."""
        self._state.step_count += 1
        self._done = bool(grade.solved) or self._state.step_count >= self._max_tries
        return RustObservation(
            task_id=self._begun().id,
            feedback=feedback(grade),
            scores=dict(grade.rewards),
            reward=self._tasks.scorer.total(grade),
            done=self._done,
        )

    def _over(self) -> RustObservation:
        """What a completion after the end gets."""
        return RustObservation(task_id=self._begun().id, feedback=OVER, reward=0.0, done=True)


def openenv_app(*settings: str, recipe: str = "", split: str = "train", max_tries: int = 1) -> Any:
    """The FastAPI application that serves the tasks of a recipe, for uvicorn.

    Args:
        settings: Overrides of the recipe, each `section.key=value`.
        recipe: A TOML file; "" for tiny-own-tests.toml.
        split: "train" or "eval", as `open_tasks` takes it.
        max_tries: Completions of one episode.
    Raises: As `open_tasks`.
    """
    tasks = open_tasks(settings, recipe=recipe, split=split)

    def environment() -> RustEnvironment:
        return RustEnvironment(tasks, max_tries=max_tries)

    return create_fastapi_app(environment, RustAction, RustObservation, max_concurrent_envs=MAX_SESSIONS)
