"""A compiler's errors as text for a model, cut at whole messages.

`terminal` is rustc's own rendering, as a terminal shows it; `short` has a line for each error, as of rustc's
--error-format=short; `json` has an object for each, with rustc's names. Warnings are left out, and so is what is to be
done about it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from sandbox.verdict import Diagnostic

__all__ = ["STYLES", "Style", "error_text", "errors_of"]

Style = Literal["terminal", "short", "json"]
STYLES: tuple[Style, ...] = get_args(Style)
LONGEST = 400  # characters of a message in `short` and `json`


def errors_of(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The errors among a compiler's messages; those of clippy are none."""
    return [one for one in diagnostics if one.level == "error" and not (one.code or "").startswith("clippy::")]


def error_text(errors: Sequence[Diagnostic], style: Style, *, source: str, limit: int) -> str:
    """Errors as text.

    Args:
        errors: In the order of the program.
        style: How they are shown.
        source: The program, whose lines stand in for a rendering that is not known.
        limit: Characters at most. The first error is there in any case, and a last line says how many are not.

    >>> error = Diagnostic("error", "E0308", "mismatched types", 3)
    >>> error_text([error, error], "short", source="", limit=40)
    'src/main.rs:3: error[E0308]: mismatched types\\n... and 1 more errors'
    """
    show, between = SHOWN[style], "\n\n" if style == "terminal" else "\n"
    lines = source.split("\n")
    text = show(errors[0], lines) if errors else ""
    for number, error in enumerate(errors[1:], start=1):
        more = between + show(error, lines)
        if len(text) + len(more) > limit:
            return f"{text}\n... and {len(errors) - number} more errors"
        text += more
    return text


def _terminal(error: Diagnostic, lines: Sequence[str]) -> str:
    if error.rendered:
        return error.rendered
    head, line = _head(error, error.message), error.line
    if line is None or not 1 <= line <= len(lines):
        return head
    edge = " " * len(str(line))
    return f"{head}\n{edge}--> src/main.rs:{line}\n{edge} |\n{line} | {lines[line - 1]}\n{edge} |"


def _short(error: Diagnostic, lines: Sequence[str]) -> str:
    place = f"src/main.rs:{error.line}: " if error.line else ""
    return place + _head(error, _one_line(error.message))


def _json(error: Diagnostic, lines: Sequence[str]) -> str:
    record = {"level": error.level, "code": error.code, "message": error.message[:LONGEST], "line": error.line}
    return json.dumps(record, ensure_ascii=False)


def _head(error: Diagnostic, message: str) -> str:
    return f"error[{error.code}]: {message}" if error.code else f"error: {message}"


def _one_line(text: str) -> str:
    return " ".join(text[:LONGEST].split())


SHOWN: Mapping[Style, Callable[[Diagnostic, Sequence[str]], str]] = {
    "terminal": _terminal,
    "short": _short,
    "json": _json,
}
