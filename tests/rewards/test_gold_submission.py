"""Gold tests are run where their program may pass them, and a program that does not build fails them unrun."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from rewards.gold.run import GoldRun, GoldSubmission, gold_result, gold_run, submit_gold
from sandbox import Outcome, PoolClosed, Verdict
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls

CASES = {"rust_test_list": ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(2, 2), 4);"]}
MODULE = {"gold_tests": "#[cfg(test)]\nmod gold {\n #[test]\n fn sum() { assert_eq!(super::add(1, 2), 3); }\n}"}
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


@pytest.mark.parametrize("row", [CASES, MODULE])
@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY, Outcome.HOST_ERROR])
def test_a_program_that_was_not_built_fails_its_gold_tests_for_the_same_reason(row, outcome):
    own: Future[Verdict] = Future()
    sent = GoldSubmission(run_of(ADD, row), Counting(None), own)
    assert not sent.future.done()
    own.set_result(Verdict(outcome, reason="so it is"))
    assert (sent.future.result(0).outcome, sent.future.result(0).reason) == (outcome, "so it is")


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
