"""What a model is told of its program between two tries: cargo's verdict in words, never the gold tests.

Promises a bounded length, and nothing that the program's own build and tests did not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewards.grader import RustGrade
from sandbox.counted import counted

__all__ = ["feedback"]

MOST_DIAGNOSTICS = 8
MESSAGE_CHARACTERS = 600
OUTPUT_CHARACTERS = 1_500
NO_PROGRAM = "There is no program: give the whole file, with its tests, in one ```rust block."
OUTCOMES = {
    "passed": "It builds, and all of its tests pass.",
    "lint_error": "It builds and its tests pass, but clippy has errors.",
    "test_failed": "It builds, but tests fail.",
    "no_tests": "It builds, but it has no tests.",
    "build_error": "It does not build.",
    "test_build_error": "It builds, but its tests do not.",
}


def feedback(grade: RustGrade) -> str:
    """A grade as text for a model.

    Args:
        grade: Of its completion; what it has of gold tests is not read.

    >>> feedback(RustGrade({}, verdict={"code": "fn a(", "outcome": "build_error", "diagnostics": [
    ...     {"level": "error", "code": None, "message": "unclosed delimiter", "line": 1}]}))
    'It does not build.\\nerror, line 1: unclosed delimiter'
    """
    verdict = grade.verdict
    if verdict.get("code") is None:
        return NO_PROGRAM
    outcome = str(verdict.get("outcome"))
    lines = [OUTCOMES.get(outcome, f"Outcome: {outcome.replace('_', ' ')}.")]
    if outcome == "passed" and grade.checks.get("test_strict") == 0:
        lines.append(f"That does not count: {_cut(str(verdict.get('strict_reason')), MESSAGE_CHARACTERS)}.")
    found = sorted(verdict.get("diagnostics") or (), key=lambda one: one.get("level") != "error")
    lines += [_diagnostic(one) for one in found[:MOST_DIAGNOSTICS]]
    if len(found) > MOST_DIAGNOSTICS:
        lines.append(f"... and {counted(len(found) - MOST_DIAGNOSTICS, 'more message')}")
    if outcome == "test_failed" and verdict.get("test_output"):
        lines.append(str(verdict["test_output"])[-OUTPUT_CHARACTERS:].strip())
    return "\n".join(lines)


def _diagnostic(one: Mapping[str, Any]) -> str:
    code = f"[{one['code']}]" if one.get("code") else ""
    place = f", line {one['line']}" if one.get("line") else ""
    return f"{one.get('level')}{code}{place}: {_cut(str(one.get('message', '')), MESSAGE_CHARACTERS)}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
