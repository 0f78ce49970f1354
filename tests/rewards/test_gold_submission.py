"""Gold tests are run where their program may pass them, and a program that does not build fails them unrun."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from rewards.gold.run import GoldRun, GoldSubmission, gold_result, gold_run, submit_gold
from sandbox import Outcome, PoolClosed, Verdict
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.verdict import Diagnostic

CASES = {"rust_test_list": ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(2, 2), 4);"]}
LOOP = "for n in 0..2 { assert_eq!(super::add(n, 2), n + 2); }"  # so that it is run as it is
MODULE = {"gold_tests": f"#[cfg(test)]\nmod gold {{\n #[test]\n fn sum() {{ {LOOP} }}\n}}"}
ADD = "fn add(a: i32, b: i32) -> i32 { a + b }\n"
BROKEN = "fn add(a: i32, b: i32) -> i32 { a + c }\n"
BROKEN_TEST = "#[cfg(test)]\nmod tests {\n #[test]\n fn sum() { assert_eq!(super::add(1, 2), nothing); }\n}\n"


class Counting:
    """Passes on to a pool, and counts what gold tests ask of it."""

    def __init__(self, pool: Any) -> None:
        self.pool, self.asked = pool, 0

    def submit(self, source: str, *, phases: Sequence[str] = ()) -> Future[Verdict]:
        self.asked += 1
        return self.pool.submit(source, phases=phases)

    def submit_calls(self, calls: Calls) -> Future[Answers]:
        self.asked += 1
        return self.pool.submit_calls(calls)

    def cancel(self, future: Future[Any], reason: str) -> None:
        self.pool.cancel(future, reason)


def run_of(code: str, row: dict[str, Any]) -> GoldRun:
    found = gold_run(code, row)
    assert found is not None
    return found


@pytest.mark.parametrize("row", [CASES, MODULE])
@pytest.mark.parametrize("code", [ADD, ADD.replace("+", "-"), BROKEN, BROKEN + BROKEN_TEST, ADD + BROKEN_TEST])
def test_the_result_is_that_of_the_gold_tests_alone(pool, code, row):
    run, counting = run_of(code, row), Counting(pool)
    sent = GoldSubmission(run, counting, pool.submit(code))
    found, alone = sent.future.result(60), submit_gold(run, pool).result(60)
    result, expected = gold_result(run, found), gold_result(run, alone)
    assert (found.outcome, result.passed, result.total) == (alone.outcome, expected.passed, expected.total)
    assert result.passes == expected.passes and bool(result.reason) == bool(expected.reason)
    assert counting.asked == (code != BROKEN)
    if code == BROKEN:
        assert "cannot find value `c`" in result.reason and found.diagnostics and found.cpu_ms == 0


# A build that fails, and tests that pass: the parser does not see them, or they are made by a macro.
MADE = "macro_rules! m { () => { #[test] fn t() { add(1, 2); } } }\nm!();\n"
UNBUILT = {
    "a lint": f"#![deny(dead_code)]\n{MADE}",
    "a switch": '#[cfg(not(test))] compile_error!("");\n#[core::prelude::v1::test] fn t() {}\n',
    "neither": "#[core::prelude::v1::test] fn t() {}\nfn main() { let x: u8 = add(1, 2); }\n",
}


@pytest.mark.parametrize("row", [CASES, MODULE])
@pytest.mark.parametrize("name", UNBUILT)
def test_passes_of_a_program_that_does_not_build_are_none_of_its_gold_tests(pool, name, row):
    code = UNBUILT[name] + "fn add(a: i32, b: i32) -> i32 { 0 }\n"
    own = pool.submit(code)
    assert not own.result(60).build
    sent = GoldSubmission(run_of(code, row), pool, own)
    result = gold_result(sent.run, sent.future.result(60))
    assert result.passed == 0 and result.reason


@pytest.mark.parametrize("row", [CASES, MODULE])
def test_of_a_verdict_on_a_failed_build_only_the_messages_are_taken_over(row):
    said = (Diagnostic("error", "E0425", "cannot find value", 1),)
    verdict = Verdict(Outcome.BUILD_ERROR, build=False, test=True, genuine=True, passed=1, diagnostics=said, cpu_ms=9.0)
    own: Future[Verdict] = Future()
    sent = GoldSubmission(run_of(ADD, row), Counting(None), own)
    assert not sent.future.done()
    own.set_result(verdict)
    found = sent.future.result(0)
    assert found.outcome in (Outcome.BUILD_ERROR, Outcome.TEST_BUILD_ERROR)
    assert (found.diagnostics, found.cpu_ms) == (said, 0.0)
    result = gold_result(sent.run, found)
    assert result.passed == 0 and "cannot find value" in result.reason


@pytest.mark.parametrize("row", [CASES, MODULE])
@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.HOST_ERROR])
def test_nobody_knows_what_gold_tests_say_of_a_program_whose_grading_was_stopped(row, outcome):
    own: Future[Verdict] = Future()
    sent = GoldSubmission(run_of(ADD, row), Counting(None), own)
    own.set_result(Verdict(outcome, reason="it was stopped"))  # no word of its build
    assert (sent.future.result(0).outcome, sent.future.result(0).reason) == (Outcome.HOST_ERROR, "it was stopped")


@pytest.mark.parametrize("before", ["#![deny(dead_code)]", '#[cfg(not(test))] compile_error!("");'])
def test_a_program_that_builds_only_beside_its_gold_tests_passes_them(pool, before):
    code = f"{before}\n{ADD}"
    own = pool.submit(code)
    sent = GoldSubmission(run_of(code, MODULE), pool, own)
    assert not own.result(60).build
    assert gold_result(sent.run, sent.future.result(60)).passed == 1


def test_an_error_in_the_pool_is_the_hosts():
    class Failing(Counting):
        def submit_calls(self, calls: Calls) -> Future[Answers]:
            raise RuntimeError("can't start new thread")

    own: Future[Verdict] = Future()
    sent = GoldSubmission(run_of(ADD, CASES), Failing(None), own)
    own.set_result(Verdict(Outcome.NO_TESTS, build=True))
    assert sent.future.result(0).outcome is Outcome.HOST_ERROR
    assert sent.future.result(0).reason == "RuntimeError: can't start new thread"


@pytest.mark.parametrize("row", [CASES, MODULE])
def test_gold_tests_that_are_cancelled_before_they_are_sent_are_not_sent_later(row):
    own: Future[Verdict] = Future()
    sent = GoldSubmission(run_of(ADD, row), Counting(None), own)
    sent.cancel("too late")
    own.set_result(Verdict(Outcome.NO_TESTS, build=True))
    assert sent.future.result(0).outcome is Outcome.HOST_ERROR
    assert sent.future.result(0).reason == "too late: it was never started"


def test_gold_tests_that_run_are_stopped(pool):
    run = run_of("fn add(a: i32, b: i32) -> i32 { loop {} }\n", CASES)
    sent = GoldSubmission(run, pool)
    sent.cancel("too late")
    assert sent.future.result(10).outcome in (Outcome.HOST_ERROR, Outcome.TIMEOUT)
    assert "too late" in sent.future.result(0).reason


def test_a_pool_that_closes_meanwhile_leaves_no_grade():
    class Closed(Counting):
        def submit_calls(self, calls: Calls) -> Future[Answers]:
            raise PoolClosed("closed")

    own, cancelled = Future[Verdict](), Future[Verdict]()
    sent, second = (GoldSubmission(run_of(ADD, CASES), Closed(None), one) for one in (own, cancelled))
    own.set_result(Verdict(Outcome.NO_TESTS, build=True))
    cancelled.cancel()
    cancelled.set_running_or_notify_cancel()
    assert sent.future.cancelled() and second.future.cancelled()
