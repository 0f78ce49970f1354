"""One group as HTML: the completions to a prompt side by side, each a card with its verdict, program and errors.

Every text here was written by a model, a program or a data set, so every text passes through `escape`. Passes and
failures differ by sign as well as by colour. A long text is cut, and the cut states how much is missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from grpo_rust.checks import PASS_CHECKS
from grpo_rust.report.reading import Record, number
from grpo_rust.report.scale import compact
from grpo_rust.report.visible import escape, shortened
from sandbox.terminal import counted

__all__ = ["SIGNS", "card_html", "group_html", "program_lines", "success"]

SIGNS = "✓ passed, ◐ tests passed strictly but the linter refused, ✗ not passed, – not graded."
_MOST_COMPLETIONS = 16
_MOST_DIAGNOSTICS = 8
_MOST_SCORES = 24
_PROMPT_CHARACTERS = 4_000
_PROGRAM_CHARACTERS = 6_000
_ASIDE_CHARACTERS = 2_000
_MESSAGE_CHARACTERS = 700
_OUTPUT_CHARACTERS = 2_500
_LINE_CHARACTERS = 300


def _mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """The value where it is text, else the empty text."""
    return value if isinstance(value, str) else ""


def _advantage(value: float | None) -> str:
    """An advantage with its sign; empty where there is none, as in an evaluation."""
    return "" if value is None else f"<span>advantage <b>{'+' if value > 0 else ''}{compact(value)}</b></span>"


def _kind(passed: float | None) -> tuple[str, str]:
    """CSS class and sign of a check that passes or fails."""
    if passed is None:
        return "none", "–"
    return ("pass", "✓") if passed >= 1 else ("fail", "✗")


def success(record: Record) -> tuple[str, str]:
    """CSS class and sign of a whole completion, as `SIGNS` explains them."""
    strict = number(_mapping(record.get("checks")).get("test_strict"))
    lint = _mapping(record.get("verdict")).get("outcome") == "lint_error"
    return ("half", "◐") if strict and lint else _kind(strict)


def _checks(record: Record) -> str:
    """The grader's checks; those that pass or fail have a sign."""
    items = []
    for name, value in list(_mapping(record.get("checks")).items())[:_MOST_SCORES]:
        checked = number(value)
        if checked is None and name == "gold_applicable":
            continue  # most runs show what gold tests call, so that the question does not arise
        shown = escape(shortened(name, 60)[0])
        if name in PASS_CHECKS or checked is None:
            kind, sign = _kind(checked)
            items.append(f'<li class="{kind}">{sign} {shown}</li>')
        else:
            items.append(f'<li class="none">{compact(checked)} {shown}</li>')
    return f'<ul class="checks">{"".join(items)}</ul>' if items else ""


def _scores(record: Record) -> str:
    """The score of each reward function."""
    items = []
    for name, value in list(_mapping(record.get("rewards")).items())[:_MOST_SCORES]:
        score = number(value)
        items.append(f"<dt>{escape(shortened(name, 60)[0])}</dt><dd>{'–' if score is None else compact(score)}</dd>")
    return f'<details class="scores"><summary>scores</summary><dl>{"".join(items)}</dl></details>' if items else ""


