"""Small charts as inline SVG, without a plotting library.

A chart is a string of elements and classes; `style` gives them colours for light and dark. It holds no scripts and no
style attributes, and the same numbers give the same bytes on any machine. No metric is known here by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grpo_rust.report.scale import Points, compact, rolling_mean, thinned, ticks
from grpo_rust.report.visible import escape

__all__ = ["RunCurve", "Mark", "Series", "dumbbell", "line_chart", "runs_chart", "stacked_chart"]

_WIDTH, _HEIGHT = 320, 118
_LEFT, _TOP, _BOTTOM = 34, 8, 18
_CHARACTER = 5.4  # width of a label's character in the picture's units


class Series(NamedTuple):
    """One line: its points by step, and the label at its end, shown where a chart has several lines."""

    label: str
    points: Points


class Mark(NamedTuple):
    """A measurement with an interval: drawn as a dot with a whisker of `half_width` up and down."""

    x: float
    y: float
    half_width: float | None


class _Frame(NamedTuple):
    """The data's ranges, and the part of the picture that they are drawn in."""

    x: tuple[float, float]
    y: tuple[float, float]
    right: float
    width: float = _WIDTH
    height: float = _HEIGHT
    head: float = _TOP

    def px(self, x: float) -> float:
        """The x coordinate of a value."""
        return _between(x, self.x, (_LEFT, self.width - self.right))

    def py(self, y: float) -> float:
        """The y coordinate of a value; it grows downwards."""
        return _between(y, self.y, (self.height - _BOTTOM, self.head))


def _between(value: float, source: tuple[float, float], target: tuple[float, float]) -> float:
    """Linear map from one range to another; an empty source maps to the middle."""
    span = source[1] - source[0]
    share = (value - source[0]) / span if span else 0.5
    return target[0] + share * (target[1] - target[0])


def _n(value: float) -> str:
    """A coordinate: one decimal, no trailing zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _path(frame: _Frame, points: Points, kind: str) -> str:
    """A polyline; a single point becomes a dot."""
    if len(points) == 1:
        x, y = points[0]
        return f'<circle class="{kind} dot" cx="{_n(frame.px(x))}" cy="{_n(frame.py(y))}" r="2.2"/>'
    steps = "L".join(f"{_n(frame.px(x))} {_n(frame.py(y))}" for x, y in thinned(points))
    return f'<path class="{kind}" d="M{steps}"/>'


def _axes(frame: _Frame) -> str:
    """Lines at round values with their numbers; the first and last step below."""
    parts = []
    for value in ticks(*frame.y):
        y = frame.py(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {_n(y)}H{_n(frame.width - frame.right)}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 5}" y="{_n(y + 3.2)}">{compact(value)}</text>')
    base = frame.height - 4
    first, last = frame.x
    if last > first:
        parts.append(f'<text class="tick" x="{_LEFT}" y="{base}">step {compact(first)}</text>')
    edge = frame.width - frame.right
    parts.append(
        f'<text class="tick end" x="{_n(edge)}" y="{base}">{"" if last > first else "step "}{compact(last)}</text>'
    )
    return "".join(parts)


def _svg(width: float, height: float, label: str, body: str, kind: str = "chart") -> str:
    """The `<svg>` element; `label` is its text alternative."""
    size = f"0 0 {_n(width)} {_n(height)}"
    return f'<svg class="{kind}" viewBox="{size}" role="img" aria-label="{escape(label)}">{body}</svg>'


def _end_labels(frame: _Frame, ends: Sequence[tuple[str, float]]) -> str:
    """Each line's name at its end, moved where names would overlap."""
    order = sorted(range(len(ends)), key=lambda index: frame.py(ends[index][1]))
    places: dict[int, float] = {}
    lowest = frame.head - 9.0
    for index in order:
        lowest = places[index] = max(frame.py(ends[index][1]), lowest + 10)
    overflow = max(0.0, lowest - (frame.height - _BOTTOM + 2))
    x = _n(frame.width - frame.right + 5)
    return "".join(
        f'<text class="name n{index}" x="{x}" y="{_n(places[index] - overflow + 3.2)}">{escape(ends[index][0])}</text>'
        for index in range(len(ends))
    )


