"""Metrics of each task of a batch: where a run mixes tasks, a mean over all of them says little.

A task is the word in the column `task` of a row; rows without one ask for a function. What a task is, `grpo` does not
know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import PLAIN_TASK, Example, Group

__all__ = ["curriculum_metrics", "groups_by_task", "known_means", "task_metrics", "task_of"]


def task_of(example: Example) -> str:
    """The task of an example.

    >>> task_of(Example("1", (), {"task": "repair"})), task_of(Example("2", ()))
    ('repair', 'function')
    """
    return example.task or PLAIN_TASK


def groups_by_task(groups: Iterable[Group]) -> dict[str, list[Group]]:
    """The groups of each task, by its name."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(task_of(group.example), []).append(group)
    return dict(sorted(found.items()))


def task_metrics(groups: Sequence[Group], tasks: Iterable[str]) -> dict[str, float]:
    """Metrics of each task of a batch: how many groups, and the means of reward, reward functions and checks.

    Args:
        groups: The batch.
        tasks: Those of the run; of one that the batch lacks, the number of groups is 0.
    """
    metrics = {f"task/{task}/groups": 0.0 for task in sorted(tasks)}
    for task, own in groups_by_task(groups).items():
        grades = [grade for group in own for grade in group.grades]
        rewards = [{"reward_mean": reward} for group in own for reward in group.rewards]
        metrics[f"task/{task}/groups"] = float(len(own))
        metrics |= {f"task/{task}/{name}": mean for name, mean in known_means(rewards).items()}
        functions = known_means([grade.rewards for grade in grades])
        metrics |= {f"task/{task}/reward/{name}": mean for name, mean in functions.items()}
        checks = known_means([grade.checks for grade in grades])
        metrics |= {f"task/{task}/{name}": mean for name, mean in checks.items()}
    return metrics


def curriculum_metrics(prompts: PromptStream) -> dict[str, float]:
    """How many prompts are set aside, because they were solved or had nothing to teach; solved ones by task as well."""
    metrics = {"prompts/solved": float(len(prompts.solved)), "prompts/zero_std": float(len(prompts.zero_std))}
    if len(prompts.tasks) > 1:
        solved = [task_of(prompts.by_id[name]) for name in prompts.solved]
        metrics |= {f"task/{task}/solved_prompts": float(solved.count(task)) for task in sorted(prompts.tasks)}
    return metrics


def known_means(fields: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """The mean of every name over the mappings that know it; a name that none knows is left out.

    >>> known_means([{"build": 1.0, "gold": None}, {"build": 0.0, "close": 0.5}])
    {'build': 0.5, 'close': 0.5}
    """
    means = {}
    for name in dict.fromkeys(name for field in fields for name in field):
        known = [value for field in fields if (value := field.get(name)) is not None]
        if known:
            means[name] = sum(known) / len(known)
    return means
