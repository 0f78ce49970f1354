"""Two to six runs side by side: the same metric of each in one picture, and their last evaluations in one table.

Bands are 95 % intervals of the rolling mean: 1.96 standard errors of the window's steps, taken as independent. Dots
with whiskers are evaluations with the interval that `evals.jsonl` has. A difference of two evaluations takes them as
independent too, although both ask the same prompts: the true interval is usually narrower.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dashboard_app.markup import Markup, element, joined, trusted
from grpo.run.metrics import explain
from grpo_rust.checks import CHECK_LABELS
from grpo_rust.report.charts import Mark, RunCurve, runs_chart
from grpo_rust.report.reading import RunFiles, number
from grpo_rust.report.scale import MOST_POINTS, compact, rolling_mean

__all__ = ["comparison", "curve_of", "key_of", "last_evaluations"]

Z = 1.96  # of a 95 % interval
_KEYS = (
    "reward/mean",
    *(f"check/{name}" for name in CHECK_LABELS if name != "gold_applicable"),
    "check/asserts",
    "completion/length_mean",
    "completion/truncated",
    "groups/zero_std",
    "policy/entropy",
    "kl/reference",
    "optim/grad_norm",
    "throughput/tokens_per_s",
    "idle/engine",
    "idle/sandbox",
    "idle/trainer",
    "time/step",
)
_MEASURED = (*CHECK_LABELS, "reward_mean", "asserts", "length_mean")


def curve_of(run: RunFiles, label: str, key: str, window: int) -> RunCurve:
    """One metric of a run, smoothed, with its interval and its evaluations.

    Args:
        run: The run.
        label: What it is called beside others.
        key: A metric of a step.
        window: Steps in the rolling mean.
    """
    found = [(float(line["step"]), number(line.get(key))) for line in run.steps]
    points = [(step, value) for step, value in found if value is not None]
    values = [value for _, value in points]
    means = rolling_mean(values, window)
    smooth = [(step, mean) for (step, _), mean in zip(points, means, strict=True)]
    halves = [_half(values[max(0, index - window + 1) : index + 1]) for index in range(len(values))]
    band = [(x, mean - half, mean + half) for (x, mean), half in zip(smooth, halves, strict=True) if half is not None]
    twin = run.twin(key)
    marks = [
        Mark(float(line["step"]), value, number(line.get(f"{twin}_ci95")))
        for line in run.evals
        if twin and (value := number(line.get(twin))) is not None
    ]
    return RunCurve(label, smooth, _every(band), marks)


def _half(values: Sequence[float]) -> float | None:
    """Half the 95 % interval of a mean; None for less than two values.

    >>> _half([1.0, 3.0])  # 1.96 * sqrt(2) / sqrt(2)
    1.96
    """
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Z * math.sqrt(variance / len(values))


def _every(band: Sequence[tuple[float, float, float]]) -> Sequence[tuple[float, float, float]]:
    """At most as many points of a band as a picture has room for."""
    size = math.ceil(len(band) / MOST_POINTS) or 1
    return band if size == 1 else [*band[::size], band[-1]]


def comparison(runs: Mapping[str, RunFiles], window: int) -> Markup:
    """The pictures of several runs, one a metric that at least one of them has.

    Args:
        runs: By their labels, in the order of their colours.
        window: Steps in the rolling mean.
    """
    figures = []
    for key in _KEYS:
        curves = [curve_of(run, label, key, window) for label, run in runs.items()]
        if any(curve.points or curve.marks for curve in curves):
            figures.append(_figure(key, curves))
    if not figures:
        return element("p", "No step has been logged yet.", kind="still")
    smooth = f"mean over the last {window} steps. Band: its 95 % interval, the steps taken as independent"
    line = smooth if window > 1 else "each step"
    note = f"Line: {line}. Dots with whiskers: evaluations with their 95 % interval."
    return joined([key_of(list(runs)), element("p", note, kind="legend"), element("div", *figures, kind="panels")])


def key_of(labels: Sequence[str]) -> Markup:
    """The legend: each run's colour."""
    items = [element("li", element("i", kind=f"swatch r{index}"), label) for index, label in enumerate(labels)]
    return element("ul", *items, kind="key runs")


def _figure(key: str, curves: Sequence[RunCurve]) -> Markup:
    """One picture with the last value of each run."""
    values = [curve.points[-1][1] if curve.points else curve.marks[-1].y if curve.marks else None for curve in curves]
    rate = explain(key).unit == "0..1" or key.removeprefix("check/") in CHECK_LABELS
    last = joined(
        element("b", "–" if value is None else compact(value), kind=f"t{index}") for index, value in enumerate(values)
    )
    svg = runs_chart(curves, y_range=(0.0, 1.0) if rate else None, label=key)
    head = element("figcaption", element("b", key), element("span", last, kind="trend"))
    return element("figure", head, trusted(svg), kind="panel")


def last_evaluations(runs: Mapping[str, RunFiles]) -> Markup:
    """The last evaluation of each run with its intervals, and its difference from the first run's."""
    lines = {label: run.evals[-1] for label, run in runs.items() if run.evals}
    if not lines:
        return element("p", "No evaluation has been written yet.", kind="still")
    first = next(iter(lines))
    heads = [element("th", f"{label}, step {line['step']}") for label, line in lines.items()]
    rows = []
    for name in _MEASURED:
        values = {label: _measured(line, name) for label, line in lines.items()}
        if not any(values.values()):
            continue
        scale = 100.0 if name in CHECK_LABELS else 1.0
        cells = [
            element("td", _shown(value, scale), _change(values[first], value, scale) if label != first else None)
            for label, value in values.items()
        ]
        rows.append(element("tr", element("th", CHECK_LABELS.get(name, name.replace("_", " "))), *cells))
    table = element("table", element("thead", element("tr", element("th"), *heads)), element("tbody", *rows))
    note = "±: half width of the 95 % interval, clustered by prompt. In brackets: the difference from the first run."
    return joined([element("div", table, kind="scroll evaluated"), element("p", note, kind="read")])


def _measured(line: Mapping[str, object], name: str) -> Mark | None:
    """One quantity of an evaluation."""
    value = number(line.get(f"eval/{name}"))
    return None if value is None else Mark(0.0, value, number(line.get(f"eval/{name}_ci95")))


def _shown(mark: Mark | None, scale: float) -> str:
    """A value with its interval."""
    if mark is None:
        return "–"
    half = f" ±{mark.half_width * scale:.1f}" if mark.half_width is not None else ""
    return f"{mark.y * scale:.1f}{'%' if scale == 100 else ''}{half}"


def _change(first: Mark | None, other: Mark | None, scale: float) -> Markup | None:
    """The difference of two evaluations with its interval; None where one is missing."""
    if first is None or other is None:
        return None
    halves = [half for half in (first.half_width, other.half_width) if half is not None]
    half = f" ±{math.hypot(*halves) * scale:.1f}" if len(halves) == 2 else ""
    difference = f"{(other.y - first.y) * scale:+.1f}".replace("-", "−")
    return element("small", f" ({difference}{half})")
