"""The table of rates before and after training, as text for the terminal and as HTML for the page.

An evaluation is a line of `evals.jsonl` (keys `eval/build`, `eval/build_ci95`, ...) or one half of `summary.json`
(keys `build`, ...). The interval of a difference treats the two evaluations as independent; they ask the same prompts,
so the true interval is usually narrower.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grpo_rust.checks import CHECK_LABELS, PASS_CHECKS
from grpo_rust.report.by_task import evaluated_tasks, of_task
from grpo_rust.report.charts import Mark, dumbbell
from grpo_rust.report.reading import Record, RunFiles, number
from grpo_rust.report.scale import compact
from grpo_rust.report.visible import escape

__all__ = ["Row", "by_task", "closing_table", "evaluations", "html_table", "rows", "summary_rates"]

_AMOUNTS = (("asserts_mean", "asserts a completion"), ("length_mean", "tokens a completion"))
_OTHER_KEYS = {"asserts_mean": ("eval/asserts_mean", "eval/asserts")}


class Row(NamedTuple):
    """One measured quantity; `scale` is 100 for a rate shown in percent, else 1."""

    label: str
    before: Mark | None
    after: Mark | None
    scale: float

    @property
    def change(self) -> tuple[float, float | None] | None:
        """The difference and the half width of its 95 % interval, in shown units."""
        if self.before is None or self.after is None:
            return None
        halves = (self.before.half_width, self.after.half_width)
        half = math.hypot(*(h * self.scale for h in halves if h is not None)) if None not in halves else None
        return (self.after.y - self.before.y) * self.scale, half


def _measured(evaluation: Record | None, name: str) -> Mark | None:
    """A quantity of an evaluation with its interval, in a line of `evals.jsonl` or in `summary.json`."""
    record = evaluation or {}
    keys = (f"eval/{name}", *_OTHER_KEYS.get(name, ()), name)
    values = [value for key in keys if (value := number(record.get(key))) is not None]
    halves = [half for key in keys if (half := number(record.get(f"{key}_ci95"))) is not None]
    return Mark(0.0, values[0], halves[0] if halves else None) if values else None


def _pass_at(before: Record | None, after: Record | None) -> list[tuple[str, str]]:
    """Name and label of each pass@k with k above 1; pass@1 is the strict rate itself."""
    keys = {key for record in (before, after) for key in record or () if re.fullmatch(r"eval/pass_at_\d{1,6}", key)}
    counts = sorted(int(key.rsplit("_", 1)[1]) for key in keys)
    return [(f"pass_at_{k}", f"strict pass@{k}") for k in counts if k > 1]


def rows(before: Record | None, after: Record | None) -> list[Row]:
    """The quantities that at least one of the two evaluations has, rates first."""
    found = []
    for names, scale in ((CHECK_LABELS.items(), 100.0), (_pass_at(before, after), 100.0), (_AMOUNTS, 1.0)):
        for name, label in names:
            row = Row(label, _measured(before, name), _measured(after, name), scale)
            if row.before or row.after:
                found.append(row)
    return found


def _shown(mark: Mark | None, scale: float, digits: int = 1) -> str:
    """A value with its interval."""
    if mark is None:
        return "–"
    half = f" ±{mark.half_width * scale:.{digits}f}" if mark.half_width is not None else ""
    return f"{mark.y * scale:.{digits}f}{'%' if scale == 100 else ''}{half}".replace("-", "−")


def _changed(row: Row) -> str:
    """The signed difference with its interval."""
    if row.change is None:
        return "–"
    change, half = row.change
    text = f"{change:+.1f}".replace("-", "−")
    return text + (f" ±{half:.1f}" if half is not None else "")


def _size(record: Mapping[str, Any] | None) -> str:
    """How much was evaluated, as text; empty where it is not known."""
    prompts, samples = (number((record or {}).get(key)) for key in ("num_prompts", "num_samples"))
    if not prompts or not samples:
        return ""
    return f"{prompts:,.0f} prompts × {compact(samples)} {'sample' if samples == 1 else 'samples'}"


def summary_rates(evaluation: Record) -> dict[str, float | None]:
    """What `summary.json` repeats of an evaluation: pass rates, mean number of asserts and mean length.

    Args:
        evaluation: A line of `evals.jsonl`, or an empty mapping where there was no evaluation.

    >>> summary_rates({"eval/build": 0.5, "eval/asserts": 2.0})["asserts_mean"]
    2.0
    """
    names = {**{name: name for name in PASS_CHECKS}, "asserts": "asserts_mean", "length_mean": "length_mean"}
    return {shown: evaluation.get(f"eval/{name}") for name, shown in names.items()}


def closing_table(before: Record, after: Record) -> str:
    """The table that training prints at its end.

    Args:
        before: The evaluation before training, a line of `evals.jsonl` or `summary.json`'s "before".
        after: The evaluation after training.

    Returns: lines without a final newline; the last states how much was evaluated, where the record says so. Of several
        tasks each has a table of its own after that of all.

    >>> print(closing_table({"build": 0.41}, {"build": 0.78}))
                    before     after   points
    build            41.0%     78.0%    +37.0
    """
    tables = [_text_table("", before, after)]
    tables += [_text_table(*one) for one in by_task(before, after)]
    return "\n\n".join(tables)


def by_task(before: Record | None, after: Record | None) -> list[tuple[str, Record, Record]]:
    """Each task of two evaluations with what they say of it; nothing where they tell no tasks apart."""
    return [(task, of_task(before, task) or {}, of_task(after, task) or {}) for task in evaluated_tasks(before, after)]


def _text_table(title: str, before: Record, after: Record) -> str:
    """The rates of two evaluations, under a title."""
    found = [row for row in rows(before, after) if row.label in CHECK_LABELS.values()]
    cells = [(title, "before", "after", "points")]
    cells += [(r.label, _shown(r.before, 100), _shown(r.after, 100), _changed(r)) for r in found]
    widths = [max(12, *(len(line[0]) for line in cells))]
    widths += [max(least, *(len(line[i]) for line in cells)) for i, least in ((1, 8), (2, 8), (3, 7))]
    text = ["  ".join([line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2, 3))]) for line in cells]
    size = _size(before)
    interval = "±: 95 % interval" if any(r.before and r.before.half_width is not None for r in found) else ""
    footer = "; ".join(part for part in (size, interval) if part)
    return "\n".join(text + ([footer] if footer else []))


def evaluations(run: RunFiles) -> tuple[Record | None, Record | None]:
    """The first evaluation and the last one after it, intervals included where `evals.jsonl` has them.

    The values are those of `summary.json` where the run is finished.
    """
    first = dict(run.evals[0]) if run.evals else {}
    last = dict(run.evals[-1]) if len(run.evals) > 1 else {}
    for name, record in (("before", first), ("after", last)):
        half = (run.summary or {}).get(name)
        if isinstance(half, dict):
            record.update({f"eval/{key}": value for key, value in half.items() if number(value) is not None})
    return first or None, last or None


def html_table(run: RunFiles) -> str:
    """The table with one small picture a row; a sentence where the run has no evaluation yet."""
    before, after = evaluations(run)
    found = rows(before, after)
    if not found:
        return '<p class="still">No evaluation has been written yet.</p>'
    size = _size(run.summary) or _size(before)
    steps = [str(record["step"]) for record in run.evals[:: max(1, len(run.evals) - 1)]][:2]
    notes = [f"Each evaluation: {size}." if size else "", f"Evaluated at step {' and '.join(steps)}." if steps else ""]
    if any(mark and mark.half_width is not None for row in found for mark in (row.before, row.after)):
        notes.append(
            "±: half width of the 95 % interval, clustered by prompt; the difference's takes the two evaluations as "
            "independent, though both ask the same prompts."
        )
    tasks = "".join(_html_task(*one) for one in by_task(before, after))
    return _html_of(found) + f'<p class="read">{escape(" ".join(note for note in notes if note))}</p>{tasks}'


def _html_of(found: Sequence[Row]) -> str:
    """Rows as a table."""
    head = "<tr><th></th><th>before</th><th>after</th><th>change</th><th>○ before ● after</th></tr>"
    body = "".join(_html_row(row) for row in found)
    return f'<div class="scroll"><table class="result"><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _html_task(task: str, before: Record, after: Record) -> str:
    """The table of one task."""
    size = _size(after) or _size(before)
    note = f'<p class="read">{escape(size)}</p>' if size else ""
    return f"<h3>{escape(task)}</h3>{_html_of(rows(before, after))}{note}"


def _html_row(row: Row) -> str:
    """One quantity: its numbers, their difference, and a picture of both."""
    top = 1.0 if row.scale == 100 else max(mark.y for mark in (row.before, row.after) if mark) * 1.1 or 1.0
    picture = dumbbell(row.before, row.after, top, f"{row.label}: {_shown(row.before, row.scale)} before")
    cells = "".join(f"<td>{_split(_shown(mark, row.scale))}</td>" for mark in (row.before, row.after))
    unit = " points" if row.scale == 100 and row.change else ""
    return (
        f"<tr><th>{escape(row.label)}</th>{cells}<td><b>{_split(_changed(row))}</b>{unit}</td>"
        f"<td>{picture}</td></tr>"
    )


def _split(text: str) -> str:
    """The value, with its interval in small print."""
    value, _, half = text.partition(" ")
    return escape(value) + (f" <small>{escape(half)}</small>" if half else "")
