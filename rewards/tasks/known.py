"""All tasks by name: every file of this folder that has a `TASK`.

Promises that a task is known as soon as its file is there. Left out: what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from rewards.tasks.function import FUNCTION
from rewards.tasks.task import Task

__all__ = ["TASKS", "asked", "task_of", "task_problem"]


def _found() -> dict[str, Task]:
    """The tasks of this folder's files, that of a row without one first."""
    folder = import_module("rewards.tasks").__path__
    modules = [import_module(f"rewards.tasks.{one.name}") for one in iter_modules(folder) if one.name != "known"]
    tasks: list[Task] = [module.TASK for module in modules if hasattr(module, "TASK")]
    return {task.name: task for task in sorted(tasks, key=lambda task: (task is not FUNCTION, task.name))}


TASKS: Mapping[str, Task] = _found()


def task_of(row: Mapping[str, Any]) -> Task:
    """The task of a row: what its column `task` names, else `function`, as where data has such a column of its own.

    >>> task_of({"prompt": "Add two numbers."}).name
    'function'
    """
    name = row.get("task")
    return TASKS.get(name, FUNCTION) if isinstance(name, str) else FUNCTION


def task_problem(row: Mapping[str, Any]) -> str:
    """What is wrong with a row of data that is trained or evaluated on, to stand behind its number; "" for nothing.

    >>> print(task_problem({"task": "functions"}).partition(" Known")[0])
    has the task 'functions' in column 'task'; did you mean function?
    """
    name = row.get("task")
    if not name or (isinstance(name, str) and name in TASKS):
        return task_of(row).row_problem(row)
    near = get_close_matches(str(name), TASKS, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; give a column that means something else another name."
    return f"has the task {str(name)[:60]!r} in column 'task'{hint} Known are {', '.join(TASKS)}"


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
