"""The tasks of a run that mixes several: which there are, and what an evaluation says of each.

A task's numbers stand in a line of `metrics.jsonl` as `task/TASK/...`, and in one of `evals.jsonl` as
`eval/task/TASK/...` with its prompts and counts under `tasks`. A run of one task has none of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grpo_rust.report.reading import Record

__all__ = ["evaluated_tasks", "names_by_task", "of_task"]

EVALUATED, TRAINED = "eval/task/", "task/"


def evaluated_tasks(*evaluations: Record | None) -> list[str]:
    """The tasks that evaluations, lines of `evals.jsonl`, tell apart."""
    keys = (key for record in evaluations for key in record or () if key.startswith(EVALUATED))
    return sorted({key.removeprefix(EVALUATED).partition("/")[0] for key in keys})


def of_task(evaluation: Record | None, task: str) -> dict[str, Any] | None:
    """What an evaluation says of one task, with the keys of an evaluation of that task alone; None where nothing.

    >>> of_task({"eval/build": 0.5, "eval/task/repair/build": 0.25, "num_samples": 2}, "repair")
    {'num_samples': 2, 'eval/build': 0.25}
    """
    record, start = evaluation or {}, f"{EVALUATED}{task}/"
    found = {f"eval/{key.removeprefix(start)}": value for key, value in record.items() if key.startswith(start)}
    if not found:
        return None
    sizes = {"num_prompts": _num_prompts(record, task), "num_samples": record.get("num_samples")}
    return {**{name: size for name, size in sizes.items() if size is not None}, **found}


def names_by_task(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is measured of tasks, and by task the key that has it.

    >>> names_by_task(["task/infill/build", "task/repair/build", "check/build"])
    {'build': {'infill': 'task/infill/build', 'repair': 'task/repair/build'}}
    """
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        if key.startswith(TRAINED) and key.count("/") > 1:
            _, task, name = key.split("/", 2)
            found.setdefault(name, {})[task] = key
    return found


def _num_prompts(record: Record, task: str) -> Any:
    """How many prompts of a task an evaluation had; None where it does not say."""
    tasks = record.get("tasks")
    one = tasks.get(task) if isinstance(tasks, dict) else None
    return one.get("num_prompts") if isinstance(one, dict) else None
