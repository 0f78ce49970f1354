"""Runs as figures: what a page needs of an evaluated run, small enough to be kept beside the page when the run is gone.

A file holds the checks of every held-out completion, and by step what a training's batches came to. It is made from a
run's own logs and never changed; with all of them a page can be written again on a machine that has none of the runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grpo.checkpoint.checksums import sha256_of
from grpo.errors import BadInput
from study.completions import CompletionRecord, read_completions, strict_but_wrong, training_means
from study.curves import read_curve
from study.running import Arm, HeldOutSet, TrainingRun

__all__ = ["RunFigures", "figures_of", "check_same_prompts", "keep", "kept_runs", "untrained_figures"]

UNTRAINED = "untrained"  # in the place of an arm
CHECKS = ("build", "test_strict", "gold", "asserts")  # of a completion, in the order of a file's rows
METRICS = {"strict": "check/test_strict", "gold": "check/gold", "agreement": "reward/cross_agreement"}
Row = tuple[float | None, ...]


@dataclass(frozen=True)
class RunFigures:
    """An evaluated model.

    Attributes:
        arm: The name of its arm.
        seed: Of its run.
        commit: What it was trained at.
        data: The SHA-256 of the prompts from which those that it was trained on were taken: all, or those with suites.
        steps: Values by step, by the name of their curve; of the training batches.
        prompts: For each held-out prompt the checks of its completions, in the order of `CHECKS`.
    """

    arm: str
    seed: int
    commit: str
    data: str
    steps: Mapping[str, Sequence[float]]
    prompts: Mapping[str, Sequence[Row]]

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.seed}"

    @property
    def completions(self) -> list[CompletionRecord]:
        """The completions, with nothing but their checks."""
        return [
            {"task_id": prompt, "checks": dict(zip(CHECKS, row, strict=True))}
            for prompt, rows in self.prompts.items()
            for row in rows
        ]


def figures_of(run: TrainingRun, held_out: HeldOutSet, data: Path) -> RunFigures:
    """The figures of an evaluated run that was trained on prompts of a file."""
    curves = {name: read_curve(name, [run.metrics], key).seeds[0] for name, key in METRICS.items()}
    curves["wrong"] = training_means(run.path / "completions.jsonl", strict_but_wrong)
    return RunFigures(
        run.arm.name,
        run.seed,
        run.commit,
        sha256_of(data),
        {name: [round(value, 4) for value in values] for name, values in curves.items() if values},
        _rows(run.completions(held_out)),
    )


def untrained_figures(completions: Path) -> RunFigures:
    """The figures of the model that all runs start from."""
    return RunFigures(UNTRAINED, 0, "", "", {}, _rows(completions))


def keep(figures: RunFigures, folder: Path) -> None:
    """Write a model's file, in its arm's folder below the given one."""
    (folder / figures.arm).mkdir(parents=True, exist_ok=True)
    values = asdict(figures)
    prompts = ",\n".join(f" {json.dumps(prompt)}: {json.dumps(rows)}" for prompt, rows in values.pop("prompts").items())
    head = json.dumps(values)[:-1]
    (folder / figures.arm / f"{figures.name}.json").write_text(
        f'{head}, "prompts": {{\n{prompts}\n}}}}\n', encoding="utf-8"
    )


def kept_runs(arms: Sequence[Arm], folder: Path) -> list[RunFigures]:
    """The models in a folder: the untrained one, then those of the arms, by arm and seed."""
    return [
        RunFigures(**json.loads(path.read_text(encoding="utf-8")))
        for name in (UNTRAINED, *(arm.name for arm in arms))
        for path in sorted(folder.glob(f"{name}/{name}-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
        if path.stem.rpartition("-")[0] == name
    ]


def check_same_prompts(runs: Sequence[RunFigures]) -> None:
    """Refuse to put runs side by side whose prompts are of different files. Raises: BadInput, naming two of them."""
    trained = [run for run in runs if run.data]
    for run in trained:
        if run.data != trained[0].data:
            raise BadInput(
                f"{run.name} was trained on other prompts than {trained[0].name}: give another --docs, or remove the "
                "figures of one of the two and train it again"
            )


def _rows(completions: Path) -> dict[str, list[Row]]:
    """The checks of completions, by prompt."""
    rows: dict[str, list[Row]] = {}
    for completion in read_completions(completions):
        rows.setdefault(completion["task_id"], []).append(tuple(completion["checks"].get(name) for name in CHECKS))
    return rows