def _whiskers(frame: _Frame, marks: Sequence[Mark]) -> str:
    """Dots with whiskers, which end at the frame."""
    parts = []
    for mark in marks:
        x, y = _n(frame.px(mark.x)), frame.py(mark.y)
        if mark.half_width:
            top = max(frame.py(mark.y + mark.half_width), frame.head)
            bottom = min(frame.py(mark.y - mark.half_width), float(frame.height - _BOTTOM))
            parts.append(f'<path class="whisker" d="M{x} {_n(top)}V{_n(bottom)}"/>')
        parts.append(f'<circle class="mark" cx="{x}" cy="{_n(y)}" r="2.6"/>')
    return "".join(parts)


def line_chart(
    series: Sequence[Series],
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float] | None,
    window: int,
    marks: Sequence[Mark] = (),
    label: str,
) -> str:
    """Lines over steps: a faint one for the values, a strong one for their rolling mean.

    Args:
        series: One to five lines of colours of their own, and more in the first colour; none empty.
        x_range: First and last step, the same for every chart of a page so that they can be compared.
        y_range: The vertical range; None takes zero and the data.
        window: Steps in the rolling mean; 1 draws the values alone.
        marks: Evaluations, drawn over the lines.
        label: The text alternative.

    Returns: an `<svg>` element.
    """
    values = [y for line in series for _, y in line.points] + [mark.y for mark in marks]
    y_range = y_range or _data_range(values)
    several = len(series) > 1
    right = 8 + _CHARACTER * max(len(line.label) for line in series) if several else 8
    frame = _Frame(x_range, y_range, right)
    raw, smooth, ends = [], [], []
    for index, line in enumerate(series):
        means = rolling_mean([y for _, y in line.points], window)
        smoothed = [(x, mean) for (x, _), mean in zip(line.points, means, strict=True)]
        if window > 1 and len(line.points) > 1:
            raw.append(_path(frame, line.points, f"raw c{index}"))
        smooth.append(_path(frame, smoothed, f"line c{index}"))
        ends.append((line.label, means[-1]))
    names = _end_labels(frame, ends) if several else ""
    return _svg(_WIDTH, _HEIGHT, label, "".join([_axes(frame), *raw, *smooth, _whiskers(frame, marks), names]))


def _data_range(values: Sequence[float]) -> tuple[float, float]:
    """From zero to the data's extreme, with a margin; never empty."""
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        return 0.0, 1.0
    air = (high - low) * 0.04
    return low - (air if low < 0 else 0), high + (air if high > 0 else 0)


def stacked_chart(
    x_range: tuple[float, float], bars: Sequence[tuple[float, float, Sequence[float]]], *, top: float, label: str
) -> str:
    """Stacked bars over steps, one colour a part; a bar that is higher than `top` is cut, and its height written there.

    Args:
        x_range: First and last step.
        bars: For each bar its first and last step and the height of each part, bottom first.
        top: The end of the vertical range, in the unit of the heights.
        label: The text alternative.

    Returns: an `<svg>` element, twice as wide as a line chart.
    """
    width, height = 2 * _WIDTH + 24, _HEIGHT + 30
    limit = top * (1 + 1e-9)  # a sum of shares is not exactly 1
    cut = any(sum(heights) > limit for _, _, heights in bars)
    frame = _Frame((x_range[0] - 0.5, x_range[1] + 0.5), (0.0, top), 8, width, height, 14 if cut else _TOP)
    paths: dict[int, list[str]] = {}
    notes = []
    for first, last, heights in bars:
        left, right = frame.px(first - 0.5), frame.px(last + 0.5)
        right -= min(1.0, (right - left) * 0.15)
        floor = 0.0
        for index, part in enumerate(heights):
            ceiling = min(top, floor + part)
            if ceiling > floor:
                box = f"M{_n(left)} {_n(frame.py(floor))}V{_n(frame.py(ceiling))}H{_n(right)}V{_n(frame.py(floor))}z"
                paths.setdefault(index, []).append(box)
            floor = ceiling
        if sum(heights) > limit:
            notes.append((left, right, sum(heights)))
    drawn = "".join(f'<path class="part p{index}" d="{"".join(paths[index])}"/>' for index in sorted(paths))
    axis = _axes(frame._replace(x=x_range))
    return _svg(width, height, label, axis + drawn + _cut_notes(frame, notes), "chart wide")


