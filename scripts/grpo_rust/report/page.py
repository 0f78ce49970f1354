"""The report of a run as one file that needs nothing else: no network, no script, no font, no image.

The content security policy forbids everything but the page's own style sheet, named by its hash. Text from models and
programs is escaped as well, so an attack would have to pass both. The same run directory gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grpo_rust.report.groups import groups_html
from grpo_rust.report.money import money_html
from grpo_rust.report.pictures import pictures
from grpo_rust.report.reading import RunFiles, number, read_run
from grpo_rust.report.scale import compact
from grpo_rust.report.style import STYLE
from grpo_rust.report.table import html_table
from grpo_rust.report.visible import escape, shortened
from grpo_rust.terminal.durations import duration

__all__ = ["page_html", "write_report"]

_DOCUMENT_CHARACTERS = 20_000
_SETTINGS = (  # section, key, and the text around the value
    ("train", "prompts_per_step", "{} prompts"),
    ("sampling", "group_size", "× {} completions a step"),
    ("sampling", "temperature", "temperature {}"),
    ("train", "lr", "learning rate {}"),
    ("loss", "kl_beta", "KL weight {}"),
    ("loss", "aggregation", "{} aggregation"),
    ("run", "seed", "seed {}"),
)

_DEMONSTRATED = (  # of supervised fine-tuning, which samples nothing in a step and has no sections loss and rewards
    ("train", "prompts_per_step", "{} demonstrations a step"),
    ("train", "lr", "learning rate {}"),
    ("run", "seed", "seed {}"),
)


def _setting(run: RunFiles, section: str, key: str) -> Any:
    """One value of the resolved recipe, None where it is missing."""
    found = run.config.get(section)
    return found.get(key) if isinstance(found, dict) else None


def _day(stamp: float | None) -> str:
    """A time stamp as date and time in UTC; empty where it is none."""
    if stamp is None:
        return ""
    try:
        return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return ""


def _dates(run: RunFiles) -> str:
    """From the start to the last graded completion."""
    first, last = _day(run.started), _day(run.ended)
    if not first or not last:
        return f"{first or last} UTC" if first or last else ""
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC"


def _facts(run: RunFiles) -> str:
    """The line under the title: model, steps, seconds, dates."""
    summary = run.summary or {}
    spent = sum(number(record.get("time/step")) or 0.0 for record in run.steps)
    seconds = number(summary.get("seconds")) or spent
    steps = number(summary.get("steps"))
    count = int(steps) if steps is not None else len(run.steps)
    state = f"{count:,} {'step' if count == 1 else 'steps'}" + (f" in {duration(seconds)}" if seconds else "")
    if run.summary is None:
        state += ", not finished"
    model = _setting(run, "model", "path")
    facts = [shortened(str(model), 200)[0] if model else "", state, _dates(run)]
    return " · ".join(escape(fact) for fact in facts if fact)


def _settings(run: RunFiles) -> str:
    """The most important settings, in one line."""
    found = []
    rewarded = not run.steps or any("reward/mean" in record for record in run.steps)
    for section, key, words in _SETTINGS if rewarded else _DEMONSTRATED:
        value = _setting(run, section, key)
        if value is not None:
            shown = compact(value) if isinstance(value, float) else shortened(str(value), 60)[0]
            found.append(words.format(shown))
    return escape(", ".join(found).replace(", ×", " ×"))


def _unreadable(run: RunFiles) -> str:
    """How many lines could not be read; empty where all could."""
    parts = [f"{count:,} of {name}" for name, count in sorted(run.unreadable.items())]
    if not parts:
        return ""
    return f'<p class="alert">Lines skipped because they are torn or no records: {escape(", ".join(parts))}.</p>'


def _documents(run: RunFiles) -> str:
    """The recipe and the environment, folded."""
    environment = json.dumps(run.environment, indent=2, ensure_ascii=False) if run.environment else ""
    parts = []
    for name, text in (("config.toml", run.config_text), ("environment.json", environment)):
        if text:
            shown = escape(shortened(text, _DOCUMENT_CHARACTERS)[0])
            parts.append(f'<details><summary>{name}</summary><pre class="document">{shown}</pre></details>')
    return "<h2>How it was run</h2>" + "".join(parts) if parts else ""


def _policy() -> str:
    """The content security policy: this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def page_html(run: RunFiles) -> str:
    """The whole page of a run as text."""
    title = escape(shortened(run.name, 200)[0])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>"
        f'<header><h1>{title}</h1><p class="facts">{_facts(run)}</p><p class="settings">{_settings(run)}</p>'
        f"{_unreadable(run)}</header>\n<main>"
        f"<section><h2>What it learned</h2>{html_table(run)}</section>\n"
        f"<section><h2>Time and money</h2>{money_html(run)}</section>\n"
        f"<section><h2>How it went</h2>{pictures(run)}</section>\n"
        f"<section><h2>What it wrote</h2>{groups_html(run)}</section>\n"
        f"<section>{_documents(run)}</section></main></body></html>\n"
    )


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run directory, whole or not at all.

    Args:
        run_dir: The folder that `scripts/train.py` wrote; the run may be unfinished.

    Returns: the path of the page.

    Raises:
        ReportError: Where it is no run directory.
        OSError: Where the page cannot be written.
    """
    target = run_dir / "report.html"
    draft = run_dir / "report.html.part"
    text = page_html(read_run(run_dir))
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target
