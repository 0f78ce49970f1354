"""What the user reads: a paragraph for each check as it ends, and in the end what failed and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["summary", "told"]

WIDTH = 116
INDENT = " " * 13


def told(name: str, result: Mapping[str, Any]) -> str:
    """A check's status, seconds and figures.

    >>> print(told("head", {"status": "passed", "seconds": 3.21, "figures": {"error_nats": 0.00123, "rows": [1, 2]}}))
    head         passed     3.2 s
                 error_nats 0.00123
    """
    reason = f"  {result['reason']}" if "reason" in result else ""
    figures = "; ".join(f"{key} {_short(value)}" for key, value in result["figures"].items() if _is_plain(value))
    head = textwrap.fill(
        f"{name:12} {result['status']:8} {result['seconds']:5.1f} s{reason}", WIDTH, subsequent_indent=INDENT
    )
    lines = textwrap.fill(figures, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT) if figures else ""
    return f"{head}\n{lines}" if lines else head


def summary(results: Mapping[str, Mapping[str, Any]], path: Path | None) -> str:
    """How many checks passed, and for each that failed what to do."""
    counts: dict[str, int] = {}
    for result in results.values():
        counts[result["status"]] = counts.get(result["status"], 0) + 1
    lines = ["", ", ".join(f"{count} {status}" for status, count in counts.items()) or "nothing was asked"]
    for name, result in results.items():
        if result["status"] not in ("passed", "skipped"):
            lines += [f"{name}: {result['reason']}", f"{INDENT}what to do: {result['advice']}"]
    return "\n".join([*lines, *([f"figures: {path}"] if path else [])])


def _is_plain(value: object) -> bool:
    """Whether a figure is one number or word; lists and tables are in the file."""
    return isinstance(value, str | int | float)


def _short(value: object) -> str:
    """A figure to four digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
