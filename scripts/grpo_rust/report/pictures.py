"""Which of a run's metrics are drawn, and the sentence under each picture that explains it.

The sentences are those of `grpo.run.metrics`. A picture without data is not drawn; a metric that has the same value at
every step is named in a line of text instead.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from grpo.run.metrics import METRICS, Metric, explain
from grpo_rust.checks import CHECK_LABELS
from grpo_rust.report.by_task import names_by_task
from grpo_rust.report.charts import Mark, Series, line_chart, stacked_chart
from grpo_rust.report.reading import CompletionIndex, RunFiles, number
from grpo_rust.report.scale import compact, rolling_mean
from grpo_rust.report.visible import escape, shortened
from sandbox.terminal import counted

__all__ = ["OUTCOMES", "legend", "pictures", "sections", "usual_window"]

_MOST_PICTURES = 40  # of one section: a rubric has ten functions, not hundreds
_MOST_BARS = 90
OUTCOMES = (  # of a verdict, from the best to the worst; unknown ones are counted as "other"
    "passed",
    "lint_error",
    "no_tests",
    "test_failed",
    "untrusted",
    "forged",
    "test_build_error",
    "build_error",
    "timeout",
    "out_of_memory",
    "no_code",
    "host_error",
    "other",
)
# What a step waits for. Sampling itself ("generate") is not among it: with overlap it runs beside the update.
_TIMES = ("wait_engine", "wait_rewards", "train", "sync", "eval")


class _Plot(NamedTuple):
    """One picture of a section: its title and the metric keys it draws."""

    title: str
    keys: tuple[str, ...]
    always: bool = False  # drawn even when it has one value at all steps
    smooth: bool = True


_LENGTHS = (
    _Plot("length", ("completion/length_mean", "completion/length_max"), True),
    _Plot("truncated", ("completion/truncated",), True),
    _Plot("zero-std groups", ("groups/zero_std",), True),
    _Plot("unscored", ("reward/unscored",)),
)
_POLICY = (
    _Plot("entropy", ("policy/entropy",), True),
    _Plot("KL to the reference", ("kl/reference",), True),
    _Plot("clipped tokens", ("policy/clipped_low", "policy/clipped_high")),
    _Plot("gradient norm", ("optim/grad_norm",), True),
    _Plot("largest ratio", ("policy/ratio_max",)),
    _Plot("loss", ("loss/total",)),
    _Plot("sampler gap", ("policy/sampler_gap",)),
    _Plot("staleness", ("policy/staleness",)),
    _Plot("learning rate", ("optim/lr",), smooth=False),
    _Plot("loss scale", ("optim/loss_scale",), smooth=False),
    _Plot("skipped steps", ("optim/skipped",), smooth=False),
)
_SPEED = (
    _Plot("tokens per second", ("throughput/tokens_per_s",), True),
    _Plot("completions per second", ("throughput/completions_per_s",), True),
    _Plot("idle share", ("idle/engine", "idle/sandbox", "idle/trainer"), True),
)


def _meaning(key: str) -> Metric:
    """The row of the metric table; a key that it does not explain belongs to a reward function of any name."""
    try:
        return explain(key)
    except KeyError:
        return METRICS["reward/<function>"] if key.startswith("reward/") else Metric("not in the metric table", "?")


class _Figures:
    """Draws plots over one run, with one x axis and one smoothing window for all."""

    def __init__(self, run: RunFiles, window: int | None = None) -> None:
        self._run = run
        steps = [record["step"] for record in (*run.steps, *run.evals)]
        self.x_range = (float(min(steps)), float(max(steps))) if steps else (0.0, 0.0)
        self.window = window or usual_window(len(run.steps))
        self.drawn: set[str] = set()
        self._points: dict[str, list[tuple[float, float]]] = {}

    def points(self, key: str) -> list[tuple[float, float]]:
        """The metric's finite values by step."""
        if key not in self._points:
            self._points[key] = self._read(key)
        return self._points[key]

    def _read(self, key: str) -> list[tuple[float, float]]:
        """The same, from the run."""
        records = self._run.evals if key == "time/eval" else self._run.steps
        found = ((record["step"], number(record.get(key))) for record in records)
        return [(step, value) for step, value in found if value is not None]

    def marks(self, key: str) -> list[Mark]:
        """The values of the evaluations that measure the same as a metric of the training batches."""
        twin = self._run.twin(key)
        found = [(record["step"], number(record.get(twin)), record) for record in self._run.evals] if twin else []
        return [
            Mark(step, value, number(record.get(f"{twin}_ci95"))) for step, value, record in found if value is not None
        ]

    def figure(self, plot: _Plot, *, noted: bool) -> str:
        """The picture of one plot, with or without its note; empty where the run has no such numbers."""
        series = [(key, self.points(key)) for key in plot.keys]
        series = [(key, points) for key, points in series if points]
        if not series:
            return ""
        self.drawn.update(key for key, _ in series)
        lines = [Series(_line_name(key), points) for key, points in series]
        marks = self.marks(series[0][0])
        window = self.window if plot.smooth else 1
        trend = (f"{lines[0].label} " if len(lines) > 1 else "") + _trend([y for _, y in lines[0].points], window)
        values = [value for _, points in series for _, value in points] + [mark.y for mark in marks]
        svg = line_chart(
            lines,
            x_range=self.x_range,
            y_range=(0.0, 1.0) if _is_rate(series[0][0], values) else None,
            window=window,
            marks=marks,
            label=f"{plot.title}: {trend}",
        )
        return _figure(plot.title, trend, svg, self.note(plot) if noted else "")

    def note(self, plot: _Plot) -> str:
        """How to read a plot: what its metrics mean, and their units."""
        metrics = dict.fromkeys(_meaning(key) for key in plot.keys if self.points(key))
        return "; ".join(f"{metric.meaning} ({metric.unit})" for metric in metrics)

    def section(self, title: str, plots: Iterable[_Plot], extra: str = "") -> str:
        """A heading with its pictures; the metrics with one value at all steps are named below them."""
        moving, still = [], []
        for plot in plots:
            values = {value for key in plot.keys for _, value in self.points(key)}
            if len(values) == 1 and len(self._run.steps) > 1 and not plot.always:
                still.append(f"{escape(plot.title)} {compact(values.pop())}")
                self.drawn.update(plot.keys)
            elif values:
                moving.append(plot)
        counts = Counter(self.note(plot) for plot in moving)
        shared = next((note for note, count in counts.most_common(1) if count > 1), "")
        figures = "".join(self.figure(plot, noted=self.note(plot) != shared) for plot in moving[:_MOST_PICTURES])
        extra += f'<p class="legend">Where a picture has no note of its own: {escape(shared)}.</p>' if shared else ""
        if len(moving) > _MOST_PICTURES:
            still.append(f"{len(moving) - _MOST_PICTURES} more metrics are not drawn")
            self.drawn.update(key for plot in moving for key in plot.keys)
        if not (figures or extra or still):
            return ""
        note = f'<p class="still">The same at every step: {"; ".join(still)}.</p>' if still else ""
        return f'<h3>{escape(title)}</h3>{extra}<div class="panels">{figures}</div>{note}'


