"""A real pretrained model: what to run, and docs/studies/real_model.md out of what it leaves."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpo.checkpoint.places import find_checkpoints
from study.comparisons import MISTAKES, QUANTITIES
from study.completions import CompletionRecord, by_prompt, check, evaluations, passes_at
from study.curves import Panel, draw, read_curve
from study.gains import Gain, paired_gain
from study.running import SCRIPTS, Command
from study.tables import gains_table

__all__ = ["PretrainedRuns", "commands", "curves_svg", "page"]

RECIPES = SCRIPTS / "recipes"
MAIN = ("build", "clippy", "test_strict", "gold", "strict_but_wrong", "asserts", "tokens")
PANELS = (  # title, run, metric, and what it is multiplied with
    ("warm start: loss, nats a token", "warm", "loss/total", 1.0),
    ("GRPO: builds", "trained", "check/build", 100.0),
    ("GRPO: passes its own tests", "trained", "check/test_strict", 100.0),
    ("GRPO: asserts a completion", "trained", "check/asserts", 1.0),
)


@dataclass(frozen=True)
class PretrainedRuns:
    """Where the two runs are kept, by names that the recipes know."""

    folder: Path

    @property
    def warm(self) -> Path:
        """The warm start."""
        return self.folder / "smollm2-sft"

    @property
    def trained(self) -> Path:
        """GRPO on the checkpoint of the warm start."""
        return self.folder / "smollm2-grpo"


def commands(runs: PretrainedRuns, *, model: Path, data: Path, overrides: Sequence[str]) -> list[Callable[[], Command]]:
    """What has to be run, one after the other; each is made when its turn comes, and resumes a run that was stopped.

    Args:
        runs: Where runs are kept.
        model: Where the pretrained model's checkpoint is, or is going to be.
        data: The folder of the demonstrations.
        overrides: Settings of both recipes.
    """
    shown = data / "demonstrations.jsonl"

    def script(name: str, *words: str) -> tuple[str, ...]:
        return sys.executable, str(SCRIPTS / f"{name}.py"), *words

    def run(name: str, recipe: str, path: Path, *settings: str) -> Command:
        started = find_checkpoints(path / "checkpoints")
        words = ["run.resume=true"] if started else [str(RECIPES / recipe), *settings, *overrides]
        return Command(
            f"{name}.py {recipe}",
            script(name, *words, f"run.dir={path}"),
            path.with_suffix(".log"),
            (path / "summary.json").exists,
        )

    def checkpoint() -> str:
        found = find_checkpoints(runs.warm / "checkpoints")
        return str(found[max(found)])

    fetched = script("get_smollm2", "--out", str(model))
    made = script("make_dataset", "generate", "--demonstrations", "1000", "--out", str(data))
    return [
        lambda: Command("get the model", fetched, runs.folder / "get_smollm2.log", model.exists),
        lambda: Command("demonstrations", made, runs.folder / "demonstrations.log", shown.exists),
        lambda: run("sft", "smollm2-135m-sft.toml", runs.warm, f"model.path={model}", f"data.train={shown}"),
        lambda: run("train", "smollm2-135m.toml", runs.trained, f"model.path={checkpoint()}"),
    ]


def curves_svg(runs: PretrainedRuns) -> str:
    """Metrics of both runs by step."""
    panels = [
        Panel(title, (read_curve("", [getattr(runs, run) / "metrics.jsonl"], key),), scale)
        for title, run, key, scale in PANELS
    ]
    return draw(panels, "SmolLM2-135M-Instruct by step: its warm start, then GRPO")


def page(runs: PretrainedRuns, *, command: str) -> str:
    """docs/studies/real_model.md.

    Args:
        runs: Both runs; that of GRPO may be unfinished.
        command: The command line that makes the page.
    """
    parts = [
        "# A real pretrained model",
        f"Made by `{command}` out of two runs. SmolLM2-135M-Instruct is a model of a public lab: nobody here chose its "
        "vocabulary, chat template and size. A Python package ships it, so that the whole path can be walked without a "
        "model hub and without a GPU. It writes no Rust that builds. So it gets a warm start on right programs of the "
        "shipped task family, and then GRPO on that family's prompts. The held-out prompts ask for combinations of "
        "operation and type that neither has seen. [The lab book](../../EXPERIMENTS.md) has what was tried before.",
        _commands_text(),
        "![Loss of the warm start, and rates of GRPO's training batches, by step](../images/real_model.svg)",
        "Lines: training batches, rolling over five steps.",
        "## The warm start",
        _sizes(runs.warm),
        gains_table(_only(_gains(runs.warm), MAIN)),
        "## GRPO",
        _sizes(runs.trained),
        *(_grpo_tables(_gains(runs.trained)) if _summary(runs.trained) else []),
        "## What it takes",
        _costs(runs),
    ]
    return "\n\n".join(parts) + "\n"


def _grpo_tables(gains: Mapping[str, Gain]) -> list[str]:
    """What GRPO gained, on its own and by k and by mistake."""
    passes = {name: gain for name, gain in gains.items() if name.startswith("pass@")}
    return [
        gains_table(_only(gains, MAIN)),
        "Differences are paired by prompt; ±: 95 % interval, clustered by prompt. One seed and no control: "
        "[evidence.md](../evidence.md) has three seeds of the toy model. The chance that at least one of k completions "
        "passes strictly:",
        gains_table(passes, head="strict"),
        "Share of completions that show each class of mistake:",
        gains_table(_only(gains, tuple(MISTAKES)), head="class"),
    ]


def _commands_text() -> str:
    """The commands one by one, for a reader who wants to do it by hand."""
    return """\
