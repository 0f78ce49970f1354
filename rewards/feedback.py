"""What a model is told of its program between two tries: cargo's verdict in words, never the gold tests.

Promises a bounded length, and nothing that the program's own build and tests did not show. What these printed is as
they printed it: whoever puts it into a chat makes it safe (`grpo.model.turn_tokens`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from rewards.completion import GradedCompletion
from sandbox.terminal import counted
from sandbox.verdict import Outcome

__all__ = ["feedback", "next_message", "verdict_text"]

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


class _Grade(Protocol):
    """The part of `rewards.grader.RustGrade` that is read."""

    @property
    def checks(self) -> Mapping[str, float | None]: ...
    @property
    def verdict(self) -> Mapping[str, Any]: ...


def feedback(grade: _Grade) -> str:
    """A grade as text for a model.

    Args:
        grade: Of its completion; what it has of gold tests is not read.
    """
    return verdict_text(grade.verdict, strict=grade.checks.get("test_strict") != 0)


def next_message(completion: GradedCompletion) -> str | None:
    """What a user says next, who knows what cargo says of a completion's program and nothing of gold tests.

    Args:
        completion: With the verdict on its program.
    Returns: None where the program passes its own tests strictly, where it builds, lints and fails no test although its
        task asks for none, and where the sandbox could not say.
    """
    verdict, task, judgement = completion.verdict, completion.task, completion.judgement
    writes_tests = "tests" in task.gives
    if completion.ungraded:
        return None
    if verdict is None:
        return NO_PROGRAM if writes_tests else f"There is no program: {completion.no_code}.\n\n{task.again}"
    strict = judgement.strict or not writes_tests
    if verdict.outcome is Outcome.NO_TESTS and not writes_tests:
        verdict = replace(verdict, outcome=Outcome.PASSED if verdict.clippy else Outcome.LINT_ERROR)
    if verdict.outcome is Outcome.PASSED and strict:
        return None
    record = {**verdict.to_json(), "code": completion.code, "strict_reason": judgement.reason}
    return f"{verdict_text(record, strict=strict)}\n\n{task.again}"


def verdict_text(verdict: Mapping[str, Any], *, strict: bool) -> str:
    """A verdict as text.

    Args:
        verdict: What `RustGrade.verdict` holds.
        strict: Whether a pass counts.

    >>> error = {"level": "error", "code": None, "message": "unclosed delimiter", "line": 1}
    >>> verdict_text({"code": "fn a(", "outcome": "build_error", "diagnostics": [error]}, strict=False)
    'It does not build.\\nerror, line 1: unclosed delimiter'
    """
    if verdict.get("code") is None:
        return NO_PROGRAM
    outcome = str(verdict.get("outcome"))
    lines = [OUTCOMES.get(outcome, f"Outcome: {outcome.replace('_', ' ')}.")]
    if outcome == "passed" and not strict:
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
