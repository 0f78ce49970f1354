"""A submission: one future for a program's verdict and its evidence, whatever happens to either."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from completions import ADD, HONEST, module, passed
from rewards.strictness import submit
from rewards.strictness.submit import Submission
from sandbox import PoolClosed, SandboxPool
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import Evidence, Outcome, Verdict

GOOD = HONEST["a plain call"]
UNEXAMINED = dataclasses.replace(passed(), evidence=None, cpu_ms=10.0)
FOUND = Evidence(Outcome.PASSED, cpu_ms=2.5)


class HandPool:
    """A pool whose futures the test settles by hand."""

    def __init__(self) -> None:
        self.verdict: Future[Verdict] = Future()
        self.evidence: Future[Evidence] = Future()
        self.experiments: list[Experiment] = []
        self.cancelled: list[tuple[Future[Any], str]] = []

    def submit(self, source: str) -> Future[Verdict]:
        return self.verdict

    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]:
        self.experiments.append(experiment)
        return self.evidence

    def cancel(self, future: Future[Any], reason: str) -> None:
        self.cancelled.append((future, reason))
        if future.done():
            return
        kind: Callable[..., Any] = Verdict if future is self.verdict else Evidence
        future.set_result(kind(Outcome.TIMEOUT, reason=reason))


def test_a_pass_is_examined_and_both_results_come_as_one() -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD)
    assert not sent.future.done() and pool.experiments == []
    pool.verdict.set_result(UNEXAMINED)
    assert not sent.future.done() and len(pool.experiments) == 1 and not pool.experiments[0].thorough
    pool.evidence.set_result(FOUND)
    assert sent.future.result(0) == dataclasses.replace(UNEXAMINED, evidence=FOUND, cpu_ms=12.5)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (GOOD, {"test": False, "outcome": Outcome.TEST_FAILED}),
        (GOOD, {"outcome": Outcome.HOST_ERROR, "test": None}),
        (GOOD, {"powers": ("std::process::exit in line 1",), "genuine": False}),
        (GOOD, {"genuine": False, "outcome": Outcome.FORGED}),
        (GOOD, {"ignored": 1}),
        (ADD, {"passed": 0}),
        ("#[cfg(unix)]\n" + GOOD, {}),
    ],
)
def test_what_cannot_be_strict_is_not_examined(code: str, changes: dict[str, Any]) -> None:
    pool = HandPool()
    sent = Submission(pool, code)
    verdict = dataclasses.replace(UNEXAMINED, **changes)
    pool.verdict.set_result(verdict)
    assert sent.future.result(0) is verdict and pool.experiments == []


def test_nobody_examines_where_nobody_asks() -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD, examine=False)
    pool.verdict.set_result(UNEXAMINED)
    evidence = sent.future.result(0).evidence
    assert evidence is not None and evidence.waived and pool.experiments == []


def test_every_change_is_tried_where_the_score_is_wanted() -> None:
    pool = HandPool()
    Submission(pool, GOOD, thorough=True)
    pool.verdict.set_result(UNEXAMINED)
    assert pool.experiments[0].thorough


def test_a_program_without_anything_to_change_says_so() -> None:
    pool = HandPool()
    sent = Submission(pool, "const fn f() -> ! {\n    loop {}\n}\n" + module("assert!(true);"))
    pool.verdict.set_result(UNEXAMINED)
    evidence = sent.future.result(0).evidence
    assert evidence is not None and evidence.outcome is Outcome.NO_TESTS and "nothing that could be" in evidence.reason


def test_a_failure_of_the_host_while_examining_is_kept_as_one() -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD)
    pool.verdict.set_result(UNEXAMINED)
    pool.evidence.set_result(Evidence(Outcome.HOST_ERROR, reason="no disk"))
    verdict = sent.future.result(0)
    assert verdict.outcome is Outcome.PASSED and verdict.evidence is not None
    assert (verdict.evidence.outcome, verdict.evidence.reason) == (Outcome.HOST_ERROR, "no disk")


@pytest.mark.parametrize("graded", [False, True], ids=["while graded", "while examined"])
def test_cancelling_stops_what_runs_now(graded: bool) -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD)
    if graded:
        pool.verdict.set_result(UNEXAMINED)
    sent.cancel("too late")
    assert pool.cancelled == [(pool.evidence if graded else pool.verdict, "too late")]
    verdict = sent.future.result(0)
    found = verdict.evidence if graded else verdict
    assert found is not None and (found.outcome, found.reason) == (Outcome.TIMEOUT, "too late")


def test_cancelling_between_verdict_and_experiment_starts_no_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = submit.experiment

    def cancelled_meanwhile(*given: Any, **settings: Any) -> Experiment | None:
        sent.cancel("too late")
        return made(*given, **settings)

    monkeypatch.setattr(submit, "experiment", cancelled_meanwhile)
    pool = HandPool()
    sent = Submission(pool, GOOD)
    pool.verdict.set_result(UNEXAMINED)
    evidence = sent.future.result(0).evidence
    assert pool.experiments == [] and evidence is not None and evidence.outcome is Outcome.HOST_ERROR
    assert evidence.reason == "too late: the experiment was never started"


@pytest.mark.parametrize("graded", [False, True], ids=["while graded", "while examined"])
def test_a_pool_that_closes_cancels_the_future(graded: bool) -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD)
    if graded:
        pool.verdict.set_result(UNEXAMINED)
    (pool.evidence if graded else pool.verdict).cancel()
    with pytest.raises(CancelledError):
        sent.future.result(0)


def test_a_future_that_its_owner_gave_up_takes_no_result() -> None:
    pool = HandPool()
    sent = Submission(pool, GOOD)
    assert sent.future.cancel()
    pool.verdict.set_result(UNEXAMINED)
    pool.evidence.set_result(FOUND)
    assert sent.future.cancelled()


def test_an_error_of_the_reader_costs_its_own_grade_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(submit, "experiment", fails)
    pool = HandPool()
    sent = Submission(pool, GOOD)
    with caplog.at_level(logging.WARNING):
        pool.verdict.set_result(UNEXAMINED)
    evidence = sent.future.result(0).evidence
    assert evidence is not None and (evidence.outcome, evidence.reason) == (Outcome.BUILD_ERROR, "RecursionError")
    assert "cannot be examined: RecursionError" in caplog.text


def test_a_pool_that_closes_between_the_two_jobs_is_no_failure_of_the_program() -> None:
    class Closing(HandPool):
        def submit_experiment(self, experiment: Experiment) -> Future[Evidence]:
            raise PoolClosed("closed")

    pool = Closing()
    sent = Submission(pool, GOOD)
    pool.verdict.set_result(UNEXAMINED)
    assert sent.future.cancelled()


def test_a_closed_pool_is_an_error_at_once() -> None:
    with SandboxPool(jobs=1) as pool:
        pass
    with pytest.raises(PoolClosed):
        Submission(pool, GOOD)


def test_a_real_submission_is_cancelled_while_it_is_examined_or_before() -> None:
    slow = ADD + module("std::thread::sleep(std::time::Duration::from_secs(3));\n        assert_eq!(add(1, 2), 3);")
    with SandboxPool(jobs=1) as alone:
        sent = Submission(alone, slow)
        sent.cancel("too late")
        verdict = sent.future.result(30)
        assert verdict.outcome in (Outcome.TIMEOUT, Outcome.HOST_ERROR) and "too late" in verdict.reason
        assert Submission(alone, GOOD).future.result(60).evidence is not None