```sh
.venv/bin/pip install -e '.[train,lora,gguf]'
.venv/bin/python scripts/get_smollm2.py --out models/smollm2-135m-instruct
.venv/bin/python scripts/make_dataset.py generate --demonstrations 1000 --out data
.venv/bin/python scripts/sft.py scripts/recipes/smollm2-135m-sft.toml run.dir=runs/smollm2-sft
.venv/bin/python scripts/train.py scripts/recipes/smollm2-135m.toml run.dir=runs/smollm2-grpo
```

The recipes sample with vLLM (`make train ENGINE=vllm` installs it for the CPU); `sampling.engine=paged` needs none."""


def _sizes(run: Path) -> str:
    """What was trained, where and how long, in a sentence."""
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    commit, summary = str((environment.get("commit") or {}).get("id"))[:7], _summary(run)
    if not summary:
        return f"Not finished: {len(_steps(run))} steps so far, at {commit}, without an evaluation after them."
    return (
        f"{summary['steps']} steps in {summary['seconds'] / 60:.0f} minutes with both evaluations, at {commit}; "
        f"{summary['num_prompts']} held-out prompts x {summary['num_samples']} completions before and after."
    )


def _summary(run: Path) -> dict[str, Any]:
    """The summary of a finished run; empty for one that goes on."""
    path = run / "summary.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _costs(runs: PretrainedRuns) -> str:
    """Means over the steps of both runs, where a run has the figure."""
    rows = {
        "seconds a step": ("time/step", "{:.0f}"),
        "trained tokens a second of training": ("", "{:.0f}"),
        "completion tokens": ("completion/length_mean", "{:.0f}"),
        "sampling a batch, s": ("time/generate", "{:.0f}"),
        "waiting for the sandbox, s": ("time/wait_rewards", "{:.1f}"),
        "weights to the engine and their proof, s": ("time/sync", "{:.1f}"),
        "gap of that proof, nats a token": ("sync/gap", "{:.1e}"),
        "entropy, nats a token": ("policy/entropy", "{:.3f}"),
    }
    logs = [_steps(runs.warm), _steps(runs.trained)]
    lines = ["| mean over the steps | warm start | GRPO |", "|---|---|---|"]
    for label, (key, form) in rows.items():
        cells = [form.format(value) if (value := _mean(log, key)) is not None else "" for log in logs]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(steps: Sequence[Mapping[str, float]], key: str) -> float | None:
    """The mean of a metric; without a key, trained tokens per second of training."""
    if key:
        values = [step[key] for step in steps if step.get(key) is not None]
        return statistics.fmean(values) if values else None
    tokens = sum(step["throughput/tokens_per_s"] * step["time/step"] for step in steps)
    return tokens / sum(step["time/train"] for step in steps)


def _steps(run: Path) -> list[Mapping[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def _gains(run: Path) -> dict[str, Gain]:
    """What a run gained from its evaluation before the first step to the one after the last, by quantity."""
    before, after = evaluations(run / "completions.jsonl")

    def gain(value: Callable[[CompletionRecord], float | None]) -> Gain:
        return paired_gain(by_prompt(before, value), [by_prompt(after, value)])

    gains = {name: gain(value) for name, value in (QUANTITIES | MISTAKES).items()}
    strict = [by_prompt(records, check("test_strict")) for records in (before, after)]
    for k in (1, 2, 4):
        if all(len(values) >= k for values in strict[0].values()):
            gains[f"pass@{k}"] = paired_gain(passes_at(k, strict[0]), [passes_at(k, strict[1])])
    return gains


def _only(gains: Mapping[str, Gain], names: Sequence[str]) -> dict[str, Gain]:
    """The named gains, in this order."""
    return {name: gains[name] for name in names}