def program_lines(code: str, limit: int = _PROGRAM_CHARACTERS) -> list[tuple[int | None, str]]:
    """A program's lines with their numbers, cut to about `limit` characters.

    Three quarters of the limit go to the start and a quarter to the end; a line without a number stands for the lines
    between and counts them. A very long line is cut too.

    Args:
        code: The program.
        limit: Characters to keep.

    Returns: pairs of line number (None for the note) and text, not yet escaped.

    >>> program_lines("a\\nb\\nc", limit=3)
    [(1, 'a'), (None, '… 1 line left out …'), (3, 'c')]
    """
    lines = [_cut_line(line) for line in code.rstrip("\n").split("\n")]
    if sum(len(line) + 1 for line in lines) <= limit + 1:
        return list(enumerate(lines, 1))
    tail = len(lines) - _fitting(lines[::-1], limit // 4)
    head = min(_fitting(lines, limit - limit // 4), tail)
    missing = tail - head
    note = f"… {missing:,} {'line' if missing == 1 else 'lines'} left out …"
    numbered = list(enumerate(lines, 1))
    return [*numbered[:head], *([(None, note)] if missing else []), *numbered[tail:]]


def _fitting(lines: Sequence[str], limit: int) -> int:
    """How many of the first lines fit into the limit, at least one."""
    spent = 0
    for index, line in enumerate(lines):
        spent += len(line) + 1
        if spent > limit and index:
            return index
    return len(lines)


def _cut_line(line: str) -> str:
    """The line, cut to the length that a page shows."""
    return shortened(line, _LINE_CHARACTERS)[0].replace("\n", " ")


def _program(code: str, diagnostics: Sequence[Record]) -> str:
    """The program with line numbers; lines with a diagnostic are marked."""
    levels: dict[int, str] = {}
    for diagnostic in diagnostics:
        line = diagnostic.get("line")
        if isinstance(line, int):
            level = "bad" if diagnostic.get("level") == "error" else "warn"
            levels[line] = "bad" if levels.get(line) == "bad" else level
    gutter, text = [], []
    for index, line in program_lines(code):
        kind = levels.get(index or 0)
        numeral = "" if index is None else str(index)
        gutter.append(f'<b class="{kind}">{numeral}</b>' if kind else numeral)
        text.append(f'<mark class="{kind}">{escape(line)}</mark>' if kind else escape(line))
    return (
        f'<div class="program"><pre class="gutter" aria-hidden="true">{chr(10).join(gutter)}</pre>'
        f'<pre class="code">\n{chr(10).join(text)}</pre></div>'  # HTML drops one newline at the start of a <pre>
    )


def _aside(text: str) -> str:
    """The text before or after the program of a completion."""
    shown = shortened(text.strip("\n"), _ASIDE_CHARACTERS)[0]
    return f'<pre class="aside">{escape(shown)}</pre>' if shown.strip() else ""


def _completion(text: str, code: str | None, diagnostics: Sequence[Record]) -> str:
    """The completion as the model wrote it, with the graded program set apart."""
    if not text.strip():
        return '<p class="read">An empty completion.</p>'
    if not code:
        return _aside(text) + '<p class="read">No program was found in this completion.</p>'
    before, found, after = text.partition(code)
    if not found:
        return _aside(text) + '<p class="read">What was graded:</p>' + _program(code, diagnostics)
    return _aside(before) + _program(code, diagnostics) + _aside(after)


def _diagnostics(diagnostics: Sequence[Record]) -> str:
    """The diagnostics of compiler and linter, errors first."""
    ordered = sorted(diagnostics, key=lambda item: item.get("level") != "error")
    items = []
    for item in ordered[:_MOST_DIAGNOSTICS]:
        level = "error" if item.get("level") == "error" else "warning"
        line = item.get("line")
        place = f" line {line}" if isinstance(line, int) else ""
        code = shortened(_text(item.get("code")), 60)[0]
        message = shortened(_text(item.get("message")), _MESSAGE_CHARACTERS)[0]
        items.append(
            f'<li class="{level}"><b>{level}{place}</b> <i>{escape(code)}</i> <span>{escape(message)}</span></li>'
        )
    more = len(ordered) - _MOST_DIAGNOSTICS
    if more > 0:
        items.append(f"<li>… {more:,} more diagnostics left out …</li>")
    return f'<ul class="diagnostics">{"".join(items)}</ul>' if items else ""


def _output(verdict: Record) -> str:
    """The end of the tests' output, and the grader's reasons."""
    reasons = [_text(verdict.get(key)) for key in ("strict_reason", "reason")]
    said = "".join(
        f'<p class="reason">{escape(shortened(r, _MESSAGE_CHARACTERS)[0])}</p>' for r in reasons if r.strip()
    )
    printed = _text(verdict.get("test_output")).strip()
    if len(printed) > _OUTPUT_CHARACTERS:
        missing = len(printed) - _OUTPUT_CHARACTERS
        printed = f"… {missing:,} characters left out …\n{printed[missing:]}"
    return said + (f'<pre class="output">{escape(printed)}</pre>' if printed else "")


def card_html(record: Record) -> str:
    """One completion as a card.

    Args:
        record: A line of `completions.jsonl`; a key that is absent or has another type is shown as missing.

    Returns: an `<article>` of three parts (facts, completion, diagnostics), which a row of cards aligns.
    """
    verdict = _mapping(record.get("verdict"))
    listed = verdict.get("diagnostics")
    diagnostics = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    kind, sign = success(record)
    code = verdict.get("code")
    outcome = _text(verdict.get("outcome")) or ("no outcome" if code else "no program")
    if outcome == "passed" and kind != "pass":
        outcome = "passed, not strictly"
    reward, tokens = number(record.get("reward")), number(record.get("num_tokens"))
    ended = "" if record.get("terminated") is not False else ", truncated"
    length = f"{compact(tokens)} tokens{ended}" if tokens is not None else ended.strip(", ")
    advantage = _advantage(number(record.get("advantage")))
    facts = (
        f'<p class="outcome {kind}"><b>{sign} {escape(shortened(outcome, 60)[0].replace("_", " "))}</b>'
        f'<span class="id">{escape(shortened(_text(record.get("id")), 60)[0])}</span></p>'
        f'<p class="numbers"><span>reward <b>{"–" if reward is None else compact(reward)}</b></span>'
        f"{advantage}<span>{length}</span></p>"
    )
    said = _diagnostics(diagnostics) + _output(verdict)
    completion = _completion(_text(record.get("text")), code if isinstance(code, str) else None, diagnostics)
    return (
        f'<article class="card {kind}"><div class="facts">{facts}{_checks(record)}{_scores(record)}</div>'
        f'<div class="completion">{completion}</div><div class="said">{said}</div></article>'
    )


def _best_first(records: Sequence[Record]) -> list[Record]:
    """The completions by falling reward; equal ones keep their order, unscored ones come last."""
    rewards = [(number(record.get("reward")), record) for record in records]
    return [r for _, r in sorted(rewards, key=lambda pair: -math.inf if pair[0] is None else pair[0], reverse=True)]


def _strip(records: Sequence[Record]) -> str:
    """One sign per completion, which a folded group shows."""
    return "".join(f'<i class="{kind}">{sign}</i>' for kind, sign in map(success, _best_first(records)))


def _range(records: Sequence[Record]) -> str:
    """The range of the rewards as a sentence."""
    rewards = [value for record in records if (value := number(record.get("reward"))) is not None]
    if not rewards:
        return "No reward"
    low, high = min(rewards), max(rewards)
    return f"Rewards {compact(low)} to {compact(high)}" if low != high else f"Every reward is {compact(low)}"


def _row(caption: str, records: Sequence[Record]) -> str:
    """The completions of one row, best first."""
    ordered = _best_first(records)
    left = len(ordered) - _MOST_COMPLETIONS
    note = f" Left out: {counted(left, 'completion')} with the lowest rewards." if left > 0 else ""
    head = f"<b>{escape(caption)}</b> " if caption else ""
    cards = "".join(card_html(record) for record in ordered[:_MOST_COMPLETIONS])
    said = f"{counted(len(ordered), 'completion')}, best first. {_range(records)}.{note}"
    return f'<p class="caption">{head}{escape(said)}</p><div class="completions" tabindex="0">{cards}</div>'


def group_html(title: str, why: str, rows: Sequence[tuple[str, Sequence[Record]]], *, unfolded: bool) -> str:
    """The completions to one prompt as a foldable block.

    Args:
        title: Step and task.
        why: The rule by which the group was chosen.
        rows: Caption and records of each row; one row, or two for before and after.
        unfolded: Whether the block starts open.

    Returns: a `<details>` element.
    """
    prompt = next((_text(record.get("prompt")) for _, records in rows for record in records), "")
    strips = " → ".join(f'<span class="strip">{_strip(records)}</span>' for _, records in rows)
    shown = escape(shortened(prompt, _PROMPT_CHARACTERS)[0])
    body = "".join(_row(caption, records) for caption, records in rows)
    return (
        f'<details class="group"{" open" if unfolded else ""}><summary>{escape(title)} {strips} '
        f'<span class="why">{escape(why)}</span></summary><pre class="prompt">{shown}</pre>{body}</details>'
    )
