"""What a model is told between two turns: cargo's words on its own program, and nothing of gold tests."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from rewards.completion import Gold, GradedCompletion
from rewards.feedback import MESSAGE_CHARACTERS, MOST_DIAGNOSTICS, NO_PROGRAM, OUTPUT_CHARACTERS, next_message
from rewards.gold.result import GoldResult
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from rewards.tasks.function import FUNCTION
from rewards.tasks.known import TASKS
from sandbox.verdict import Diagnostic, Evidence, Outcome, Verdict

PROGRAM = "```rust\nfn add(a: i32, b: i32) -> i32 { a - b }\n```"
UNCLOSED = Diagnostic("error", None, "unclosed delimiter", 1)


def said(outcome: Outcome, text: str = PROGRAM, **facts: Any) -> str | None:
    return next_message(GradedCompletion(text, Verdict(outcome, **facts)))


def test_the_message_is_the_verdict_and_what_to_do() -> None:
    message = said(Outcome.BUILD_ERROR, diagnostics=(UNCLOSED,))
    assert message == f"It does not build.\nerror, line 1: unclosed delimiter\n\n{FUNCTION.again}"


def test_a_completion_without_a_program_is_told_so() -> None:
    assert next_message(GradedCompletion("I cannot.")) == NO_PROGRAM


def test_nothing_is_said_where_the_host_failed() -> None:
    assert said(Outcome.HOST_ERROR, reason="no space left") is None
    assert said(Outcome.PASSED, evidence=Evidence(Outcome.HOST_ERROR)) is None


def test_a_pass_that_is_not_strict_is_told_why() -> None:
    """The program has no test, whatever the verdict says."""
    message = said(Outcome.PASSED, build=True, clippy=True, test=True, genuine=True)
    assert message is not None and "It builds, and all of its tests pass.\nThat does not count: " in message


def test_gold_tests_are_not_heard_of() -> None:
    """The same words with gold tests that fail, and with none."""
    verdict = Verdict(Outcome.BUILD_ERROR, diagnostics=(UNCLOSED,))
    failed = Gold(GoldResult(0, 1, "add(20, 22) is 42", "tests"), Verdict(Outcome.TEST_FAILED))
    assert next_message(GradedCompletion(PROGRAM, verdict, failed)) == next_message(GradedCompletion(PROGRAM, verdict))


def test_a_task_without_tests_of_ones_own_is_asked_for_none() -> None:
    task = TASKS["patch"]
    row = {"program": "fn one() -> u8 { 2 }\n", "request": "Make it 1."}

    def told(verdict: Verdict | None, text: str) -> str | None:
        return next_message(GradedCompletion(text, verdict, task=task, row=row))

    diff = "```diff\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1 +1 @@\n-fn one() -> u8 { 2 }\n+fn one() -> u8 { 1 }\n```"
    assert told(Verdict(Outcome.NO_TESTS, build=True, clippy=True, test=True), diff) is None
    assert told(Verdict(Outcome.PASSED, build=True, clippy=True, test=True, passed=1), diff) is None
    assert told(Verdict(Outcome.TEST_FAILED, build=True, test_output="left: 2"), diff) == (
        f"It builds, but tests fail.\nleft: 2\n\n{task.again}"
    )
    lint = told(Verdict(Outcome.NO_TESTS, build=True, clippy=False, test=True, diagnostics=(UNCLOSED,)), diff)
    assert lint is not None and lint.startswith("It builds and its tests pass, but clippy has errors.\nerror, line 1")
    unread = told(None, "I cannot.")
    assert unread is not None and unread.startswith("There is no program: ") and unread.endswith(f"\n\n{task.again}")


def test_a_message_has_a_bounded_length() -> None:
    many = tuple(Diagnostic("error", "E0308", "x" * 100_000, number) for number in range(1000))
    message = said(Outcome.TEST_FAILED, diagnostics=many, test_output="y" * 1_000_000)
    assert message is not None
    assert len(message) < (MOST_DIAGNOSTICS + 1) * (MESSAGE_CHARACTERS + 50) + OUTPUT_CHARACTERS + len(FUNCTION.again)


class Pool:
    """Gives each program the verdict that stands in its comment; one that has none is never graded."""

    jobs, busy_s = 1, 0.0

    def __init__(self) -> None:
        self.running: list[Future[Verdict]] = []
        self.cancelled: list[str] = []

    def submit(self, source: str) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        self.running.append(future)
        if "fails" in source:
            future.set_result(Verdict(Outcome.BUILD_ERROR, diagnostics=(UNCLOSED,)))
        return future

    def cancel(self, future: Future[Any], reason: str) -> None:
        self.cancelled.append(reason)
        future.set_result(Verdict(Outcome.HOST_ERROR, reason=reason))


def completion(name: str, text: str) -> Any:
    return SimpleNamespace(id=name, text=text, token_ids=())


def test_the_grader_says_it_without_scoring_and_grades_afterwards() -> None:
    grader = RustGrader(Rubric({"cargo_build": 1.0}), Pool(), deadline_s=10)  # type: ignore[arg-type]
    example: Any = SimpleNamespace(messages=(), columns={}, tester_ids=())
    texts = ("```rust\nfn a( // fails\n```", "nothing")
    tickets = [grader.start(example, completion(str(number), text)) for number, text in enumerate(texts)]
    messages = grader.feedback(tickets)
    assert messages[0] is not None and messages[0].startswith("It does not build.") and messages[1] == NO_PROGRAM
    assert [grade.rewards["cargo_build"] for grade in grader.finish(tickets)] == [0.0, 0.0]


def test_a_verdict_that_does_not_come_is_waited_for_once(caplog: pytest.LogCaptureFixture) -> None:
    pool = Pool()
    grader = RustGrader(Rubric({"cargo_build": 1.0}), pool, deadline_s=0.05)  # type: ignore[arg-type]
    example: Any = SimpleNamespace(messages=(), columns={}, tester_ids=())
    tickets = [grader.start(example, completion(str(number), PROGRAM)) for number in range(20)]
    assert grader.feedback(tickets) == [None] * 20, "one deadline for all"
    assert len(pool.cancelled) == 20
