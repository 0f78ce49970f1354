"""Costs of a pipeline as finished runs measured them: from `metrics.jsonl`, `completions.jsonl` and `config.toml`.

Read from runs that had a core for everything (train.threads=1 sandbox.jobs=1 on two cores, rollout.overlap=0): a run
whose threads waited for each other has slower rates, and the simulation would slow them once more. First steps are
left out, and last ones that had nothing to sample ahead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from grpo.run.directory import CONFIG, ENVIRONMENT
from grpo.schema import ConfigError
from grpo_rust.engine_choice import choose_engine
from grpo_rust.recipe import Recipe, load_recipe
from grpo_rust.scaling.costs import DecodingCost
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.from_recipe import engine_gpus
from rewards.group_rewards import GROUP_REWARDS
from simulating.assumed import BATCH_S
from simulating.costs import PipelineCosts
from simulating.outcome import simulate
from simulating.pipeline import Shape
from simulating.shapes import shape_of

__all__ = ["LEAST_PROGRAM_S", "TimedRun", "fit", "measured_costs", "read_timed_run"]

LEAST_PROGRAM_S = 0.002
LEAST_SCALE = 0.1
ROUNDS, CALIBRATED = 3, 6  # rounds, and steps of each, of fitting what workers cost


@dataclass(frozen=True)
class TimedRun:
    """What a run has logged of its steps, by step; those at its ends left out."""

    path: Path
    recipe: Recipe
    metrics: dict[int, dict[str, float]]
    completions: dict[int, list[dict[str, Any]]]
    cores: int  # of the machine
    on_gpu: bool  # whether it trained on one
    crossing_s: dict[str, float]  # of a worker, by completion: its part of running a group's codes on its tests

    @property
    def steps_per_hour(self) -> float:
        """By the seconds of its steps, without checkpoints and evaluations."""
        return 3600 / float(np.mean([step["time/step"] for step in self.metrics.values()]))

    def trained_tokens(self, step: int) -> int:
        """Tokens of the completions that a step learned from."""
        return sum(one["num_tokens"] for one in self.completions[step] if one.get("advantage"))


def read_timed_run(path: Path) -> TimedRun:
    """A run's recipe and steps.

    Raises:
        ConfigError: For a directory that is no run, for a run of several ranks, with GPUs that only sample or with Ray,
            and for one without completions or with less than two steps.
    """
    if not (path / CONFIG).is_file():
        raise ConfigError(f"{path} is no run: it has no {CONFIG}; give a directory that scripts/train.py has written")
    try:
        recipe = load_recipe(path / CONFIG)
        metrics = {line["step"]: line for line in _lines(path / "metrics.jsonl")}
        completions: dict[int, list[dict[str, Any]]] = {}
        for line in _lines(path / "completions.jsonl"):
            if line["phase"] == "train" and line["step"] in metrics:
                completions.setdefault(line["step"], []).append(line)
        machine = json.loads((path / ENVIRONMENT).read_text(encoding="utf-8"))["machine"]
        cores, on_gpu = int(machine["cores"]), recipe.train.device != "cpu" and bool(machine.get("gpus"))
        crossing_s = _crossing_s(path, recipe)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: rates are missing there ({error!r}): it needs metrics and completions") from error
    kept = sorted(set(metrics) & set(completions))[1:]
    kept = kept[: max(0, len(kept) - recipe.rollout.overlap)]  # nothing is sampled ahead of the last ones
    if engine_gpus(recipe)[0] or (path / "rank-1.log").exists():
        raise ConfigError(
            f"{path} was divided among ranks or engines: give a run of one process, sampling.data_parallel=0 "
            "sampling.servers="
        )
    if recipe.sandbox.pool == "ray":
        raise ConfigError(
            f"{path} was graded on the nodes of a Ray cluster, whose workers no log counts: give a run with "
            "sandbox.pool=local"
        )
    if not kept:
        raise ConfigError(
            f"{path}: rates are missing there: at least two steps with completions (log.completions=true)"
        )
    steps = {step: metrics[step] for step in kept}
    return TimedRun(path, recipe, steps, {step: completions[step] for step in kept}, cores, on_gpu, crossing_s)


def _crossing_s(path: Path, recipe: Recipe) -> dict[str, float]:
    """What the rewards that compare a group have logged; they share one run of it."""
    logs = [path / "rewards" / f"{name}.jsonl" for name in recipe.rewards.weights if name in GROUP_REWARDS]
    logged = next((_lines(log) for log in logs if log.is_file()), [])
    return {line["completion_id"]: line["seconds"] for line in logged}


def _lines(path: Path) -> list[dict[str, Any]]:
    """The records of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def fit(columns: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """Factors of the columns, none negative, by least squares.

    >>> [round(factor, 6) for factor in fit([[1, 1, 1], [10, 20, 30]], [7, 12, 17])]
    [2.0, 0.5]
    """
    left = list(range(len(columns)))
    while left:
        matrix = np.array([columns[place] for place in left], dtype=float).T
        factors = np.linalg.lstsq(matrix, np.array(values, dtype=float), rcond=None)[0]
        worst = int(np.argmin(factors))
        if factors[worst] >= 0:
            found = dict(zip(left, factors.tolist(), strict=True))
            return [found.get(place, 0.0) for place in range(len(columns))]
        del left[worst]
    return [0.0] * len(columns)


def measured_costs(runs: Sequence[TimedRun], recipe: Recipe) -> PipelineCosts:
    """The costs of a recipe by what runs of another one have measured.

    Args:
        runs: At least one.
        recipe: That is to be simulated: its engine has to be that of the runs.

    Raises:
        ConfigError: For runs of another device, model, engine, backend or number of threads.

    Returns: those of one GPU where the runs had one; `simulating.assumed.divided_costs` makes those of several.
    """
    for run in runs:
        _refuse_other(run, recipe, on_gpu=runs[0].on_gpu)
    steps = _steps(runs)
    lengths = [[one["num_tokens"] for one in run.completions[step]] for run, step, _ in steps]
    iteration_s, row_s = fit([[max(of) for of in lengths], [sum(of) for of in lengths]], _times(steps, "generate"))
    groups = _groups(runs)
    trained = [run.trained_tokens(step) for run, step, _ in steps]
    update_s, token_s = fit([[1.0] * len(steps), trained], _times(steps, "train"))
    parts = np.sum([_times(steps, part) for part in ("wait_engine", "wait_rewards", "train", "sync")], axis=0)
    beside = np.array(_times(steps, "step")) - parts
    programs = [_program_s(one.get("verdict") or {}) for group in groups.values() for one in group]
    crossing = _fit_crossing(runs, groups)
    at_cpu_time = PipelineCosts(
        lengths=tuple(tuple(one["num_tokens"] for one in group) for group in groups.values()),
        decoding=DecodingCost(iteration_s, row_s),
        training_s=lambda tokens: update_s + token_s * tokens,
        weights_s=float(np.mean(_times(steps, "sync"))),
        programs=tuple(programs),
        batch_s=BATCH_S if recipe.sandbox.backend == "batch" else 0.0,
        host_s=max(0.0, float(beside.sum())) / sum(map(len, lengths)),
        crossing_s=lambda size: crossing[0] + crossing[1] * size,
        rewards=_rewards(groups.values()),
        on_gpu=runs[0].on_gpu,
        source=f"measured in {', '.join(str(run.path) for run in runs)}",
    )
    return _as_busy(at_cpu_time, runs)


def _as_busy(costs: PipelineCosts, runs: Sequence[TimedRun]) -> PipelineCosts:
    """Costs of grading with which the workers of these runs, simulated, are busy for as long as they were.

    Programs are charged for CPU time. Starting processes, reading files and what else a batch costs beyond that is
    found by simulating the runs that were measured: how full their batches were, no log says.
    """
    busy = sum(_shape(run).jobs * float(np.mean(_times(_steps([run]), "sandbox"))) for run in runs)
    spent = sum(map(sum, costs.programs)) / len(costs.programs)
    if not busy or not spent:
        return costs
    scale, found = 1.0, costs
    for _ in range(ROUNDS):
        found = _scaled(costs, scale)
        simulated = sum(_busy_s(run, found) for run in runs)
        of_programs = sum(_busy_s(run, replace(found, batch_s=0.0)) for run in runs)
        scale = max(LEAST_SCALE, scale * (1 + (busy - simulated) / of_programs))
    return _scaled(costs, scale)


def _scaled(costs: PipelineCosts, scale: float) -> PipelineCosts:
    """Costs with so many times the CPU time for what workers do; the share of it that they have a core for is less."""
    programs = tuple((max(LEAST_PROGRAM_S, first * scale), later * scale) for first, later in costs.programs)
    crossing_s = costs.crossing_s
    return replace(
        costs,
        programs=programs,
        crossing_s=lambda size: scale * crossing_s(size),
        worker_load=min(1.0, 1 / scale),
    )


def _shape(run: TimedRun) -> Shape:
    return shape_of(run.recipe, Division(1), cores=run.cores, on_gpus=run.on_gpu)


def _busy_s(run: TimedRun, costs: PipelineCosts) -> float:
    """Seconds of a step in which the workers of a run are busy, simulated; all of them together."""
    shape = _shape(run)
    outcome = simulate(shape, costs, steps=CALIBRATED, seed=0)
    return shape.jobs * (1 - outcome.idle["workers"]) * 3600 / outcome.steps_per_hour


def _refuse_other(run: TimedRun, recipe: Recipe, *, on_gpu: bool) -> None:
    """Raise ConfigError where a run says nothing of a recipe, or had a GPU and the first run none."""
    other, device = run.recipe, recipe.train.device
    if device == "auto":
        device = "cuda" if on_gpu else "cpu"
    pairs = {
        "model.path": (other.model.path, recipe.model.path),
        "train.device": ("cuda" if run.on_gpu else "cpu", device),
        "sampling.engine": tuple(choose_engine(one.sampling.engine, on_gpu=on_gpu) for one in (other, recipe)),
        "sandbox.backend": (other.sandbox.backend, recipe.sandbox.backend),
        "train.threads": (other.train.threads, recipe.train.threads),
        "rewards.weights": (sorted(other.rewards.weights), sorted(recipe.rewards.weights)),
    }
    for name, (theirs, wanted) in pairs.items():
        if theirs != wanted:
            raise ConfigError(
                f"{run.path} was run with {name} = {theirs}, and the recipe has {wanted}: its rates are others"
            )


def _steps(runs: Sequence[TimedRun]) -> list[tuple[TimedRun, int, dict[str, float]]]:
    return [(run, step, run.metrics[step]) for run in runs for step in run.metrics]


def _times(steps: Sequence[tuple[TimedRun, int, dict[str, float]]], part: str) -> list[float]:
    """Seconds of each step spent on a part; 0 where there is none."""
    return [float(metrics.get(f"time/{part}") or 0.0) for _, _, metrics in steps]


def _fit_crossing(
    runs: Sequence[TimedRun], groups: Mapping[tuple[Path, int, str], list[dict[str, Any]]]
) -> list[float]:
    """CPU seconds to run a group's codes on tests that they share: of a group, and of each completion in it."""
    of_run = {run.path: run.crossing_s for run in runs}
    crossed = [sum(of_run[path].get(one["id"], 0.0) for one in group) for (path, _, _), group in groups.items()]
    return fit([[1.0] * len(crossed), list(map(len, groups.values()))], crossed)


def _program_s(verdict: dict[str, Any]) -> tuple[float, float]:
    """CPU seconds of a completion's program with its gold tests, and of what is asked afterwards.

    What is logged of a program has what was asked after its strict pass in it.
    """
    evidence = (verdict.get("evidence") or {}).get("cpu_ms", 0.0)
    gold = (verdict.get("gold") or {}).get("cpu_ms", 0.0)
    return (verdict.get("cpu_ms", 0.0) - evidence + gold) / 1e3, evidence / 1e3


def _groups(runs: Sequence[TimedRun]) -> dict[tuple[Path, int, str], list[dict[str, Any]]]:
    """The completions to each prompt of each step."""
    groups: dict[tuple[Path, int, str], list[dict[str, Any]]] = {}
    for run in runs:
        for step, lines in run.completions.items():
            for one in lines:
                groups.setdefault((run.path, step, one["id"].rpartition("-")[0]), []).append(one)
    return groups


def _rewards(groups: Iterable[Sequence[dict[str, Any]]]) -> tuple[tuple[float, ...], ...]:
    """The rewards of each group of at least two."""
    rewards = [tuple(one["reward"] for one in group if one.get("reward") is not None) for group in groups]
    return tuple(group for group in rewards if len(group) > 1)