def _figure(title: str, trend: str, svg: str, note: str, kind: str = "panel", key: str = "") -> str:
    """One picture with its title, its first and last value, and how to read it."""
    shown = escape(shortened(title, 120)[0])
    head = f'<figcaption><b>{shown}</b> <span class="trend">{escape(trend)}</span></figcaption>'
    said = f'<p class="read">{escape(note)}</p>' if note else ""
    return f'<figure class="{kind}">{head}{svg}{key}{said}</figure>'


def _line_name(key: str) -> str:
    """What tells a line from the others of its picture: the task, or the last word of the metric."""
    return key.split("/")[1] if key.startswith("task/") else key.rsplit("_", 1)[-1]


def _trend(values: Sequence[float], window: int) -> str:
    """The first and the last smoothed value of a line."""
    if len(values) == 1:
        return compact(values[0])
    start = math.fsum(values[:window]) / len(values[:window])
    return f"{compact(start)} → {compact(rolling_mean(values, window)[-1])}"


def _is_rate(key: str, values: Sequence[float]) -> bool:
    """Whether a metric is drawn on the whole scale from 0 to 1; small shares such as clipped tokens are not."""
    name = key.rsplit("/", 1)[-1] if key.startswith("task/") else key.removeprefix("check/")
    return (name in CHECK_LABELS or key in ("groups/zero_std", "completion/truncated")) and all(
        0 <= v <= 1 for v in values
    )


