"""What makes a reward honest: arms on a task family where completions and their own tests agree on wrong answers.

Promises: every number comes from the kept figures of graded completions and metrics, of all runs that are evaluated so
far: the page may be written while other runs are still missing, and arms may have different seeds. A level is a mean
over prompts of the mean over seeds and completions; its interval is clustered by prompt, as are the intervals of
differences.
"""

from __future__ import annotations

import filecmp
import hashlib
import re
import statistics
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from grpo.errors import BadInput
from study.arms import HONEST
from study.completions import (
    ByPrompt,
    CompletionRecord,
    by_prompt,
    check,
    passes_at,
    strict_but_wrong,
)
from study.curves import Curve, Panel, draw
from study.equal_time import LAST, Timed, equal_time_table
from study.gains import Gain, paired_gain
from study.kept import RunFigures
from study.running import SCRIPTS, Arm, Command, HeldOutSet, TrainingRun, evaluation

__all__ = [
    "COLLUSION_FAMILY",
    "check_data",
    "equal_time_page",
    "evaluated_runs",
    "family_data",
    "honest_curves",
    "honest_page",
    "judged_data",
    "training_data",
]

COLLUSION_FAMILY = ("is_single", "is_empty", "length", "contains")  # of `tiny.catalogue`
RATES = {"gold": "gold", "strict": "strict", "wrong": "strict but wrong", "pass": "", "build": "build"}  # and heads
MEANINGS = {arm.name: arm.meaning for arm in HONEST}
SHOWN = ("strict", "gold", "wrong", "agreement")  # curves
START_SAMPLES = 8  # of the untrained model to each prompt, of which suites are chosen
LEAST = "0.9"  # probability of a suite to be right
JUDGED = f"judged-{LEAST}"
PEAK = 10  # steps over which the worst of a training is averaged
Measures = Mapping[str, ByPrompt]  # of one model, by the name of the quantity


def family_data(folder: Path) -> Command:
    """Make the data set of the collusion family: train.jsonl, eval.jsonl."""
    family = ",".join(COLLUSION_FAMILY)
    argv = (sys.executable, str(SCRIPTS / "make_dataset.py"), "generate", "--operations", family, "--out", str(folder))
    return Command("make the data", argv, folder.parent / "data.log", (folder / "manifest.json").exists)


def training_data(run: TrainingRun, data: Path, made: Path) -> Path:
    """What a run is trained on: train.jsonl of a folder, or its judged-train.jsonl, or such prompts made elsewhere."""
    if not run.arm.judged:
        return data / "train.jsonl"
    shipped = data / "judged-train.jsonl"
    return shipped if shipped.exists() else _beside(made, JUDGED, data)


def _beside(runs: Path, name: str, data: Path) -> Path:
    """A file beside the runs that belongs to the content of a folder's train.jsonl."""
    content = (data / "train.jsonl").read_bytes()
    return runs / f"{name}-{hashlib.sha256(content).hexdigest()[:8]}.jsonl"


def judged_data(data: Path, runs: Path, model: str, recipe: str, overrides: Sequence[str]) -> list[Command]:
    """Give the prompts of train.jsonl suites that a model wrote for them: two commands, one after the other.

    Args:
        data: The folder with train.jsonl.
        runs: Where the completions and the prompts with suites go.
        model: The model's directory.
        recipe: The recipe file.
        overrides: Settings of the recipe.
    """
    train, asked, out = data / "train.jsonl", _beside(runs, "start", data), _beside(runs, JUDGED, data)
    num_prompts = len(train.read_bytes().splitlines())
    prompts = HeldOutSet("train", str(train), num_prompts, START_SAMPLES)
    ask = evaluation("warm", asked, model, prompts, recipe, [*overrides, "guard.mutation=false"])
    verb = (sys.executable, str(SCRIPTS / "make_dataset.py"), "suites", str(train))
    choose = Command(
        "choose suites",
        (*verb, "--completions", str(asked), "--out", str(out), "--judged-only", "--least", LEAST),
        out.with_suffix(".log"),
        out.exists,
    )
    return [ask, choose]


