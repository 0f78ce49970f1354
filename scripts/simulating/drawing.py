"""Outcomes by the number of GPUs as one SVG file for light and dark: completions an hour, and what idles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from grpo_rust.report.scale import compact
from simulating.outcome import SimulatedOutcome
from study.curves import STYLE

__all__ = ["draw_sizes"]

WIDTH, HEIGHT = 380.0, 240.0  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 46.0, 88.0, 34.0, 34.0
CHARACTER = 6.5  # width of a digit below the axis
IDLE = ("trainer", "engines", "workers")


def draw_sizes(outcomes: Sequence[SimulatedOutcome], title: str = "A run by its number of GPUs, simulated") -> str:
    """The text of the file.

    Args:
        outcomes: By their number of GPUs, the smallest first.
        title: The text alternative.
    """
    speed = [("simulated", [one.completions_per_hour for one in outcomes])]
    each = speed[0][1][0] / max(1, outcomes[0].gpus)
    speed.append(("in proportion", [each * one.gpus for one in outcomes]))
    idle = [(name, [100 * one.idle[name] for one in outcomes]) for name in IDLE]
    gpus = [one.gpus for one in outcomes]
    panels = [_panel("Completions an hour", gpus, speed, logarithmic=True), _panel("Idle, %", gpus, idle)]
    body = "".join(f'<g transform="translate({number * WIDTH:g} 0)">{panel}</g>' for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH:g} {HEIGHT:g}" width="{2 * WIDTH:g}" '
        f'height="{HEIGHT:g}" role="img"><title>{escape(title)}</title><style>{STYLE}</style>{body}</svg>\n'
    )


def _panel(
    title: str, gpus: Sequence[int], lines: Sequence[tuple[str, Sequence[float]]], *, logarithmic: bool = False
) -> str:
    """Lines over the number of GPUs, which is drawn by its logarithm."""
    values = [value for _, line in lines for value in line]
    if logarithmic:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        marks = [10.0**power for power in range(low, high + 1)]
    else:
        low, high, marks = 0, 100, [0.0, 25.0, 50.0, 75.0, 100.0]

    def x(count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(count / gpus[0]) / (math.log(gpus[-1] / gpus[0]) or 1.0)

    def y(value: float) -> float:
        share = ((math.log10(value) if logarithmic else value) - low) / ((high - low) or 1)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [f'<text class="title" x="{LEFT:g}" y="18">{escape(title)}</text>']
    for mark in marks:
        parts.append(f'<path class="grid" d="M{LEFT:g} {y(mark):.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text x="{LEFT - 6:g}" y="{y(mark) + 4:.1f}" text-anchor="end">{compact(mark)}</text>')
    free = WIDTH - RIGHT + 20  # of the line below the axis, up to here
    for count in reversed(gpus):
        half = CHARACTER * len(f"{count:,}") / 2
        if x(count) + half <= free:
            parts.append(f'<text x="{x(count):.1f}" y="{HEIGHT - 16:g}" text-anchor="middle">{count:,}</text>')
            free = x(count) - half - CHARACTER
    parts.append(f'<text x="{WIDTH - RIGHT + 5:g}" y="{HEIGHT - 16:g}" dx="20">GPUs</text>')
    ends = []
    for number, (label, line) in enumerate(lines):
        path = "L".join(f"{x(count):.1f} {y(value):.1f}" for count, value in zip(gpus, line, strict=True))
        parts.append(f'<path class="line c{number}" d="M{path}"/>')
        ends.append((y(line[-1]), number, label))
    return "".join(parts) + _names(ends)


def _names(ends: Sequence[tuple[float, int, str]]) -> str:
    """The lines' names at their ends, moved where they would overlap."""
    parts, lowest = [], TOP - 14
    for height, number, label in sorted(ends):
        lowest = max(height, lowest + 14)
        parts.append(f'<text class="c{number}" x="{WIDTH - RIGHT + 5:g}" y="{lowest + 4:.1f}">{escape(label)}</text>')
    return "".join(parts)
