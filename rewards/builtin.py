"""The built-in rewards: each function maps a `GradedCompletion` to a score from 0 to 1, with its reason.

Promises that a failure of the host scores None and never 0. Left out: running programs (`rewards.grader`,
`rewards.trl_functions`), the weights of a run (`rewards.rubric`), whether a pass is strict
(`rewards.strictness.judge`), and the rewards of single tasks (`rewards.tasks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from rewards.completion import GradedCompletion, Score
from rewards.registry import published_weights, reward
from rewards.rust.parse import code_blocks
from rewards.strictness.judge import effective_asserts, mutation_score, thoroughness
from sandbox.terminal import counted
from sandbox.verdict import Outcome, Verdict

__all__ = ["PUBLISHED_WEIGHTS"]

MAX_ASSERTS = 4  # number of asserts from which `asserts` pays 1
UNWRITTEN = {"todo", "unimplemented"}  # macros that stand in for a body still to be written


@reward(phase="build", published_weight=1.0)
def cargo_build(completion: GradedCompletion) -> Score:
    """1 when `cargo build` succeeds."""
    verdict = completion.verdict
    if verdict is None or completion.ungraded:
        return _no_verdict(completion)
    return Score(float(bool(verdict.build)), "builds" if verdict.build else _first_error(verdict))


@reward(phase="clippy", published_weight=1.0)
def cargo_clippy(completion: GradedCompletion) -> Score:
    """1 when `cargo clippy` succeeds: no error, warnings allowed."""
    verdict = completion.verdict
    if verdict is None or completion.ungraded:
        return _no_verdict(completion)
    return Score(float(bool(verdict.clippy)), _clippy_reason(verdict))


@reward(phase="test", published_weight=2.0, judges="tests")
def cargo_test(completion: GradedCompletion) -> Score:
    """1 when the completion passes its own tests strictly, as `rewards.strictness.judge` judges."""
    if completion.verdict is None or completion.ungraded:
        return _no_verdict(completion)
    return Score(float(completion.judgement.strict), completion.judgement.reason)


@reward(phase="test", judges="tests")
def cargo_test_thorough(completion: GradedCompletion) -> Score:
    """1/4 for a strict pass with one assert that a change of the code makes false, 1 for two or more distinct ones.

    Paying for "the tests pass" alone makes a model write fewer asserts, since each one is a risk; paying for asserts
    whether they pass or not makes it write more of them and no better ones. When an assert is right with probability
    p, one earns p / 4 and two earn p^2, so the second is worth its risk from p = 1/4 on.
    """
    if completion.verdict is None or completion.ungraded:
        return _no_verdict(completion)
    if not completion.judgement.strict:
        return Score(0.0, completion.judgement.reason)
    count = len(effective_asserts(completion.verdict.evidence))
    paid = thoroughness(completion.verdict.evidence)
    return Score(paid, f"passes with {counted(count, 'assert')} that a change of the code made false")


@reward(phase="test", pays="tests", judges="tests")
def mutation(completion: GradedCompletion) -> Score:
    """The share of small changes of the code that its own tests notice; 0 where they do not pass strictly."""
    if completion.verdict is None or completion.ungraded:
        return _no_verdict(completion)
    score = mutation_score(completion.verdict.evidence)
    if not completion.judgement.strict or score is None:
        return Score(0.0, completion.judgement.reason)
    return Score(score, f"the tests notice {score:.0%} of the changes of the code")


@reward(published_weight=1.0, pays="code")
def non_empty(completion: GradedCompletion) -> Score:
    """1 when some function outside the tests has a body that does something (`todo!()` does not)."""
    if completion.program is None:
        return Score(0.0, completion.no_code)
    written = [
        name
        for name, body in completion.program.functions.items()
        if body.statements and not (body.statements == 1 and body.macros & UNWRITTEN)
    ]
    return Score(1.0, f"{written[0]} has a body") if written else Score(0.0, "no function outside the tests has a body")


@reward(published_name="code_block_count_reward_func", published_weight=0.5, judges="block")
def code_block(completion: GradedCompletion) -> Score:
    """1 for exactly one closed ```rust block."""
    count = len(code_blocks(completion.text))
    return Score(float(count == 1), counted(count, "closed ```rust block") if count else completion.no_code)