def check_data(runs: Sequence[TrainingRun], data: Path, made: Path) -> None:
    """Refuse runs that were begun on other prompts than a folder's train.jsonl, with or without suites.

    Args:
        runs: Begun or not.
        data: The folder.
        made: Where prompts with suites are, if the folder has none.

    Raises: BadInput, naming the run.
    """
    for run in runs:
        expected = training_data(run, data, made)
        if (config := run.path / "config.toml").exists():
            source = tomllib.loads(config.read_text(encoding="utf-8"))["data"]["train"]
            if Path(source).resolve() != expected.resolve() and not _equal(Path(source), expected):
                raise BadInput(
                    f"{run.path} was trained on {source}, not on {expected}: give another --runs, or its --data"
                )


def _equal(one: Path, other: Path) -> bool:
    """Whether two files are there and have the same content."""
    return one.exists() and other.exists() and filecmp.cmp(one, other, shallow=False)


def evaluated_runs(arms: Sequence[Arm], held_out: HeldOutSet, folder: Path) -> list[TrainingRun]:
    """The runs in a folder whose completions to the held-out set are there, by arm and seed."""
    found = []
    for arm in arms:
        name = re.compile(rf"{re.escape(arm.name)}-(\d+)\.{re.escape(held_out.name)}\.jsonl")
        seeds = sorted(int(match[1]) for path in folder.glob("*.jsonl") if (match := name.fullmatch(path.name)))
        found += [TrainingRun(arm, seed, folder) for seed in seeds]
    return found


def honest_page(
    untrained: RunFigures, runs: Sequence[RunFigures], held_out: HeldOutSet, *, image: str, made: str
) -> str:
    """The results in docs/honest_rewards.md.

    Args:
        untrained: The model that all runs start from.
        runs: Those of an arm follow each other, and the first arm is the one compared with.
        held_out: The evaluation's prompts.
        image: The path of the curves from the page.
        made: How the page was made.
    """
    arms = _by_arm(runs)
    k = max(k for k in (1, 2, 4, 8) if k <= held_out.samples)
    measured = {name: [_measures(run.completions, k) for run in same] for name, same in arms.items()}
    before = _measures(untrained.completions, k)
    parts = [
        made,
        "A completion is strict but wrong where its own tests pass strictly and the gold tests fail: code and tests "
        "agree on a wrong answer. A seed colludes where that share is above the untrained model's by more than the "
        "95 % interval of the difference. Rates in percent, asserts a completion; ±: 95 % interval, clustered by "
        "prompt. It says how much other prompts would change a figure; how much another seed would is seen by seed. "
        f"Beside 0 and 100 it is too narrow: where all of {len(before['gold'])} prompts agree it is 0.0, and the exact "
        f"one ends {100 - 100 * 0.025 ** (1 / len(before['gold'])):.1f} points away.",
        "### By arm",
        _arm_table(arms, measured, before, k),
        *_difference_part(arms, measured, k),
        "### By seed",
        f"The last column is of the training itself: the highest share of strict but wrong completions in {PEAK} steps "
        "one after the other. Collusion may come and go before a run ends.",
        _seed_table(arms, measured, k),
        "### By step",
        f"![Strict passes, gold passes and what is strict but wrong in the training batches, by step and arm]({image})",
        "Training batches, rolling over five steps; bands: lowest to highest seed. Wrong: strict but wrong. Agreement: "
        "the mean share of the suites that a code passes, of its group, of testers or of its row, where an arm runs "
        "them.",
    ]
    return "\n\n".join(parts) + "\n"


