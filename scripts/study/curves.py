"""Metrics of several runs by step, as one SVG file for light and dark that needs no script and no font.

Each panel shows one metric: for each arm a line for the mean of its seeds, smoothed over steps, and a band from the
lowest seed to the highest. A point is the metric of a training batch.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from grpo_rust.report.scale import compact, rolling_mean, ticks

__all__ = ["Curve", "Panel", "draw", "read_curve"]

WIDTH, HEIGHT = 316.0, 230.0  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 38.0, 78.0, 34.0, 30.0  # to the right a label of nine letters
SMOOTHING = 5  # steps in a rolling mean
STYLE = """
text{font:11px "Helvetica Neue",Helvetica,Arial,sans-serif;fill:#6d6a60}
.title{font-size:13px;font-weight:600;fill:#21201c}.grid{stroke:#dedace}
.c0{stroke:#1f5d8c;fill:#1f5d8c}.c1{stroke:#8d887d;fill:#8d887d}.c2{stroke:#b3562d;fill:#b3562d}.c3{stroke:#3f7d4e;fill:#3f7d4e}
path.line{fill:none;stroke-width:2;stroke-linejoin:round}.band{stroke:none;opacity:.18}
text.c0,text.c1,text.c2,text.c3{stroke:none;font-weight:600}
@media (prefers-color-scheme:dark){text{fill:#a09b8d}.title{fill:#e9e6dc}.grid{stroke:#3a3832}
.c0{stroke:#7db8e2;fill:#7db8e2}.c1{stroke:#a8a397;fill:#a8a397}.c2{stroke:#e39a6f;fill:#e39a6f}.c3{stroke:#8cc79b;fill:#8cc79b}}
"""


@dataclass(frozen=True)
class Curve:
    """An arm: for each of its seeds the values of the steps 1, 2, 3 ..."""

    label: str
    seeds: tuple[tuple[float, ...], ...]

    def smooth(self) -> list[list[float]]:
        """The rolling mean of each seed, cut to the length of the shortest."""
        length = min(map(len, self.seeds))
        return [rolling_mean(seed[:length], SMOOTHING) for seed in self.seeds]


@dataclass(frozen=True)
class Panel:
    """One metric of all arms; `scale` is 100 for a rate shown in percent."""

    title: str
    curves: tuple[Curve, ...]
    scale: float = 1.0


def read_curve(label: str, logs: Sequence[Path], key: str) -> Curve:
    """A metric from the `metrics.jsonl` of several runs."""
    seeds = []
    for log in logs:
        steps: list[Mapping[str, float]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        seeds.append(tuple(step[key] for step in steps if step.get(key) is not None))
    return Curve(label, tuple(seeds))


def draw(panels: Sequence[Panel], description: str, *, columns: int = 0) -> str:
    """The text of the file, with the panels side by side, or so many in a row."""
    columns = min(columns or len(panels), len(panels))
    width, height = WIDTH * columns, HEIGHT * -(-len(panels) // columns)
    body = "".join(
        f'<g transform="translate({number % columns * WIDTH:g} {number // columns * HEIGHT:g})">{_panel(panel)}</g>'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img"><title>{escape(description)}</title><style>{STYLE}</style>{body}</svg>\n'
    )


@dataclass(frozen=True)
class _Frame:
    """Maps steps (from 0) and values to the coordinates of a panel."""

    last_step: int
    scale: float
    top: float  # of the vertical axis, in shown units

    def x(self, step: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step / max(1, self.last_step))

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value * self.scale / (self.top or 1.0)


def _panel(panel: Panel) -> str:
    """Title, axes, bands, lines and their names."""
    smooth = [(curve, curve.smooth()) for curve in panel.curves]
    values = [value for _, seeds in smooth for seed in seeds for value in seed]
    top = 100.0 if panel.scale == 100 else max(values) * panel.scale  # a rate is shown on the whole of its range
    marks = ticks(0.0, top)
    frame = _Frame(max(len(seeds[0]) for _, seeds in smooth) - 1, panel.scale, max(top, marks[-1]))
    parts = [f'<text class="title" x="{LEFT:g}" y="18">{escape(panel.title)}</text>', _axes(frame, marks)]
    ends = []
    for number, (curve, seeds) in enumerate(smooth):
        drawn, end = _curve(frame, number, seeds)
        parts.append(drawn)
        ends.append((end, number, curve.label))
    return "".join(parts) + _names(ends)


def _axes(frame: _Frame, marks: Sequence[float]) -> str:
    """Lines at round values with their numbers; the first and last step below."""
    parts = []
    unit = "%" if frame.scale == 100 else ""
    for mark in marks:
        height = frame.y(mark / frame.scale)
        parts.append(f'<path class="grid" d="M{LEFT:g} {height:.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text x="{LEFT - 6:g}" y="{height + 4:.1f}" text-anchor="end">{compact(mark)}{unit}</text>')
    parts.append(f'<text x="{LEFT:g}" y="{HEIGHT - 10:g}">step 1</text>')
    last = frame.last_step + 1
    parts.append(f'<text x="{WIDTH - RIGHT:g}" y="{HEIGHT - 10:g}" text-anchor="end">{last}</text>')
    return "".join(parts)


def _curve(frame: _Frame, number: int, seeds: Sequence[Sequence[float]]) -> tuple[str, float]:
    """The band and the line of an arm, and the height at which the line ends."""
    columns = list(zip(*seeds, strict=True))
    means = [statistics.fmean(column) for column in columns]
    upper = [f"{frame.x(step):.1f} {frame.y(max(column)):.1f}" for step, column in enumerate(columns)]
    lower = [f"{frame.x(step):.1f} {frame.y(min(column)):.1f}" for step, column in enumerate(columns)]
    line = [f"{frame.x(step):.1f} {frame.y(mean):.1f}" for step, mean in enumerate(means)]
    band = f'<path class="band c{number}" d="M{"L".join(upper + lower[::-1])}Z"/>'
    return band + f'<path class="line c{number}" d="M{"L".join(line)}"/>', frame.y(means[-1])


def _names(ends: Sequence[tuple[float, int, str]]) -> str:
    """The arms' names at the ends of their lines, moved where they would overlap."""
    parts = []
    lowest = TOP - 14
    for height, number, label in sorted(ends):
        lowest = max(height, lowest + 14)
        parts.append(f'<text class="c{number}" x="{WIDTH - RIGHT + 5:g}" y="{lowest + 4:.1f}">{escape(label)}</text>')
    return "".join(parts)
