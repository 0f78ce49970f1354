"""Do a draft's code and tests pass here, by the rules that completions are judged by?"""

from __future__ import annotations

from dataset.writing.drafts import Draft, Dropped
from rewards.demonstration import one_block
from rewards.gold.result import GoldKind
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.rust.parse import extract_code
from rewards.strictness.judge import judge
from rewards.strictness.submit import Submission
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = ["grade_draft"]

FAULTS = {  # why cargo's tests do not count, in words that can be counted
    Outcome.TIMEOUT: "out of time",
    Outcome.OUT_OF_MEMORY: "out of memory",
    Outcome.BUILD_ERROR: "the code does not build",
    Outcome.TEST_BUILD_ERROR: "the tests do not build",
    Outcome.UNTRUSTED: "the code could write its tests' report",
    Outcome.FORGED: "the report of the tests does not agree with itself",
    Outcome.TEST_FAILED: "a test fails",
    Outcome.NO_TESTS: "no test runs",
}


def grade_draft(draft: Draft, pool: SandboxPool) -> GoldKind:
    """Grade a draft twice: the code with its tests as one program, strictly, and the tests as gold tests of the code.

    Args:
        draft: The code and the tests.
        pool: Runs them.
    Returns: The kind of its gold tests.
    Raises:
        Dropped: Where it does not pass.
        SandboxError: Where the host cannot tell.
    """
    program = extract_code(one_block(draft.rust_code, draft.rust_test_list))
    if program is None:
        raise Dropped("grading", "no program")
    verdict = Submission(pool, program).future.result()
    _check_host(verdict.outcome, verdict.reason)
    if verdict.evidence is not None:
        _check_host(verdict.evidence.outcome, verdict.evidence.reason)
    if verdict.outcome in FAULTS:
        raise Dropped("grading", FAULTS[verdict.outcome], _said(verdict))
    judgement = judge(program, verdict)
    if not judgement.strict:
        raise Dropped("grading", "the pass is not strict", judgement.reason)
    run = gold_run(draft.rust_code, {"rust_test_list": draft.rust_test_list})
    if run is None:
        raise Dropped("grading", "the code redefines what gold tests rely on")
    found = submit_gold(run, pool).result()
    _check_host(found.outcome, found.reason)
    result = gold_result(run, found)
    if not result.ok:
        raise Dropped("grading", "a gold test fails", result.reason)
    return result.kind


def _check_host(outcome: Outcome, reason: str) -> None:
    """Raises: SandboxError for a failure of the host: it says nothing about the program."""
    if outcome is Outcome.HOST_ERROR:
        raise SandboxError(reason)


def _said(verdict: Verdict) -> str:
    """The first error, or the reason."""
    errors = [diagnostic.message for diagnostic in verdict.diagnostics if diagnostic.level == "error"]
    return (errors[0] if errors else verdict.reason)[:200]