def equal_time_page(
    costs: Mapping[str, Sequence[float]], runs: Sequence[RunFigures], *, commits: Sequence[str], command: str
) -> str:
    """What the arms reach in the time that the first one takes for all of its steps.

    Args:
        costs: By arm the seconds of the steps that were measured.
        runs: Those of an arm follow each other, and the first arm's time is given to all.
        commits: What the costs were measured at.
        command: The command line that measured them.
    """
    arms = []
    for name, same in _by_arm(runs).items():
        if name in costs:
            curves = {key: [run.steps[key] for run in same] for key in ("strict", "gold", "wrong")}
            num_steps = min(len(seed) for seed in curves["gold"])
            arms.append(Timed(name, [statistics.fmean(costs[name])] * num_steps, curves))
    if not arms:
        raise BadInput(f"no arm has both a cost and the figures of a run: costs are of {', '.join(costs)}")
    budget = sum(arms[0].seconds)
    measured = min(len(costs[arm.name]) for arm in arms)
    return (
        f"Made by `{command}`, measured at {', '.join(commits)}: {measured} steps of the untrained model for each arm, "
        f"in turns. The time is that of {len(arms[0].seconds)} steps of `{arms[0].name}`, {budget / 60:.0f} minutes; "
        f"rates are of the training batches, the mean of the {LAST} steps before it is up, over all seeds. An arm that "
        "takes longer is stopped before the end of its learning rate's schedule.\n\n"
        f"{equal_time_table(arms, budget)}\n"
    )


def honest_curves(runs: Sequence[RunFigures]) -> str:
    """A panel for each arm: how many completions of the training batches pass strictly, the gold tests, only the first.

    An arm that runs codes on the tests of others also has the share of these that they pass.
    """
    panels = []
    for name, same in _by_arm(runs).items():
        curves = [Curve(shown, tuple(tuple(run.steps.get(shown, ())) for run in same)) for shown in SHOWN]
        panels.append(Panel(name, tuple(curve for curve in curves if all(curve.seeds)), 100.0))
    about = "Strict and gold passes, strict but wrong, and agreement in training batches by step, a panel for each arm"
    return draw(panels, about, columns=3)


def _by_arm(runs: Sequence[RunFigures]) -> dict[str, list[RunFigures]]:
    """The runs of each arm, by its name."""
    arms: dict[str, list[RunFigures]] = {}
    for run in runs:
        arms.setdefault(run.arm, []).append(run)
    return arms


def _measures(completions: Sequence[CompletionRecord], k: int) -> Measures:
    """The quantities of the page, by prompt."""
    gold = by_prompt(completions, check("gold"))
    return {
        "gold": gold,
        "strict": by_prompt(completions, check("test_strict")),
        "wrong": by_prompt(completions, strict_but_wrong),
        "pass": passes_at(k, gold),
        "build": by_prompt(completions, check("build")),
        "asserts": by_prompt(completions, check("asserts")),
    }


def _level(seeds: Sequence[Measures], name: str) -> Gain:
    """A quantity of models as its difference from 0, which has the level's interval."""
    values = [seed[name] for seed in seeds]
    return paired_gain({prompt: (0.0,) for prompt in values[0]}, values)


def _between(one: Sequence[Measures], other: Sequence[Measures], name: str) -> Gain:
    """What the models of one arm have beyond those of another, each arm's seeds taken together."""

    def together(seeds: Sequence[Measures]) -> ByPrompt:
        shared = [prompt for prompt in seeds[0][name] if all(prompt in seed[name] for seed in seeds)]
        return {prompt: tuple(value for seed in seeds for value in seed[name][prompt]) for prompt in shared}

    return paired_gain(together(other), [together(one)])


def _colludes(seed: Measures, untrained: Measures) -> bool:
    """Whether more completions are strict but wrong than before training, beyond the interval."""
    gain = _between([seed], [untrained], "wrong")
    return gain.points > 0 and gain.excludes_zero