@reward(published_name="test_block_count_reward_func", published_weight=0.5, pays="tests", judges="tests")
def test_block(completion: GradedCompletion) -> Score:
    """1 for exactly one `#[cfg(test)] mod` with a test in it."""
    if completion.program is None:
        return Score(0.0, completion.no_code)
    blocks, tests = completion.program.num_test_modules, len(completion.program.tests)
    return Score(float(blocks == 1 and tests > 0), f"{counted(blocks, 'test module')}, {counted(tests, 'test')}")


@reward(published_name="tests_have_asserts_reward_func", published_weight=1.0, pays="tests", judges="tests")
def asserts(completion: GradedCompletion) -> Score:
    """1/4 for each distinct assert in the tests, at most 1, whether they pass or not."""
    if completion.program is None:
        return Score(0.0, completion.no_code)
    count = len({found.text for found in completion.program.asserts})
    return Score(min(count, MAX_ASSERTS) / MAX_ASSERTS, counted(count, "distinct assert"))


@reward(phase="test", judges="tests")
def tests_passed_share(completion: GradedCompletion) -> Score:
    """The share of the completion's tests that pass; 0 where all pass but not strictly, or none is reported."""
    verdict = completion.verdict
    if verdict is None or completion.ungraded:
        return _no_verdict(completion)
    total = verdict.passed + verdict.failed + verdict.ignored
    if verdict.test and not completion.judgement.strict:
        return Score(0.0, completion.judgement.reason)
    if not total or not verdict.genuine:
        return Score(0.0, "no tests reported by the test harness")
    return Score(verdict.passed / total, f"{verdict.passed} of {counted(total, 'test')} pass")


@reward(phase="clippy")
def clippy_clean(completion: GradedCompletion) -> Score:
    """1 when clippy succeeds without a single warning."""
    verdict = completion.verdict
    if verdict is None or completion.ungraded:
        return _no_verdict(completion)
    return Score(float(bool(verdict.clippy) and verdict.warnings == 0), _clippy_reason(verdict))


@reward(phase="test", on_gold_tests=True, pays="code")
def gold(completion: GradedCompletion) -> Score:
    """1 when the code passes the prompt's gold tests; None where the prompt has none, or they do not apply to it."""
    if completion.gold is None:
        return Score(None, "no gold tests for this prompt")
    result, verdict, _ = completion.gold
    if result is not None and result.inapplicable:
        return Score(None, f"the gold tests do not apply: {result.inapplicable}")
    if result is None:
        reason = (
            completion.no_code if completion.code is None else "the code redefines what the gold tests compare with"
        )
        return Score(0.0, reason)
    if verdict is not None and verdict.outcome is Outcome.HOST_ERROR:
        return Score(None, verdict.reason)
    counts = f"{result.passed} of {result.total} gold tests pass"
    return Score(float(result.ok), counts if result.ok else f"{counts}: {result.reason}")


@reward(phase="test", on_gold_tests=True, pays="code")
def gold_passed_share(completion: GradedCompletion) -> Score:
    """The share of the prompt's gold tests that the code passes; None where `gold` is None, 0 for a report in doubt.

    It leads to `gold` where no completion passes all. A constant answer can pass some tests: give it a small weight.
    """
    whole = gold(completion)
    result, verdict, _ = completion.gold or (None, None, False)
    if result is None or whole.value != 0.0:
        return whole
    if isinstance(verdict, Verdict) and not verdict.genuine:
        return Score(0.0, whole.reason)
    share = result.passed / result.total if result.passed < result.total else 0.0  # all, and yet not `ok`: in doubt
    return Score(share, whole.reason)


# As published. For the code block that experiment's text says 1.0; its function scores 0.5, and no version uses it.
PUBLISHED_WEIGHTS: Mapping[str, float] = published_weights()


def _no_verdict(completion: GradedCompletion) -> Score:
    """The score of a completion without a verdict on its program: 0 without code, None where the sandbox failed."""
    if completion.ungraded:
        assert completion.verdict is not None
        failed = completion.verdict.evidence or completion.verdict
        return Score(None, f"the sandbox failed: {failed.reason}")
    return Score(0.0, completion.no_code)


def _clippy_reason(verdict: Verdict) -> str:
    return counted(verdict.warnings, "warning") if verdict.clippy else _first_error(verdict)


def _first_error(verdict: Verdict) -> str:
    """The sandbox's reason if it gives one, else the first error message, else the outcome."""
    if verdict.reason:
        return verdict.reason
    errors = [d for d in verdict.diagnostics if d.level == "error"]
    if not errors:
        return str(verdict.outcome)
    where = f"line {errors[0].line}: " if errors[0].line else ""
    return where + errors[0].message
