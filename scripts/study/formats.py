"""What GRPO gains on the tasks beyond one function, from the shipped model that knows their formats.

Promises: every number comes from the evaluations that runs of scripts/recipes/tiny-TASK.toml made themselves, before
their first step and after their last; so does every example. Of each task the page shows the runs that are finished.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from itertools import chain

from study.completions import ByPrompt, CompletionRecord, by_prompt, check, evaluations
from study.gains import Gain, paired_gain
from study.running import SCRIPTS, Arm, TrainingRun

__all__ = ["TASKS", "formats_page", "recipe_of"]

TASKS = (
    Arm("repair", "a program that does not compile"),
    Arm("infill", "a part that is missing"),
    Arm("patch", "a program and a request"),
    Arm("next_edit", "a change in progress"),
)
SHOWN = {"gold": "gold", "build": "build"}  # checks, and what the table calls them
TARGET = 0.15  # points of gain that each task is to reach


def recipe_of(run: TrainingRun) -> str:
    """The recipe of a run's task."""
    return str(SCRIPTS / "recipes" / f"tiny-{run.arm.name}.toml")


def formats_page(runs: Sequence[TrainingRun], *, command: str) -> str:
    """The results in docs/tasks.md.

    Args:
        runs: Finished ones; those of a task follow each other.
        command: The command line that makes them.
    """
    tasks: dict[str, list[TrainingRun]] = {}
    for run in runs:
        tasks.setdefault(run.arm.name, []).append(run)
    commits = ", ".join(sorted({run.commit for run in runs}))
    parts = [
        f"Made by `{command}` at {commits}. Held-out prompts with gold tests, the same ones before and after; gains in "
        f"points, paired by prompt and averaged over the seeds; ±: 95 % interval, clustered by prompt. The target is "
        f"{100 * TARGET:.0f} points.",
        _table(tasks),
        "For each task the shortest held-out prompt whose first completion failed the gold tests before training and "
        "passed them after it, first seed:",
        *chain.from_iterable(_example(name, same[0]) for name, same in tasks.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(tasks: Mapping[str, Sequence[TrainingRun]]) -> str:
    """A row for each task."""
    lines = [
        "| task | steps, minutes a run | gold before | gold after | gain | of the seeds | build, gain | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, same in tasks.items():
        gold, build = (_gain(same, one) for one in SHOWN)
        seeds = ", ".join(f"{run.seed}: {_points(value)}" for run, value in zip(same, gold.by_seed, strict=True))
        lines.append(
            f"| `{name}` | {_sizes(same)} | {100 * gold.before:.1f} % | {100 * gold.after:.1f} % | {_cell(gold)} | "
            f"{seeds} | {_cell(build)} | {_verdict(gold)} |"
        )
    return "\n".join(lines)


def _gain(runs: Sequence[TrainingRun], name: str) -> Gain:
    """What the runs of a task gained in a check; the model that all of them start from is evaluated by each."""
    found = [evaluations(run.path / "completions.jsonl") for run in runs]
    before: ByPrompt = by_prompt([one for first, _ in found for one in first], check(name))
    return paired_gain(before, [by_prompt(last, check(name)) for _, last in found])


def _sizes(runs: Sequence[TrainingRun]) -> str:
    """Steps and minutes of a run, evaluations included."""
    found = [json.loads((run.path / "summary.json").read_text(encoding="utf-8")) for run in runs]
    return f"{found[0]['steps']}, {statistics.fmean(one['seconds'] for one in found) / 60:.0f}"


def _cell(gain: Gain) -> str:
    return f"{_points(gain.points)} ± {100 * gain.half_width:.1f}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def _verdict(gain: Gain) -> str:
    return "reached" if gain.points >= TARGET else "not reached"


def _example(name: str, run: TrainingRun) -> list[str]:
    """A prompt with a completion before and after training; says where there is none."""
    first, last = (_first_of_each(records) for records in evaluations(run.path / "completions.jsonl"))
    learned = [prompt for prompt in first if not _passes(first[prompt]) and _passes(last.get(prompt, {}))]
    if not learned:
        return [f"### {name}", "None of the first completions failed before and passed after."]
    chosen = min(learned, key=lambda prompt: (len(first[prompt]["prompt"]), prompt))
    before, after = first[chosen], last[chosen]
    return [
        f"### {name}: {chosen}",
        _block(before["prompt"]),
        "Before:",
        _block(before["text"]),
        "After:",
        _block(after["text"]),
    ]


def _first_of_each(records: Sequence[CompletionRecord]) -> dict[str, CompletionRecord]:
    """The first completion to each prompt."""
    found: dict[str, CompletionRecord] = {}
    for record in records:
        found.setdefault(record["task_id"], record)
    return found


def _passes(record: CompletionRecord) -> bool:
    return bool(record.get("checks", {}).get("gold") == 1.0)


def _block(text: str) -> str:
    """A text as a code block; none of these texts has a line of tildes."""
    return f"~~~~text\n{text.rstrip()}\n~~~~"
