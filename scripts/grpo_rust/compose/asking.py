"""The prompts of rows whose task words its own: repair, infill and others of `rewards.tasks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewards.tasks.known import task_of, task_problem

__all__ = ["asked"]


def asked(row: Mapping[str, Any], *, with_system: bool) -> Mapping[str, Any]:
    """A row with the prompt that its task makes of it; one whose prompt stands in the data stays as it is.

    Args:
        row: Of the data.
        with_system: Whether the task's system prompt stands before it.
    Raises: ValueError for a task that is not known, or columns that it cannot ask with.
    """
    if problem := task_problem(row):
        raise ValueError(problem)
    task = task_of(row)
    if task.prompt is None:
        return row
    system = [{"role": "system", "content": task.system_prompt}] if with_system and task.system_prompt else []
    return {**row, "prompt": [*system, {"role": "user", "content": task.prompt(row)}]}
