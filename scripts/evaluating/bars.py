"""A comparison as a picture: for each check a group of bars, one an evaluation, with its interval.

One SVG file for light and dark, without scripts and fonts of its own. Published figures are outlines, not filled bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from evaluating.comparing import Comparison
from grpo_rust.checks import CHECK_LABELS

__all__ = ["Bar", "bars_of", "draw_bars"]

LEFT, TOP, HEIGHT, BOTTOM = 44.0, 24.0, 220.0, 26.0
BAR, BETWEEN_GROUPS, LEGEND_LINE = 22.0, 30.0, 18.0
LEAST_WIDTH, CHARACTER = 360.0, 6.2  # of the picture; of a letter of the legend
MARKS = (0, 25, 50, 75, 100)
COLOURS = (("#1f5d8c", "#7db8e2"), ("#b3541e", "#e59a6a"), ("#3f7d4f", "#8cc79b"), ("#7a4f9a", "#bf9bdb"))


class Bar(NamedTuple):
    """A bar of a group: a rate from 0 to 1, with half the width of its interval; None where nothing is known."""

    rate: float | None
    half_width: float | None = None


def bars_of(comparison: Comparison) -> dict[str, list[Bar]]:
    """By the name of a row its bars, one a check."""
    rows = {one.label: [Bar(*one.rate(check)) for check in comparison.checks] for one in comparison.measured}
    for reference in comparison.references:
        label = f"{reference.label} (published, not measured)"
        rows[label] = [Bar(reference.rates.get(check)) for check in comparison.checks]
    return rows


def draw_bars(comparison: Comparison, title: str) -> str:
    """The text of the file."""
    rows = bars_of(comparison)
    group = len(rows) * BAR + BETWEEN_GROUPS
    longest = LEFT + 22 + CHARACTER * max(map(len, rows))
    width = max(LEAST_WIDTH, LEFT + len(comparison.checks) * group, longest)
    height = TOP + HEIGHT + BOTTOM + LEGEND_LINE * len(rows)
    parts = [_axis(width)]
    for place, check in enumerate(comparison.checks):
        left = LEFT + BETWEEN_GROUPS / 2 + place * group
        drawn = [(number, bars[place]) for number, bars in enumerate(rows.values())]
        parts += [_bar(bar, _class(number, comparison), left + number * BAR) for number, bar in drawn]
        middle = left + len(rows) * BAR / 2
        parts.append(_text(CHECK_LABELS[check], middle, TOP + HEIGHT + 17, anchor="middle", kind="check"))
    parts += [_legend(label, _class(number, comparison), number) for number, label in enumerate(rows)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img"><title>{escape(title)}</title><style>{_style()}</style>'
        f"{''.join(parts)}</svg>\n"
    )


def _class(number: int, comparison: Comparison) -> str:
    """The class of a row: its colour, and whether it was published only."""
    if number < len(comparison.measured):
        return f"c{number % len(COLOURS)}"
    return f"published p{(number - len(comparison.measured)) % len(COLOURS)}"


def _y(rate: float) -> float:
    return TOP + HEIGHT * (1 - min(1.0, max(0.0, rate)))


def _axis(width: float) -> str:
    """Lines at round percentages, with their numbers."""
    lines = [
        f'<path class="grid" d="M{LEFT:g} {_y(mark / 100):.1f}H{width:g}"/>'
        + _text(f"{mark} %", LEFT - 6, _y(mark / 100) + 4, anchor="end")
        for mark in MARKS
    ]
    return "".join(lines)


def _bar(bar: Bar, kind: str, left: float) -> str:
    """A bar with its number above, and the whisker of its interval."""
    if bar.rate is None:
        return ""
    top, middle = _y(bar.rate), left + BAR / 2 - 1
    drawn = f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{BAR - 3:g}" height="{TOP + HEIGHT - top:.1f}"/>'
    over = top
    if bar.half_width is not None and bar.half_width == bar.half_width:
        over = _y(bar.rate + bar.half_width)
        drawn += f'<path class="whisker" d="M{middle:.1f} {over:.1f}V{_y(bar.rate - bar.half_width):.1f}"/>'
    return drawn + _text(f"{100 * bar.rate:.0f}", middle, over - 3, anchor="middle")


def _legend(label: str, kind: str, number: int) -> str:
    """A row of the legend below the bars."""
    y = TOP + HEIGHT + BOTTOM + LEGEND_LINE * number
    return f'<rect class="{kind}" x="{LEFT:g}" y="{y + 3:g}" width="11" height="11"/>' + _text(label, LEFT + 18, y + 13)


def _text(text: str, x: float, y: float, *, anchor: str = "start", kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _style() -> str:
    """The colours, for light and for dark."""

    def fills(shade: int) -> str:
        rows: Sequence[str] = [f".c{number}{{fill:{pair[shade]}}}" for number, pair in enumerate(COLOURS)]
        lines = [f".p{number}{{stroke:{pair[shade]}}}" for number, pair in enumerate(COLOURS)]
        return "".join([*rows, ".published{fill:none;stroke-width:1.5;stroke-dasharray:3 2}", *lines])

    return (
        'text{font:11px "Helvetica Neue",Helvetica,Arial,sans-serif;fill:#6d6a60}'
        ".check{font-weight:600;fill:#21201c}.grid{stroke:#dedace}.whisker{stroke:#21201c;stroke-width:1.5}"
        f"{fills(0)}@media (prefers-color-scheme:dark){{text{{fill:#a09b8d}}.check{{fill:#e9e6dc}}"
        f".grid{{stroke:#3a3832}}.whisker{{stroke:#e9e6dc}}{fills(1)}}}"
    )