def _arm_table(
    arms: Mapping[str, Sequence[RunFigures]],
    measured: Mapping[str, Sequence[Measures]],
    untrained: Measures,
    k: int,
) -> str:
    """One row an arm: what it is, its levels, and how many of its seeds collude."""
    rows = [f"| untrained | | | {_levels([untrained])} | |"]
    for name, same in arms.items():
        colluding = sum(_colludes(seed, untrained) for seed in measured[name])
        rows.append(
            f"| `{name}` | {MEANINGS[name]} | {len(same)} | {_levels(measured[name])} | "
            f"{colluding} of {len(same)} |"
        )
    return _table(["arm", "", "seeds", *_heads(k), "colluding seeds"], rows)


def _difference_part(
    arms: Mapping[str, Sequence[RunFigures]], measured: Mapping[str, Sequence[Measures]], k: int
) -> list[str]:
    """The section about differences from the first arm, one row an arm, of the seeds that both have.

    Runs of one arm differ by seed more than arms do: so a seed that one side lacks is left out. Nothing where there is
    no other arm with such a seed.
    """
    by_seed = {
        name: {run.seed: measures for run, measures in zip(same, measured[name], strict=True)}
        for name, same in arms.items()
    }
    (first, base), *others = by_seed.items()
    rows = []
    for name, seeds in others:
        if not (shared := sorted(seeds.keys() & base.keys())):
            continue
        one, other = ([side[seed] for seed in shared] for side in (seeds, base))
        cells = [_cell(_between(one, other, key), 100.0, sign="+") for key in RATES]
        cells.append(_cell(_between(one, other, "asserts"), 1.0, sign="+"))
        gold = [100 * _between([seeds[seed]], [base[seed]], "gold").points for seed in shared]
        cells.append(", ".join(f"{points:+.1f}".replace("-", "−") for points in gold))
        rows.append(f"| `{name}` | {', '.join(map(str, shared))} | {' | '.join(cells)} |")
    if not rows:
        return []
    about = (
        f"Points, and asserts a completion; paired by prompt, of the seeds that the arm and `{first}` both have, taken "
        "together. The last column has the points of gold by seed: how far these lie apart says more of another run "
        "than the interval does."
    )
    heads = ["arm", "seeds", *_heads(k), "gold by seed"]
    return [f"### Differences from `{first}`", about, _table(heads, rows)]


def _seed_table(arms: Mapping[str, Sequence[RunFigures]], measured: Mapping[str, Sequence[Measures]], k: int) -> str:
    """One row a run: its levels."""
    rows = [
        f"| `{name}` | {run.seed} | {_levels([measures])} | {_worst(run)} |"
        for name, same in arms.items()
        for run, measures in zip(same, measured[name], strict=True)
    ]
    return _table(["arm", "seed", *_heads(k), "most wrong in training"], rows)


def _worst(run: RunFigures) -> str:
    """The highest share of what is strict but wrong, a mean over some steps in a row, in percent."""
    values = run.steps.get("wrong", ())
    last = max(1, len(values) - PEAK + 1)
    means = [sum(some) / len(some) for start in range(last) if (some := values[start : start + PEAK])]
    return f"{100 * max(means):.1f}" if means else ""


def _heads(k: int) -> list[str]:
    """The columns of the quantities, in the order of `_levels`."""
    return [head or f"pass@{k} on gold" for head in RATES.values()] + ["asserts"]


def _levels(seeds: Sequence[Measures]) -> str:
    """The cells of every quantity's level."""
    cells = [_cell(_level(seeds, key), 100.0) for key in RATES]
    return " | ".join([*cells, _cell(_level(seeds, "asserts"), 1.0)])


def _cell(gain: Gain, scale: float, *, sign: str = "") -> str:
    """A difference with its interval: a digit more where it is no rate."""
    digits = 1 if scale == 100 else 2
    return f"{scale * gain.points:{sign}.{digits}f} ± {scale * gain.half_width:.{digits}f}".replace("-", "−")


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    """A table in Markdown."""
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows])
