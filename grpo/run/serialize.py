"""Graded groups as lines of JSON, for `completions.jsonl`, `rewards/*.jsonl` and `evals.jsonl`, and as metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from grpo.evaluate import Evaluation, counts_of
from grpo.rollout.records import UNPAID, Completion, Group
from grpo.rollout.turns.conversations import compared
from grpo.run.by_task import known_means

__all__ = ["batch_metrics", "completion_lines", "counts_record", "evaluation_line", "reward_lines"]


def completion_lines(
    groups: Sequence[Group],
    *,
    step: int,
    phase: str,
    advantages: Sequence[Sequence[float]] | None = None,
    part_advantages: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Iterator[dict[str, Any]]:
    """One record per completion: its text, rewards, checks and verdict; phase is "train" or "eval".

    Where rewards pay parts of a completion, its record has the advantage of each part that it has, too. A later turn's
    record has the id of the turn before and the user's message between them. Where weights may change while completions
    are sampled, `versions` has which of them sampled how many tokens, in order.
    """
    for row, group in enumerate(groups):
        for k, (completion, grade, reward) in enumerate(
            zip(group.completions, group.grades, group.rewards, strict=True)
        ):
            line: dict[str, Any] = {
                "id": completion.id,
                "step": step,
                "phase": phase,
                "task_id": group.example.id,
                **({"task": group.example.task} if group.example.task else {}),
                "prompt": group.example.messages[-1]["content"],
                "text": completion.text,
                "terminated": completion.terminated,
                "num_tokens": completion.num_tokens,
                "reward": reward,
                "advantage": None if advantages is None or reward is None else advantages[row][k],
                "rewards": dict(grade.rewards),
                "checks": dict(grade.checks),
                "verdict": dict(grade.verdict),
            }
            if completion.versions:
                line["versions"] = [list(run) for run in completion.versions]
            if (before := completion.history) is not None:
                line |= {"follows": before.completion_id, "message": before.message}
            if part_advantages is not None and reward is not None:
                columns = dict(zip(group.part_rewards, part_advantages[row][k], strict=True))
                line["part_advantages"] = {part: columns.get(part, columns[UNPAID]) for part in grade.spans}
            yield line


def reward_lines(groups: Sequence[Group], *, step: int) -> Iterator[dict[str, Any]]:
    """One short record per completion and reward function."""
    now = round(time.time(), 3)
    for group in groups:
        for completion, grade in zip(group.completions, group.grades, strict=True):
            for function, score in grade.rewards.items():
                yield {
                    "time": now,
                    "step": step,
                    "function": function,
                    "score": score,
                    "task_id": group.example.id,
                    "completion_id": completion.id,
                    "seconds": round(grade.seconds.get(function, 0.0), 6),
                }


def batch_metrics(groups: Sequence[Group], *, policy_version: int, seconds: float) -> dict[str, float]:
    """Metrics of a batch of completions that do not depend on what is learned from it.

    Those of rewards and checks are of the completions whose rewards are compared; all others are of every turn.

    Args:
        groups: The graded groups.
        policy_version: Number of weight updates before the batch was learned from.
        seconds: That the step took.
    """
    completions = [completion for group in groups for completion in group.completions]
    lengths = [len(completion.token_ids) for completion in completions]
    metrics = {
        "groups/total": float(len(groups)),
        "completion/length_mean": _mean(lengths),
        "completion/length_max": float(max(lengths)),
        "completion/truncated": _mean([not completion.terminated for completion in completions]),
        "policy/staleness": _mean([policy_version - completion.policy_version for completion in completions]),
        "throughput/tokens_per_s": sum(lengths) / seconds,
        "throughput/completions_per_s": len(completions) / seconds,
        "reward/unscored": float(sum(reward is None for group in groups for reward in group.rewards)),
    }
    if any(completion.versions for completion in completions):
        metrics |= _version_metrics(completions, policy_version)
    grades = [group.grades[place] for group in groups for place in compared(group)]
    for area, fields in (
        ("reward", [grade.rewards for grade in grades]),
        ("check", [grade.checks for grade in grades]),
    ):
        metrics |= {f"{area}/{name}": mean for name, mean in known_means(fields).items()}
    return metrics


def evaluation_line(evaluation: Evaluation, *, step: int) -> dict[str, Any]:
    """One evaluation: its size, its metrics, and the counts behind the rates, of each task too."""
    return {
        "step": step,
        "num_prompts": evaluation.num_prompts,
        "num_samples": evaluation.num_samples,
        "time/eval": evaluation.seconds,
        **evaluation.metrics,
        **counts_record(evaluation),
    }


def counts_record(evaluation: Evaluation) -> dict[str, Any]:
    """The counts behind the rates of an evaluation; of several tasks also the prompts and counts of each."""
    record: dict[str, Any] = {"counts": {name: list(count) for name, count in evaluation.counts.items()}}
    tasks = {
        task: {"num_prompts": len(groups), "counts": {name: list(count) for name, count in counts_of(groups).items()}}
        for task, groups in evaluation.by_task.items()
    }
    return {**record, "tasks": tasks} if tasks else record


def _version_metrics(completions: Sequence[Completion], policy_version: int) -> dict[str, float]:
    """How old the weights were that sampled each token, where one completion may have several."""
    ages: Counter[int] = Counter()  # updates -> tokens
    for completion in completions:
        for version, tokens in completion.versions:
            ages[policy_version - version] += tokens
    total = sum(ages.values())
    return {
        "policy/token_staleness": sum(age * tokens for age, tokens in ages.items()) / total,
        "policy/token_staleness_max": float(max(ages)),
        "policy/older_tokens": sum(tokens for age, tokens in ages.items() if age > 0) / total,
        "rollout/continued": _mean([len(completion.versions) > 1 for completion in completions]),
    }


def _mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)
