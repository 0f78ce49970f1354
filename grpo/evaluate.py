"""Evaluation: sample held-out prompts, grade, and report rates with intervals that respect the clusters.

Sampling has a seed of its own and shares no generator with training, so evaluating changes no bit of the weights.
Completions of one prompt are not independent, so every interval is clustered by prompt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from grpo.engines import Engine, SamplingParams
from grpo.rollout.collect import Decode, PendingRollout, collect, sample, seed_for
from grpo.rollout.records import Example, Grader, Group
from grpo.rollout.turns.conversations import first_turns, turn_metrics
from grpo.rollout.turns.playing import TurnRules
from grpo.run.by_task import groups_by_task
from grpo.run.stopping import EvaluationGivenUp

__all__ = ["Evaluation", "clustered_mean", "counts_of", "evaluate", "evaluation_metrics", "pass_at_k"]


@dataclass(frozen=True)
class Evaluation:
    """The graded groups of an evaluation and the metrics made of them (keys of `grpo.run.metrics.METRICS`)."""

    groups: tuple[Group, ...]
    metrics: Mapping[str, float]
    counts: Mapping[str, tuple[float, int]]  # per check: the sum over the completions it is known for, and their number
    seconds: float

    @property
    def num_prompts(self) -> int:
        return len(self.groups)

    @property
    def num_samples(self) -> int:
        """Completions of each prompt that answer the prompt itself, and no later message."""
        return len(first_turns(self.groups[:1])[0].completions)

    @property
    def num_completions(self) -> int:
        """All of them, every turn of every conversation."""
        return sum(len(group.completions) for group in self.groups)

    @property
    def by_task(self) -> Mapping[str, Sequence[Group]]:
        """The groups of each task; nothing where there is one task."""
        return _several_tasks(self.groups)


def evaluate(
    engine: Engine,
    grader: Grader,
    decode: Decode,
    examples: Sequence[Example],
    params: SamplingParams,
    *,
    id_prefix: str,
    max_rows: int,
    policy_version: int,
    turns: TurnRules | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Sample `params.num_samples` completions of every example, at most `max_rows` at a time, and grade them meanwhile.

    Args:
        engine: Samples the completions.
        grader: Grades them.
        decode: Token ids to text.
        examples: Encoded held-out prompts.
        params: How to sample; the seed fixes the sampling whatever training does.
        id_prefix: Begins the completions' ids.
        max_rows: Bounds the engine's batch, in completions.
        policy_version: Number of weight updates so far.
        turns: How conversations go on after their first completion; None: not at all. All metrics but
            `eval/solved_turn_*` are of first completions, as without turns.
        should_stop: Asked at every completion; True gives the evaluation up.
    Raises:
        EvaluationGivenUp: When `should_stop` says so.
    """

    def go_on() -> None:
        if should_stop():
            raise EvaluationGivenUp

    def finished(batch: PendingRollout | None) -> Sequence[Group]:
        return collect(batch, grader, credit="each").groups if batch else ()

    started = time.perf_counter()
    groups: list[Group] = []
    graded: PendingRollout | None = None  # while the next chunk is sampled
    for number, chunk in enumerate(_chunks(examples, max(1, max_rows // params.num_samples))):
        pending = sample(
            engine,
            grader,
            decode,
            chunk,
            replace(params, seed=seed_for(params.seed, "eval", number)),
            id_prefix=f"{id_prefix}.{number}",
            policy_version=policy_version,
            turns=turns,
            on_completion=go_on,
        )
        groups += finished(graded)
        graded = pending
    groups += finished(graded)
    metrics, counts = evaluation_metrics(first_turns(groups))
    if turns is not None:
        metrics |= turn_metrics(groups, "eval", most=turns.most)
    return Evaluation(tuple(groups), metrics, counts, time.perf_counter() - started)


def evaluation_metrics(groups: Sequence[Group]) -> tuple[dict[str, float], dict[str, tuple[float, int]]]:
    """Rates with their intervals, pass@k and lengths of graded groups; and the counts behind the rates.

    Where the groups are of several tasks, the metrics have each task's own as well, named `eval/task/TASK/...`.
    """
    metrics = {f"eval/{name}": value for name, value in _rates(groups).items()}
    for task, own in _several_tasks(groups).items():
        metrics |= {f"eval/task/{task}/{name}": value for name, value in _rates(own).items()}
    return metrics, counts_of(groups)


def _several_tasks(groups: Sequence[Group]) -> Mapping[str, Sequence[Group]]:
    """The groups of each task; nothing where all are of one."""
    found = groups_by_task(groups)
    return found if len(found) > 1 else {}


def counts_of(groups: Sequence[Group]) -> dict[str, tuple[float, int]]:
    """The counts behind the rates: per check the sum over the completions it is known for, and their number."""
    return {name: (sum(map(sum, known)), sum(map(len, known))) for name, known in _known(groups).items() if any(known)}


def _rates(groups: Sequence[Group]) -> dict[str, float]:
    """Means with their intervals, and pass@k."""
    metrics: dict[str, float] = {}
    for name, known in _known(groups).items():
        if any(known):
            metrics[name], metrics[f"{name}_ci95"] = clustered_mean(known)
    solved = [[grade.solved for grade in group.grades if grade.solved is not None] for group in groups]
    solved = [cluster for cluster in solved if cluster]
    for k in _powers_of_two(min(map(len, solved), default=0)):
        estimates = [pass_at_k(len(cluster), sum(cluster), k) for cluster in solved]
        metrics[f"pass_at_{k}"] = sum(estimates) / len(estimates)
    return metrics


def _known(groups: Sequence[Group]) -> dict[str, list[list[float]]]:
    """Lengths, rewards and checks by name: for each group the values of the completions for which they are known."""
    values: dict[str, list[list[float | None]]] = {"length_mean": [], "reward_mean": []}
    checks = sorted({name for group in groups for grade in group.grades for name in grade.checks})
    for group in groups:
        values["length_mean"].append([float(completion.num_tokens) for completion in group.completions])
        values["reward_mean"].append(list(group.rewards))
        for name in checks:
            values.setdefault(name, []).append([grade.checks.get(name) for grade in group.grades])
    return {
        name: [[value for value in cluster if value is not None] for cluster in clusters]
        for name, clusters in values.items()
    }


def clustered_mean(clusters: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The mean of all values, and the half width of its 95 % interval when values of one cluster are dependent.

    `mean = sum x / n`; `se^2 = C / (C - 1) * sum_c (sum_i (x_ci - mean))^2 / n^2` over C clusters; half width 1.96 se.

    Args:
        clusters: The values of each cluster; empty clusters are ignored.
    Returns: (mean, half width); NaN without values, half width NaN with fewer than two clusters.
    Source: cluster-robust variance of a mean, Liang and Zeger (1986); Miller, "Adding Error Bars to Evals"
        (2411.00640).

    >>> clustered_mean([[0.0, 0.0], [1.0, 1.0]])  # two independent observations, although there are four values
    (0.5, 0.98)
    """
    filled = [cluster for cluster in clusters if cluster]
    count = sum(map(len, filled))
    if not count:
        return math.nan, math.nan
    mean = sum(map(sum, filled)) / count
    if len(filled) < 2:
        return mean, math.nan
    squares = sum((sum(cluster) - mean * len(cluster)) ** 2 for cluster in filled)
    return mean, 1.96 * math.sqrt(len(filled) / (len(filled) - 1) * squares) / count


def pass_at_k(num_samples: int, num_passed: int, k: int) -> float:
    """Unbiased estimate that at least one of k completions passes: `1 - C(n - c, k) / C(n, k)`.

    Source: Chen et al., "Evaluating Large Language Models Trained on Code" (arXiv 2107.03374), equation 1.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    if not 1 <= k <= num_samples:
        raise ValueError(f"k is {k}; it must be between 1 and the number of samples, {num_samples}")
    return 1.0 - math.comb(num_samples - num_passed, k) / math.comb(num_samples, k)


def _chunks(examples: Sequence[Example], size: int) -> list[Sequence[Example]]:
    """Consecutive pieces of at most `size`."""
    return [examples[start : start + size] for start in range(0, len(examples), size)]


def _powers_of_two(limit: int) -> list[int]:
    """1, 2, 4, ... up to the limit."""
    return [1 << exponent for exponent in range(limit.bit_length()) if 1 << exponent <= limit]
