"""Completions, verdicts and rewards as text for a terminal. Whatever a model or a program wrote is made harmless."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chatting.judging import Judged
from chatting.state import ChatAnswer
from rewards.completion import GradedCompletion, Score
from rewards.score_table import total_score
from sandbox.terminal import counted, plain
from sandbox.verdict import Outcome, Verdict

__all__ = ["Paint", "answer_text", "rewards_text", "summary_text"]

STYLES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33}
PANIC = re.compile(r"panicked at src/main\.rs:(\d+):\d+:\n((?:.+\n)*)")
NOTE = "note: "  # starts what libtest adds to a panic's message
MOST_NOTES = 20
MARGIN = 4  # columns of line numbers


class Paint:
    """Gives text a style on a terminal that has any, and leaves it as it is elsewhere.

    >>> Paint(False)("x", "red"), Paint(True)("x", "red")
    ('x', '\\x1b[31mx\\x1b[0m')
    """

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.on else text


def answer_text(answer: ChatAnswer, judged: Judged, paint: Paint) -> str:
    """A completion, its code with numbered lines and what compiler and tests say of them, and the verdict."""
    graded = judged.graded
    text, code = plain(answer.text).strip(), plain(graded.code or "").rstrip("\n")
    before, _, after = text.partition(code) if code else (text, "", "")
    lines = [paint(before.rstrip(), "dim")] if before.strip() else []
    lines += _listing(code, graded.verdict, paint) if code else []
    lines += [paint(after.strip(), "dim")] if after.strip() else []
    cut = f", cut off: sampling.max_completion_tokens is {answer.num_tokens}" if answer.truncated else ""
    return "\n".join(
        [*lines, paint(f"({counted(answer.num_tokens, 'token')}{cut})", "dim"), *_verdict_lines(graded, paint)]
    )


def rewards_text(scores: Mapping[str, Score], weights: Mapping[str, float], paint: Paint) -> str:
    """Every reward with its score, weight, points and reason; those that pay come first.

    >>> print(rewards_text({"a": Score(0.5, "why"), "b": Score(None, "no")}, {"a": 2.0, "b": 0.0}, Paint(False)))
    reward  score  weight  points  reason
    a        0.50    2.00    1.00  why
    total                    1.00  of 2.00
    not paid
    b           -                  no
    """
    width = max(len("reward"), *map(len, scores))
    head = f"{'reward':{width}}  score  weight  points  reason"
    paid, unpaid = [], []
    for name, (value, reason) in scores.items():
        weight, why = weights[name], " ".join(plain(reason).split())
        score = "    -" if value is None else f"{value:5.2f}"
        if weight:
            points = "     -" if value is None else f"{weight * value:6.2f}"
            row = f"{name:{width}}  {score}  {weight:6.2f}  {points}  {why}"
            paid.append(paint(row, "green" if value == 1 else "red" if value == 0 else "yellow"))
        else:
            unpaid.append(paint(f"{name:{width}}  {score}  {'':6}  {'':6}  {why}", "dim"))
    total, most = total_score(scores, weights), sum(weights.values())
    sum_ = "     -" if total is None else f"{total:6.2f}"
    paid.append(paint(f"{'total':{width}}  {'':5}  {'':6}  {sum_}  of {most:.2f}", "bold"))
    return "\n".join([paint(head, "bold"), *paid, *([paint("not paid", "dim")] if unpaid else []), *unpaid])


def summary_text(judged: Sequence[Judged], weights: Mapping[str, float]) -> str:
    """How many of several completions pass what, and what they earn."""
    verdicts = [one.graded.verdict for one in judged]
    counts = {
        "build": sum(bool(verdict and verdict.build) for verdict in verdicts),
        "pass clippy": sum(bool(verdict and verdict.clippy) for verdict in verdicts),
        "pass their tests": sum(bool(verdict and verdict.test) for verdict in verdicts),
        "strictly": sum(one.graded.judgement.strict for one in judged),
    }
    if any(one.graded.gold for one in judged):
        counts["pass the gold tests"] = sum(one.scores["gold"].value == 1 for one in judged)
    totals = [total for one in judged if (total := total_score(one.scores, weights)) is not None]
    earned = f"; reward {min(totals):.2f} to {max(totals):.2f}, mean {sum(totals) / len(totals):.2f}" if totals else ""
    return f"of {len(judged)} samples " + ", ".join(f"{count} {name}" for name, count in counts.items()) + earned


def _listing(code: str, verdict: Verdict | None, paint: Paint) -> list[str]:
    """The code's lines with their numbers, and under them what is wrong there."""
    notes = _notes(verdict) if verdict is not None else []
    source, lines = code.split("\n"), []
    for number, line in enumerate(source, 1):
        lines.append(f"{paint(f'{number:{MARGIN}} |', 'dim')} {line}".rstrip())
        for place, level, text in notes:
            if place and min(place, len(source)) == number:  # a message may be about the end, after the last line
                lines.append(" " * (MARGIN + 1) + paint(f"^ {text}", "yellow" if level == "warning" else "red"))
    return lines


def _notes(verdict: Verdict) -> list[tuple[int | None, str, str]]:
    """What compiler, clippy and failed tests say: line, level and text."""
    said = {
        (one.line, one.level, f"{one.level}{f' {one.code}' if one.code else ''}: {_line(one.message)}"): None
        for one in verdict.diagnostics
    }
    for place, message in PANIC.findall(plain(verdict.test_output)):
        parts = [part.strip() for part in message.split("\n") if part.strip() and not part.startswith(NOTE)]
        said[int(place), "panic", f"panicked here: {', '.join(parts)}"] = None
    return list(said)[:MOST_NOTES]


def _verdict_lines(graded: GradedCompletion, paint: Paint) -> list[str]:
    """What cargo says."""
    verdict = graded.verdict
    if verdict is None:
        return [paint(f"no program: {graded.no_code}", "red")]
    words = {True: paint("passes", "green"), False: paint("fails", "red"), None: "not run"}
    phases = {"build": verdict.build, "clippy": verdict.clippy, "test": verdict.test}
    if verdict.outcome is Outcome.BUILD_ERROR:  # then the others fail for the same reason
        phases = {"build": False}
    said = ", ".join(f"{name} {words[passed]}" for name, passed in phases.items())
    total = verdict.passed + verdict.failed + verdict.ignored
    tests = f"; {verdict.passed} of {total:,} tests pass" if total else ""
    lines = [f"cargo: {said}{tests} ({str(verdict.outcome).replace('_', ' ')})"]
    lines += [f"  {plain(verdict.reason)}"] if verdict.reason else []
    return lines + [f"  {text}" for place, _, text in _notes(verdict) if not place]


def _line(text: str) -> str:
    """Text in one line, without what could move the cursor."""
    return " ".join(plain(text).split())
