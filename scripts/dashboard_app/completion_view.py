"""One completion with everything that is known about it, and one group side by side.

The program has Rust's colours, and under each line what compiler, linter and failed tests say about it. Failures are
red and passes green, by a sign as well as by the colour. Long texts are cut, and the cut states how much is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard_app.highlighting import rust_lines
from dashboard_app.markup import Markup, element, joined
from dashboard_app.reasons import Earned, earned
from grpo_rust.report.cards import program_lines, success
from grpo_rust.report.reading import Record, number
from grpo_rust.report.scale import compact
from grpo_rust.report.visible import shortened

__all__ = ["completion_view", "group_view", "listing"]

_PANIC = re.compile(r"panicked at src/main\.rs:(\d+):\d+:\n((?:.+\n?)*)")
_MOST_NOTES = 40
_MOST_TILES = 64
_NOTE_CHARACTERS = 1_000
_PROGRAM_CHARACTERS = 40_000
_TILE_CHARACTERS = 4_000
_TEXT_CHARACTERS = 20_000


def completion_view(record: Record, weights: Mapping[str, float]) -> Markup:
    """One completion: facts, rewards with their reasons, prompt, program, and what the tests printed.

    Args:
        record: A line of `completions.jsonl`; what it lacks is shown as missing.
        weights: Of the rewards, from the run's settings.
    """
    if not record:
        return element("p", "This completion is no longer in the log: a resume has cut it off.", kind="still")
    verdict = _mapping(record.get("verdict"))
    code, text = verdict.get("code"), _text(record.get("text"))
    prompt = element("pre", _cut(_text(record.get("prompt"))), kind="prompt")
    reasons = [reason for key in ("strict_reason", "reason") if (reason := _text(verdict.get(key)).strip())]
    printed = _text(verdict.get("test_output")).strip("\n")
    return element(
        "article",
        _facts(record),
        element("div", _rewards(earned(record, weights)), kind="rewards"),
        element("details", element("summary", "prompt"), prompt, open=True),
        _program(text, code if isinstance(code, str) else None, verdict),
        *(element("p", _cut(reason), kind="reason") for reason in dict.fromkeys(reasons)),
        (
            element(
                "details", element("summary", "tests printed"), element("pre", _cut(printed), kind="output"), open=True
            )
            if printed
            else None
        ),
        kind=f"completion {success(record)[0]}",
    )


def group_view(records: Sequence[Record]) -> Markup:
    """The completions to one prompt side by side: failures red, passes green, the best first.

    Args:
        records: Of one group; more than 64 are counted, not drawn.
    """
    if not records:
        return element("p", "No group here.", kind="still")
    ordered = sorted(records, key=lambda record: -(number(record.get("reward")) or 0.0))
    signs = joined(element("i", sign, kind=kind) for kind, sign in map(success, ordered))
    passed = sum(success(record)[0] == "pass" for record in ordered)
    left = len(ordered) - _MOST_TILES
    return joined(
        [
            element("pre", _cut(_text(records[0].get("prompt"))), kind="prompt"),
            element(
                "p",
                f"{passed} of {len(ordered)} pass strictly; highest reward first. ",
                element("span", signs, kind="strip"),
                f" {left} more are not drawn." if left > 0 else "",
                kind="caption",
            ),
            element("div", *map(_tile, ordered[:_MOST_TILES]), kind="tiles"),
        ]
    )


def _tile(record: Record) -> Markup:
    """One completion of a group, small."""
    verdict, (kind, sign) = _mapping(record.get("verdict")), success(record)
    code, reward = verdict.get("code"), number(record.get("reward"))
    first = next((_said(item) for item in _diagnostics(verdict) if item.get("level") == "error"), "")
    why = first or _text(verdict.get("strict_reason"))
    shown = listing(code, verdict, _TILE_CHARACTERS) if isinstance(code, str) else element("pre", "no program")
    return element(
        "section",
        element(
            "p",
            element("b", f"{sign} {_outcome(record)}"),
            element("span", "–" if reward is None else compact(reward), title="reward"),
            kind="outcome",
        ),
        element("p", shortened(why, 200)[0] if kind != "pass" else "", kind="why-not"),
        shown,
        element("p", _short(record.get("id")), kind="id"),
        kind=f"tile {kind}",
    )


def listing(code: str, verdict: Mapping[str, Any], limit: int = _PROGRAM_CHARACTERS) -> Markup:
    """A program with numbered, coloured lines, and under each line what is wrong there.

    Args:
        code: The program.
        verdict: Its diagnostics and what its tests printed are read.
        limit: Characters to show.

    >>> "class=\\"note error\\"" in listing("let a", {"diagnostics": [{"level": "error", "message": "m", "line": 1}]})
    True
    """
    coloured, original = rust_lines(code), code.split("\n")
    notes: dict[int, list[tuple[str, str]]] = {}
    last = len(code.rstrip("\n").split("\n"))
    for place, level, text in _notes(verdict):
        notes.setdefault(min(max(place, 1), last), []).append((level, text))  # a message may be about the end
    parts = []
    for index, line in program_lines(code, limit):
        found = notes.get(index or 0, [])
        mark = "" if not found else "bad" if any(level != "warning" for level, _ in found) else "warn"
        same = index is not None and original[index - 1] == line
        source = coloured[index - 1] if same and index else joined([line])
        numeral = element("span", "" if index is None else str(index), kind="no", aria_hidden="true")
        parts.append(element("div", numeral, element("span", source, kind="src"), kind=f"row {mark}".strip()))
        parts += [element("div", f"{level}: {text}", kind=f"note {level}") for level, text in found]
    return element("div", *parts, kind="listing", tabindex="0")


def _notes(verdict: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    """What has a place in the program: its line, level and text."""
    found: dict[tuple[int, str, str], None] = {}
    for item in _diagnostics(verdict):
        line = item.get("line")
        if isinstance(line, int):
            found[line, "error" if item.get("level") == "error" else "warning", _said(item)] = None
    for place, message in _PANIC.findall(_text(verdict.get("test_output"))):
        lines = [line.strip() for line in message.split("\n") if line.strip() and not line.startswith("note: ")]
        found[int(place[:9]), "panic", ", ".join(lines)] = None
    return [(line, level, shortened(text, _NOTE_CHARACTERS)[0]) for line, level, text in list(found)[:_MOST_NOTES]]


def _said(diagnostic: Mapping[str, Any]) -> str:
    """Code and message of a diagnostic."""
    code, message = _text(diagnostic.get("code")), _text(diagnostic.get("message"))
    return f"{code} {message}".strip()


def _facts(record: Record) -> Markup:
    """Sign, outcome, reward, advantage, length, place."""
    kind, sign = success(record)
    numbers = [("reward", number(record.get("reward"))), ("advantage", number(record.get("advantage")))]
    shown = [f"{name} {compact(value)}" for name, value in numbers if value is not None]
    tokens = number(record.get("num_tokens"))
    if tokens is not None:
        shown.append(f"{compact(tokens)} tokens" + (", truncated" if record.get("terminated") is False else ""))
    place = f"{_short(record.get('id'))} · step {_short(record.get('step'))} · task {_short(record.get('task_id'))}"
    return joined(
        [
            element("p", element("b", f"{sign} {_outcome(record)}"), element("span", place, kind="id"), kind="outcome"),
            element("p", " · ".join(shown), kind="numbers"),
        ]
    )


def _rewards(rewards: Sequence[Earned]) -> Markup:
    """The table of the rewards."""
    head = element("tr", *(element("th", title) for title in ("reward", "score", "weight", "points", "reason")))
    rows = []
    for one in rewards:
        kind = "none" if one.score is None or not one.weight else "pass" if one.score >= 1 else "fail"
        kind = "half" if kind == "fail" and one.score else kind
        numbers = [_number(one.score), _number(one.weight) if one.weight else "", ""]
        numbers[2] = _number(one.points) if one.weight else "not paid"
        cells = [element("td", text) for text in numbers]
        reason = element("td", shortened(one.reason, 400)[0], kind="because")
        rows.append(element("tr", element("th", _short(one.name)), *cells, reason, kind=kind))
    if not rows:
        return element("p", "No reward is logged for this completion.", kind="still")
    return element("table", element("thead", head), element("tbody", *rows))


def _program(text: str, code: str | None, verdict: Mapping[str, Any]) -> Markup:
    """The completion as the model wrote it, with the graded program set apart."""
    if not code:
        words = "No program was found in this completion." if text.strip() else "An empty completion."
        return joined([_aside(text), element("p", words, kind="read")])
    before, found, after = text.partition(code)
    placed = {line for line, _, _ in _notes(verdict)}
    rest = [
        element("p", f"{_text(item.get('level'))}: {_said(item)}"[:_NOTE_CHARACTERS], kind="note error")
        for item in _diagnostics(verdict)
        if item.get("line") not in placed
    ]
    if not found:
        before, after = text, ""
    return joined([_aside(before), listing(code, verdict), *rest[:_MOST_NOTES], _aside(after)])


def _aside(text: str) -> Markup | None:
    """What stands before or after the program."""
    return element("pre", _cut(text.strip("\n")), kind="aside") if text.strip() else None


def _outcome(record: Record) -> str:
    """How the grading ended, in words."""
    verdict = _mapping(record.get("verdict"))
    outcome = _text(verdict.get("outcome")) or ("no outcome" if verdict.get("code") else "no program")
    if outcome == "passed" and success(record)[0] != "pass":
        outcome = "passed, not strictly"
    return shortened(outcome, 60)[0].replace("_", " ")


def _diagnostics(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The diagnostics of a verdict that are records."""
    listed = verdict.get("diagnostics")
    return [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []


def _number(value: float | None) -> str:
    return "–" if value is None else compact(value)


def _short(value: object) -> str:
    return shortened(str(value), 80)[0] if value is not None else "–"


def _cut(text: str) -> str:
    return shortened(text, _TEXT_CHARACTERS)[0]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