def _reward_plots(run: RunFiles, keys: Sequence[str]) -> list[_Plot]:
    """The weighted sum first, then each function with its weight."""
    section = run.config.get("rewards")
    weights = section.get("weights") if isinstance(section, dict) else None
    plots = [_Plot("weighted sum", ("reward/mean",), True)]
    for key in keys:
        if key.startswith("reward/") and key not in ("reward/mean", "reward/std", "reward/unscored"):
            name = key.removeprefix("reward/")
            weight = number(weights.get(name)) if isinstance(weights, dict) else None
            plots.append(_Plot(name if weight is None else f"{name} × {compact(weight)}", (key,), True))
    return plots


def _check_plots(keys: Sequence[str]) -> list[_Plot]:
    """The pass rates in the order in which a program earns them, then the grader's other checks."""
    names = [key.removeprefix("check/") for key in keys if key.startswith("check/")]
    ordered = [name for name in CHECK_LABELS if name in names] + [name for name in names if name not in CHECK_LABELS]
    return [_Plot(name, (f"check/{name}",), True) for name in ordered]


def _task_plots(keys: Sequence[str]) -> list[_Plot]:
    """One picture for what is measured of tasks, with a line a task: the reward, pass rates, then the rest."""
    found = names_by_task(keys)
    first = [name for name in ("reward_mean", *CHECK_LABELS) if name in found]
    return [_Plot(name, tuple(found[name].values()), True) for name in dict.fromkeys([*first, *found])]