def _cut_notes(frame: _Frame, notes: Sequence[tuple[float, float, float]]) -> str:
    """The full height above each bar that was cut, where there is room to write it."""
    parts, free = [], 0.0
    for left, right, total in notes:
        text = f"↑{compact(total)}"
        start = min(left, frame.width - 8 - len(text) * _CHARACTER)
        if start >= free:
            parts.append(f'<text class="tick" x="{_n(start)}" y="{_n(frame.head - 3)}">{text}</text>')
            free = start + (len(text) + 1) * _CHARACTER
    return "".join(parts)


def dumbbell(before: Mark | None, after: Mark | None, top: float, label: str) -> str:
    """Two values on a scale from 0 to `top`: a hollow dot before, a full dot after, each on a band for its interval."""
    width, height = 180, 20

    def px(value: float) -> float:
        return _between(min(max(value, 0.0), top), (0.0, top), (5, width - 5))

    parts = [f'<path class="grid" d="M5 10H{width - 5}M5 7v6M{width - 5} 7v6"/>']
    if before and after:
        parts.append(f'<path class="change" d="M{_n(px(before.y))} 10H{_n(px(after.y))}"/>')
    drawn = [(mark, kind) for mark, kind in ((before, "before"), (after, "after")) if mark]
    for mark, _ in drawn:
        if mark.half_width:
            left, right = px(mark.y - mark.half_width), px(mark.y + mark.half_width)
            parts.append(f'<path class="band" d="M{_n(left)} 10H{_n(right)}"/>')
    parts += [f'<circle class="{kind}" cx="{_n(px(mark.y))}" cy="10" r="3.6"/>' for mark, kind in drawn]
    return _svg(width, height, label, "".join(parts), "dumbbell")


class RunCurve(NamedTuple):
    """One of several runs in one picture: its smoothed line, a band around it, and its measurements."""

    label: str
    points: Points
    band: Sequence[tuple[float, float, float]] = ()  # x, low, high
    marks: Sequence[Mark] = ()


def runs_chart(curves: Sequence[RunCurve], *, y_range: tuple[float, float] | None = None, label: str) -> str:
    """Lines of several runs over their steps, each in the colour of its place, with bands and whiskers.

    Args:
        curves: Up to six; one without points and marks is left out and keeps its colour.
        y_range: The vertical range; None takes zero and the data, bands not counted.
        label: The text alternative.

    Returns: an `<svg>` element.
    """
    places = [(x, y) for curve in curves for x, y in curve.points]
    places += [(mark.x, mark.y) for curve in curves for mark in curve.marks]
    steps = [x for x, _ in places] or [0.0]
    frame = _Frame((min(steps), max(steps)), y_range or _data_range([y for _, y in places] or [0.0]), 8)
    bands, lines = [], []
    low, high = frame.y
    for index, curve in enumerate(curves):
        if curve.band:
            edge = [(x, min(max(y, low), high)) for x, _, y in curve.band]
            edge += [(x, min(max(y, low), high)) for x, y, _ in reversed(curve.band)]
            steps_ = "L".join(f"{_n(frame.px(x))} {_n(frame.py(y))}" for x, y in edge)
            bands.append(f'<path class="spread c{index}" d="M{steps_}Z"/>')
        if curve.points:
            lines.append(_path(frame, curve.points, f"line c{index}"))
        if curve.marks:
            lines.append(f'<g class="of c{index}">{_whiskers(frame, curve.marks)}</g>')
    return _svg(_WIDTH, _HEIGHT, label, "".join([_axes(frame), *bands, *lines]))
