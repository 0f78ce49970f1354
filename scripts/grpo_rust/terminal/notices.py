"""From the history of a run to sentences: what has happened that is worth a line in the terminal.

A pure function of the history and of what was said before; every fact is said once, or again when its number has
changed by as much as its rule says. Left out: what is wrong with a run, which `grpo.watch` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grpo_rust.terminal.durations import rough_duration
from grpo_rust.terminal.outlook import Outlook

__all__ = ["Notice", "RunHistory", "notices"]

START, WINDOW = 3, 5  # steps: of the beginning, and of now
ZERO_STD = 0.4  # share of groups without spread
CHANGED = 0.2  # of the expected time

Record = Mapping[str, Any]


class Notice(NamedTuple):
    """A sentence, the fact that it is about, and that fact's number."""

    fact: str
    value: float
    text: str


@dataclass
class RunHistory:
    """What is known of a run so far: its steps and evaluations, oldest first, and how long it will take."""

    steps: list[Record] = field(default_factory=list)
    evaluations: list[Record] = field(default_factory=list)
    best_by: str = "pass_at_1"  # the evaluations' metric, without its "eval/"; higher is better
    outlook: Outlook | None = None


def notices(history: RunHistory, said: Mapping[str, float]) -> list[Notice]:
    """What is worth saying now.

    Args:
        history: Of the run.
        said: The numbers of the facts that were said, by fact: what the caller keeps of earlier notices.

    >>> steps = [{"groups/zero_std": 0.5}] * 5
    >>> [found] = notices(RunHistory(steps=steps), {})
    >>> found.fact, notices(RunHistory(steps=steps), {"zero_std": found.value})
    ('zero_std', [])
    """
    rules: tuple[Callable[[RunHistory, Mapping[str, float]], Notice | None], ...] = (_best, _entropy, _zero_std, _end)
    return [found for rule in rules if (found := rule(history, said)) is not None]


def _best(history: RunHistory, said: Mapping[str, float]) -> Notice | None:
    """The newest evaluation is better than all before it."""
    name = history.best_by
    scores = [(line["step"], line[f"eval/{name}"]) for line in history.evaluations if _known(line, f"eval/{name}")]
    if len(scores) < 2 or len(history.evaluations) < 2 or history.evaluations[-1]["step"] != scores[-1][0]:
        return None
    (step, best), before = scores[-1], [score for _, score in scores[:-1]]
    if best <= max(before) or best <= said.get("best", best - 1):
        return None
    half = history.evaluations[-1].get(f"eval/{name}_ci95")
    shown = _score(name, best) + (f" (±{_score(name, float(half))})" if half is not None and _is_number(half) else "")
    start = f"{_score(name, before[0])} after step {scores[0][0]}"
    return Notice("best", best, f"best evaluation so far: {name} {shown} after step {step}, {start}")


def _entropy(history: RunHistory, said: Mapping[str, float]) -> Notice | None:
    """The entropy is at most half of what it was in the first steps."""
    first, last = history.steps[:START], history.steps[START:][-WINDOW:]
    start, now = _all_known(first, START, "policy/entropy"), _all_known(last, WINDOW, "policy/entropy")
    if "entropy" in said or start is None or now is None or now > start / 2:
        return None
    text = f"the entropy has halved since the start: {start:.2f}, now {now:.2f} nats a token; completions grow alike"
    return Notice("entropy", now, text)


def _zero_std(history: RunHistory, said: Mapping[str, float]) -> Notice | None:
    """Many groups have no spread."""
    share = _all_known(history.steps[-WINDOW:], WINDOW, "groups/zero_std")
    if "zero_std" in said or share is None or share <= ZERO_STD:
        return None
    text = (
        f"{share:.0%} of the groups of the last {WINDOW} steps are paid alike (zero_std): nothing is learned from them"
    )
    return Notice("zero_std", share, text)


def _end(history: RunHistory, said: Mapping[str, float]) -> Notice | None:
    """The expected time in all is known, or another one than was said."""
    now = history.outlook
    total = None if now is None else now.total_s
    if now is None or not total or len(history.steps) < START:
        return None
    if "end" in said and abs(total / said["end"] - 1) <= CHANGED:
        return None
    cost = "" if now.usd_expected is None else f", about {now.usd_expected:,.2f} dollars"
    again = "now " if "end" in said else ""
    early = f": {now.ended_by} comes before the last step" if now.ended_by else ""
    text = f"{again}expected to end about {now.end_text()}, after {rough_duration(total)} in all{cost}{early}"
    return Notice("end", total, text)


def _score(name: str, value: float) -> str:
    """A metric of an evaluation: a share in percent, a reward as it is."""
    return f"{value:.3g}" if name == "reward_mean" else f"{value * 100:.1f} %"


def _known(line: Record, key: str) -> bool:
    return _is_number(line.get(key))


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and value == value


def _all_known(lines: Sequence[Record], count: int, key: str) -> float | None:
    """The mean of a metric over so many lines; None where one lacks it, or there are fewer."""
    known = [float(line[key]) for line in lines if _known(line, key)]
    return sum(known) / count if len(known) == count else None
