"""Rewards for what cargo said: each maps an `GradedCompletion` to 0..1 with a reason; a failure of the host is None, never 0."""

from __future__ import annotations

from rewards.completion import NO_CODE, GradedCompletion, Score
from rewards.gold import gold_passed
from rewards.strictness.judge import effective_asserts
from sandbox import Outcome, Verdict

__all__ = [
    "cargo_build",
    "cargo_clippy",
    "cargo_test",
    "cargo_test_thorough",
    "clippy_clean",
    "gold",
    "tests_passed_share",
]

THOROUGH_ASSERTS = 2


def cargo_build(answer: GradedCompletion) -> Score:
    """1 when `cargo build` succeeds."""
    verdict = answer.verdict
    if verdict is None or answer.ungraded:
        return _unrun(answer)
    return Score(float(bool(verdict.build)), "builds" if verdict.build else _first_error(verdict))


def cargo_clippy(answer: GradedCompletion) -> Score:
    """1 when `cargo clippy` succeeds: no error, warnings allowed."""
    verdict = answer.verdict
    if verdict is None or answer.ungraded:
        return _unrun(answer)
    return Score(
        float(bool(verdict.clippy)), f"{verdict.warnings} warnings" if verdict.clippy else _first_error(verdict)
    )


def clippy_clean(answer: GradedCompletion) -> Score:
    """1 when clippy succeeds without a single warning."""
    verdict = answer.verdict
    if verdict is None or answer.ungraded:
        return _unrun(answer)
    reason = f"{verdict.warnings} warnings" if verdict.clippy else _first_error(verdict)
    return Score(float(bool(verdict.clippy) and verdict.warnings == 0), reason)


def cargo_test(answer: GradedCompletion) -> Score:
    """1 when the answer passes its own tests strictly, as `rewards.strictness.judge` judges."""
    if answer.verdict is None or answer.ungraded:
        return _unrun(answer)
    return Score(float(answer.judgement.strict), answer.judgement.reason)


def cargo_test_thorough(answer: GradedCompletion) -> Score:
    """A strict pass, paid by its asserts: 1/4 for one, 1 for two or more that are distinct and could have failed.

    Paying for "the tests pass" alone makes a model write fewer asserts, since each one is a risk; paying for asserts
    whether they pass or not makes it write more of them and no better ones. When an assert is right with probability
    p, one earns p / 4 and two earn p^2, so the second is worth its risk from p = 1/4 on.
    """
    if answer.verdict is None or answer.ungraded:
        return _unrun(answer)
    if not answer.judgement.strict or answer.program is None:
        return Score(0.0, answer.judgement.reason)
    count = len(effective_asserts(answer.program))
    return Score(
        (min(count, THOROUGH_ASSERTS) / THOROUGH_ASSERTS) ** 2, f"passes with {count} asserts that could have failed"
    )


def tests_passed_share(answer: GradedCompletion) -> Score:
    """The share of the answer's tests that pass; 0 unless the tests are ones that could fail."""
    verdict = answer.verdict
    if verdict is None or answer.ungraded:
        return _unrun(answer)
    total = verdict.passed + verdict.failed + verdict.ignored
    if verdict.test and not answer.judgement.strict:
        return Score(0.0, answer.judgement.reason)
    if not total or not verdict.genuine:
        return Score(0.0, "no tests reported by the test harness")
    return Score(verdict.passed / total, f"{verdict.passed} of {total} tests pass")


def gold(answer: GradedCompletion) -> Score:
    """1 when the code passes the data's own tests; None where the data has none."""
    if answer.gold is None:
        return Score(None, "no gold tests for this prompt")
    program, verdict = answer.gold
    if program is None or verdict is None:
        return Score(0.0, NO_CODE if answer.code is None else "the code redefines what the gold tests compare with")
    if verdict.outcome is Outcome.HOST_ERROR:
        return Score(None, verdict.reason)
    return Score(float(gold_passed(program, verdict)), f"{verdict.passed} of {program.num_tests} gold tests pass")


def _unrun(answer: GradedCompletion) -> Score:
    """The score of an answer that was not graded: 0 without code, None when the sandbox failed."""
    if answer.ungraded:
        assert answer.verdict is not None
        return Score(None, f"the sandbox failed: {answer.verdict.reason}")
    return Score(0.0, NO_CODE)


def _first_error(verdict: Verdict) -> str:
    """The first error in words."""
    if verdict.reason:
        return verdict.reason
    errors = [d for d in verdict.diagnostics if d.level == "error"]
    if not errors:
        return str(verdict.outcome)
    where = f"line {errors[0].line}: " if errors[0].line else ""
    return where + errors[0].message