def _bins(steps: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of steps, at most as many as a picture has room for bars."""
    if not steps:
        return []
    size = math.ceil((max(steps) - min(steps) + 1) / _MOST_BARS)
    starts = range(min(steps), max(steps) + 1, size)
    return [(start, min(start + size - 1, max(steps))) for start in starts]


def _key(names: Sequence[str], amounts: Sequence[float], unit: str) -> str:
    """The legend of a stack: each colour's name, with its amount and share over the whole run."""
    total = math.fsum(amounts) or 1.0
    items = "".join(
        f'<li><i class="swatch p{index}"></i>{escape(name)} <b>{amount / total:.0%}</b> '
        f"<small>{compact(amount)}{unit}</small></li>"
        for index, (name, amount) in enumerate(zip(names, amounts, strict=True))
        if amount > 0
    )
    return f'<ul class="key">{items}</ul>'


def _time_picture(figures: _Figures) -> str:
    """Where each step's seconds went, stacked."""
    parts = [dict(figures.points(f"time/{name}")) for name in _TIMES]
    figures.drawn.update(f"time/{name}" for name in _TIMES)
    bars = []
    for first, last in _bins([int(step) for part in parts for step in part]):
        steps = [step for step in range(first, last + 1) if any(step in part for part in parts)]
        if steps:
            bars.append((first, last, [sum(part.get(step, 0.0) for step in steps) / len(steps) for part in parts]))
    if not bars:
        return ""
    totals = [sum(part.values()) for part in parts]
    # An evaluation lasts as long as many steps: its bar is cut, or the steps beside it would be too low to see.
    top = min(max(sum(h) for _, _, h in bars), 2.5 * max(sum(h[:-1]) for _, _, h in bars) or math.inf) or 1.0
    span = (float(bars[0][0]), float(bars[-1][1]))
    label = "seconds a step, stacked: " + ", ".join(_TIMES)
    svg = stacked_chart(span, bars, top=top * 1.02, label=label)
    note = "; ".join(f"{name}: {METRICS[f'time/{name}'].meaning}" for name, total in zip(_TIMES, totals) if total > 0)
    key = _key(_TIMES, totals, " s")
    value = f"{compact(sum(totals))} s in all{_warm_up(figures)}"
    return _figure("seconds a step", value, svg, note, "panel wide times", key)


def _warm_up(figures: _Figures) -> str:
    """The time of the first step, in which engines warm up, and that of the others."""
    first, *others = [seconds for _, seconds in figures.points("time/step")] or [0.0]
    return f"; the first step {compact(first)} s, then {compact(statistics.median(others))} s" if others else ""


def _outcomes(completions: Sequence[CompletionIndex]) -> dict[int, Counter[str]]:
    """The outcomes of the training completions, for each step."""
    found: dict[int, Counter[str]] = {}
    for completion in completions:
        if completion.phase == "train":
            found.setdefault(completion.step, Counter())[completion.outcome] += 1
    return found


def _outcome_picture(outcomes: Mapping[int, Counter[str]]) -> str:
    """How the training completions were graded, as shares of each step."""
    by_step: dict[int, Counter[str]] = {}
    for step, graded in outcomes.items():
        for outcome, count in graded.items():
            by_step.setdefault(step, Counter())[outcome if outcome in OUTCOMES else "other"] += count
    totals: Counter[str] = sum(by_step.values(), Counter())
    if not totals:
        return ""
    bars = []
    for first, last in _bins(list(by_step)):
        counts: Counter[str] = sum((by_step.get(step, Counter()) for step in range(first, last + 1)), Counter())
        if counts:
            bars.append((first, last, [counts[name] / counts.total() for name in OUTCOMES]))
    span = (float(bars[0][0]), float(bars[-1][1]))
    svg = stacked_chart(span, bars, top=1.0, label="how completions ended, shares of each step")
    note = "Share of the step's training completions by the outcome of their grading, the best at the bottom (0..1)."
    key = _key(OUTCOMES, [float(totals[name]) for name in OUTCOMES], "")
    return _figure(
        "how completions ended", counted(totals.total(), "completion"), svg, note, "panel wide outcomes", key
    )


def sections(
    run: RunFiles,
    only: Sequence[str] = (),
    *,
    window: int | None = None,
    outcomes: Mapping[int, Counter[str]] | None = None,
) -> dict[str, str]:
    """The pictures of a run as HTML by the title of their section; no sections where no step has been logged.

    Args:
        run: The run.
        only: Titles of the sections to draw; none for all. "Other" has the metrics of no other section.
        window: Steps in the rolling mean; None takes `usual_window`.
        outcomes: The outcomes of the training completions, for each step; None counts `run.completions`.
    """
    if not run.steps:
        return {}
    figures = _Figures(run, window)
    keys = list(dict.fromkeys(key for record in run.steps for key in record if key != "step"))

    def rest() -> str:
        return figures.section("Other", [_Plot(key, (key,)) for key in keys if key not in figures.drawn])

    def rates() -> str:
        counted = _outcomes(run.completions) if outcomes is None else outcomes
        return figures.section("Pass rates", _check_plots(keys), _outcome_picture(counted))

    drawn: dict[str, Callable[[], str]] = {
        "Rewards": lambda: figures.section("Rewards", _reward_plots(run, keys)),
        "Pass rates": rates,
        "By task": lambda: figures.section("By task", _task_plots(keys)),
        "Lengths and groups": lambda: figures.section("Lengths and groups", _LENGTHS),
        "The policy": lambda: figures.section("The policy", _POLICY),
        "Time": lambda: figures.section("Time", _SPEED, _time_picture(figures)),
        "Other": rest,
    }
    wanted = drawn if not only or "Other" in only else only
    found = {title: drawn[title]() for title in wanted}
    return {title: found[title] for title in only or found}


def usual_window(steps: int) -> int:
    """Steps in the rolling mean of a run of so many steps: an eighth of it, at most 50."""
    return max(1, min(50, steps // 8))


def pictures(run: RunFiles) -> str:
    """Every picture of a run as HTML, section by section.

    Returns: the fragment; a sentence where no step has been logged.
    """
    drawn = sections(run)
    if not drawn:
        return "<p>No step has been logged yet.</p>"
    rest = drawn.pop("Other")
    other = f"<details><summary>The other metrics</summary>{rest}</details>" if rest else ""
    return legend(run, usual_window(len(run.steps))) + "".join(drawn.values()) + other


def legend(run: RunFiles, window: int) -> str:
    """How to read the lines of the pictures."""
    evaluated = " Dots with whiskers: evaluations and their 95 % interval." if run.evals else ""
    smooth = f"Strong line: mean over the last {window} steps; faint line: each step."
    lines = smooth if window > 1 else "Line: each step."
    return f'<p class="legend">{lines}{evaluated}</p>'
