"""The tasks as an environment of verifiers (0.4, whose interface is `verifiers.v1`): a taskset, a harness, a loader.

    vf-eval grpo-rust -m MODEL -n 20 --env.taskset.recipe scripts/recipes/tiny-own-tests.toml
    env = load_environment("data.eval=tasks.jsonl", split="eval")

verifiers finds the taskset under the id `grpo-rust`, because `grpo_rust` exports it, its harness and its `Env`. Rewards
stand in a trace with our names, scores and weights, checks as metrics. A completion that the sandbox could not grade
makes its trace an error, which verifiers retries as it is told. The harness asks the model once and gives it no tools.
Left out: trainers' token-level clients, which verifiers brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import verifiers.v1 as vf

from grpo.errors import HostFailed
from grpo_rust.environments.tasks import EnvironmentTask, EnvironmentTasks, open_tasks
from sandbox.errors import SandboxError

__all__ = ["RustEnv", "RustHarness", "RustTaskset", "VerifiersTask", "load_environment"]

ID = "grpo-rust"


class RustTaskConfig(vf.TaskConfig):  # type: ignore[misc]  # untyped where verifiers is not installed
    """Which recipe scores."""

    recipe: str = ""
    settings: list[str] = []
    split: str = "train"

    def opened(self) -> EnvironmentTasks:
        """The recipe's tasks; read and started once in a process."""
        return open_tasks(self.settings, recipe=self.recipe, split=self.split)


class RustTasksetConfig(vf.TasksetConfig):  # type: ignore[misc]
    """Which tasks are loaded."""

    recipe: str = ""
    """A TOML file; empty for tiny-own-tests.toml."""
    settings: list[str] = []
    """Overrides of the recipe, each section.key=value."""
    split: str = "train"
    """train or eval."""


class RustData(vf.TaskData):  # type: ignore[misc]
    """A row as verifiers keeps it in its traces."""

    columns: dict[str, Any] = {}


class VerifiersTask(vf.Task[RustData, vf.State, RustTaskConfig]):  # type: ignore[misc]
    """A task with the rubric's rewards."""

    @vf.reward  # type: ignore[untyped-decorator]
    async def rubric(self, trace: vf.Trace) -> Mapping[str, float]:
        """Record the score and the weight of every reward that applies, and the checks; nothing is left to return."""
        row = EnvironmentTask(
            self.data.id, tuple(message.model_dump() for message in self.data.prompt), self.data.columns
        )
        try:
            scorer = self.config.opened().scorer
            grade = await scorer.score(row, trace.last_reply)
        except (HostFailed, SandboxError) as error:
            raise vf.SandboxError(str(error)) from error
        for name, score in grade.rewards.items():
            if score is not None:
                trace.record_reward(name, score, scorer.weights[name])
        trace.record_metrics({name: value for name, value in grade.checks.items() if value is not None})
        return {}


class RustTaskset(vf.Taskset[VerifiersTask, RustTasksetConfig]):  # type: ignore[misc]
    """The rows of a recipe."""

    def load(self) -> list[VerifiersTask]:
        """One task a row. Raises: As `open_tasks`."""
        chosen = {"recipe": self.config.recipe, "settings": self.config.settings, "split": self.config.split}
        config = RustTaskConfig(**{**self.config.task.model_dump(), **chosen})
        return [
            VerifiersTask(
                RustData(id=row.id, prompt=[dict(m) for m in row.messages], columns=dict(row.columns)), config
            )
            for row in config.opened().tasks
        ]


class RustEnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """One seat, whose harness runs here: it needs no box, since programs run in our sandbox."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class RustEnv(vf.Env[RustEnvConfig]):  # type: ignore[misc]
    """One model answers one task; verifiers takes it for every run on the taskset."""

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        """One completion."""
        await agents.agent.run(task)


class RustHarness(vf.Harness[vf.HarnessConfig]):  # type: ignore[misc]
    """Asks the model once, from this process, without tools."""

    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """One chat completion through verifiers' own endpoint, which records it and applies its limits."""
        system, prompt = self.resolve_prompt(data)
        messages = [message.model_dump(include={"role", "content"}) for message in prompt]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        async with httpx.AsyncClient(timeout=None) as client:
            answer = await client.post(
                f"{endpoint}/chat/completions",
                headers={"Authorization": f"Bearer {secret}"},
                json={"model": ctx.model, "messages": messages},
            )
        return vf.ProgramResult(0 if answer.is_success else 1, "", "" if answer.is_success else answer.text)


def load_environment(*settings: str, recipe: str = "", split: str = "train") -> vf.Env:
    """The environment of a recipe, as verifiers' evaluators and trainers take it.

    Args:
        settings: Overrides of the recipe, each `section.key=value`.
        recipe: A TOML file; "" for tiny-own-tests.toml.
        split: "train" or "eval", as `open_tasks` takes it.
    """
    taskset = {"id": ID, "recipe": recipe, "settings": list(settings), "split": split}
    return vf.load_environment(vf.resolve_env_config({"taskset": taskset}))
