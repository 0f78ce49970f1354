"""What the tools said of a program, as text, and how a reward function tells it to the log around it.

A reward function returns numbers. `note_tool_output` gives the messages behind them to `rewards.experiment`, which
writes them beside the scores. Where no log listens, it does nothing. Left out: colours, and the source lines that rustc
prints below a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from sandbox.answers.answers import Answers
from sandbox.verdict import Verdict

__all__ = ["note_tool_output", "note_verdicts", "noted_tool_output", "record_output", "verdict_output"]

_listening: ContextVar[dict[int, str] | None] = ContextVar("tool_output", default=None)


def note_tool_output(texts: Sequence[str | None]) -> None:
    """Tell the log around a reward function what the tools said.

    Args:
        texts: One for each completion of the call, in order; None where nothing ran.
    """
    if (noted := _listening.get()) is not None:
        noted.update({place: text for place, text in enumerate(texts) if text is not None})


def note_verdicts(verdicts: Sequence[Verdict | Answers | None]) -> None:
    """Tell the log around a reward function the verdicts behind its scores, one for each completion."""
    if _listening.get() is not None:
        note_tool_output([None if verdict is None else verdict_output(verdict) for verdict in verdicts])


@contextmanager
def noted_tool_output() -> Iterator[dict[int, str]]:
    """Listen to one call of a reward function. Yields: What it notes, by the place of the completion.

    >>> with noted_tool_output() as noted:
    ...     note_tool_output([None, "error: expected `;`"])
    >>> noted
    {1: 'error: expected `;`'}
    """
    noted: dict[int, str] = {}
    token = _listening.set(noted)
    try:
        yield noted
    finally:
        _listening.reset(token)


def verdict_output(verdict: Verdict | Answers) -> str:
    """The messages of a verdict as text, as `record_output` has them."""
    tests = verdict.test_output if isinstance(verdict, Verdict) else ""
    diagnostics = [asdict(message) for message in verdict.diagnostics]
    return record_output({"diagnostics": diagnostics, "test_output": tests, "reason": verdict.reason})


def record_output(record: Mapping[str, Any]) -> str:
    """The messages in a verdict's record: the compiler's and clippy's, a line each, the tests' output, and the reason.

    Args:
        record: As `Verdict.to_json` made it; what it lacks is left out.

    >>> error = {"level": "error", "code": "E0308", "message": "mismatched types", "line": 3}
    >>> record_output({"diagnostics": [error], "test_output": "", "reason": ""})
    'line 3: error[E0308]: mismatched types'
    """
    found = record.get("diagnostics")
    parts = [_message(message) for message in found if isinstance(message, Mapping)] if isinstance(found, list) else []
    parts += [str(record.get(name) or "").strip() for name in ("test_output", "reason")]
    return "\n".join(part for part in parts if part)


def _message(message: Mapping[str, Any]) -> str:
    """One message of rustc or clippy."""
    place = f"line {message['line']}: " if message.get("line") else ""
    code = f"[{message['code']}]" if message.get("code") else ""
    return f"{place}{message.get('level', '')}{code}: {message.get('message', '')}"
