"""What a run took in time and money, so far and in all, beside the published run that this project follows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from grpo_rust.report.reading import Record, RunFiles, number
from grpo_rust.report.visible import escape, shortened
from grpo_rust.terminal.durations import duration

__all__ = ["PUBLISHED_RUN", "PublishedRun", "clock", "money_html"]


class PublishedRun(NamedTuple):
    """A run that others published; nobody measured it here."""

    model: str
    hours: str
    dollars: str
    build: tuple[int, int]  # programs that build, before and after
    test: tuple[int, int]  # that pass their own tests
    num_programs: int


# Oxen.ai, "Training a Rust 1.5B Coder LM with Reinforcement Learning (GRPO)", 2025.
PUBLISHED_RUN = PublishedRun(
    model="Qwen2.5-Coder-1.5B-Instruct",
    hours="a bit over 24 h",
    dollars="under 100 dollars",
    build=(308, 404),
    test=(111, 185),
    num_programs=500,
)
NOTE = (
    "The published figures are those of Oxen.ai, 2025, on their own 500 held-out prompts and their own machine; they "
    "were not measured here, and rates of other prompts, models and temperatures do not compare."
)


def money_html(run: RunFiles) -> str:
    """A small table: time, cost, when it ended or will, and the rates, of this run and of the published one."""
    there = PUBLISHED_RUN
    seconds, left, usd, whole, ends = _standing(run)
    took = "–" if seconds is None else duration(seconds)
    if left is not None and seconds is not None:
        took += f" so far, {duration(seconds + left)} in all"
    cost = "not known without train.usd_per_hour" if usd is None else f"{usd:,.2f} dollars"
    if usd is not None and whole is not None:
        cost += (
            f" so far, {whole:,.2f} in all" if left is not None else f", {whole:,.2f} expected after the first steps"
        )
    model = run.config.get("model")
    rows = [
        ("model", shortened(str(model.get("path", "–")), 200)[0] if isinstance(model, dict) else "–", there.model),
        ("time", took, there.hours),
        ("cost", cost, there.dollars),
        ("expected end" if left is not None else "ended", (ends or "–") + _early(run), "–"),
        ("programs that build", _change(run, "build"), _counts(there.build)),
        ("pass their own tests", _change(run, "test"), _counts(there.test)),
    ]
    body = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(here)}</td><td>{escape(other)}</td></tr>" for name, here, other in rows
    )
    head = "<tr><th></th><th>this run</th><th>the published run</th></tr>"
    return (
        f'<div class="scroll"><table class="result"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
        f'<p class="read">{escape(NOTE)}</p>'
    )


def _standing(run: RunFiles) -> tuple[float | None, float | None, float | None, float | None, str]:
    """Seconds so far and left, dollars so far and expected, and the end; left is None where the run has ended.

    A run that has ended has them in its summary, another one where its last step left them.
    """
    record: Record = run.summary or run.progress
    seconds = number(record.get("seconds"))
    if seconds is None:
        seconds = sum(number(step.get("time/step")) or 0.0 for step in run.steps) or None
    usd, price = number(record.get("usd")), run.config.get("train")
    if usd is None and seconds is not None and isinstance(price, dict) and number(price.get("usd_per_hour")):
        usd = seconds / 3600 * float(price["usd_per_hour"])
    left = None if run.summary is not None else number(record.get("seconds_left"))
    end = record.get("ended" if run.summary is not None else "ends")
    return seconds, left, usd, number(record.get("usd_expected")), clock(end)


def _early(run: RunFiles) -> str:
    """Which setting ends a run that trains before its last step."""
    setting = run.progress.get("ended_by") if run.summary is None else None
    return f", by {setting}" if setting in ("train.max_hours", "train.max_cost") else ""


def clock(stamp: object) -> str:
    """A time stamp of ours in UTC; empty where it is none."""
    try:
        return datetime.fromisoformat(str(stamp)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return ""


def _change(run: RunFiles, name: str) -> str:
    """A rate in the first evaluation and in the last."""
    rates = [rate for line in run.evals if (rate := number(line.get(f"eval/{name}"))) is not None]
    if not rates:
        return "–"
    return f"{rates[0]:.0%} → {rates[-1]:.0%}" if len(rates) > 1 else f"{rates[0]:.0%}"


def _counts(counts: tuple[int, int]) -> str:
    """Published counts as shares."""
    before, after = (count / PUBLISHED_RUN.num_programs for count in counts)
    return f"{before:.0%} → {after:.0%}"
