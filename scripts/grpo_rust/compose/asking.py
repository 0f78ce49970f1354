"""The prompts of rows whose task words its own: repair, infill and others of `rewards.tasks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grpo.rollout.records import Example
from rewards.tasks.known import task_of, task_problem

__all__ = ["asked", "in_tokens"]


def asked(row: Mapping[str, Any], *, with_system: bool, infill: str = "chat") -> Mapping[str, Any]:
    """A row with the prompt that its task makes of it; one whose prompt stands in the data stays as it is.

    Where the task knows the right answer, the column `completion` has it.

    Args:
        row: Of the data.
        with_system: Whether the task's system prompt stands before it.
        infill: How a part that is missing is asked for: "tokens" of the model's own for that, or in a "chat". The row's
            column `infill` says so to its task.
    Raises: ValueError for a task that is not known, or columns that it cannot ask with.
    """
    if problem := task_problem(row):
        raise ValueError(problem)
    task = task_of(row)
    if task.infill is not None:
        row = {**row, "infill": infill}
    if task.answer is not None:
        row = {**row, "completion": task.answer(row)}
    if task.prompt is None:
        return row
    system = [{"role": "system", "content": task.system_prompt}] if with_system and task.system_prompt else []
    return {**row, "prompt": [*system, {"role": "user", "content": task.prompt(row)}]}


def in_tokens(example: Example) -> Example:
    """An example of a row that `asked` was to ask in the model's own tokens, with what stands around its answer."""
    infill = task_of(example.columns).infill
    if infill is None or example.columns.get("infill") != "tokens":
        return example
    return replace(example, infill=infill(example.columns))
