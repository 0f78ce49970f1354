"""The grader: completions go in one by one without waiting, grades come back in order, late programs are timeouts."""

from __future__ import annotations

import json
import logging
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from completions import ADD, HACKS, HONEST, fenced, module, passed
from grpo.rollout.records import Completion, Example
from grpo.timing import StepTimer
from reward_hacks import REWARD_HACKS
from rewards import Rubric, RustGrader
from rewards.builtin import PUBLISHED_WEIGHTS
from sandbox import Outcome, SandboxPool, Verdict
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.verdict import Evidence

USER_REWARDS = Path(__file__).with_name("user_rewards.py")
EXAMPLE = Example("e", ({"role": "user", "content": "Write add"},), {"rust_test_list": ["assert_eq!(add(1, 2), 3);"]})
PLAIN = Example("p", EXAMPLE.messages)
CHECKS = ("build", "clippy", "test", "test_strict", "gold", "asserts")


def completion(text: str, name: str = "c0") -> Completion:
    return Completion(name, (1, 2), (-0.5, -0.5), text, True, 0)


def grade(grader: RustGrader, *texts: str, example: Example = EXAMPLE):
    return grader.finish([grader.start(example, completion(text, f"c{i}")) for i, text in enumerate(texts)])


class FixedPool:
    """A pool whose every verdict is given, or never comes."""

    def __init__(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        self.cancelled: list[str] = []

    def submit(self, source: str, *, phases: tuple[str, ...] = ()) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        if self.verdict is not None:
            future.set_result(self.verdict)
        return future

    def submit_calls(self, calls: Calls) -> Future[Answers]:
        future: Future[Answers] = Future()
        if self.verdict is not None:
            future.set_result(Answers(self.verdict.outcome, reason=self.verdict.reason))
        return future

    def cancel(self, future: Future[Verdict], reason: str) -> None:
        self.cancelled.append(reason)
        future.set_result(Verdict(Outcome.TIMEOUT, reason=reason))


def test_checks_and_rewards_of_good_hacked_broken_and_missing_code(pool):
    grader = RustGrader(Rubric(PUBLISHED_WEIGHTS), pool, gold=True)
    wrong = fenced(ADD.replace("+", "-") + module("assert_eq!(add(3, 2), 1);"))
    texts = [fenced(HONEST["a plain call"]), fenced(HACKS["a tautology"]), wrong, fenced("fn f( {\n"), "no code"]
    grades = grade(grader, *texts)
    assert [[found.checks[name] for name in CHECKS] for found in grades] == [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 0, 1, 1],
        [1, 1, 1, 1, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert [found.rewards["cargo_test"] for found in grades] == [1, 0, 1, 0, 0]
    assert all(found.rewards.keys() == PUBLISHED_WEIGHTS.keys() == found.seconds.keys() for found in grades)
    assert grades[0].verdict["code"].startswith("fn add") and grades[4].verdict["code"] is None
    assert grades[1].verdict["strict_reason"] == "the tests pass whatever add does"
    assert grader.weights == PUBLISHED_WEIGHTS


def test_the_grader_examines_what_passing_tests_depend_on_unless_told_not_to(pool):
    texts = [fenced(REWARD_HACKS["times zero"]), fenced(HONEST["a plain call"]), fenced(ADD)]
    for mutation, paid in ((True, [0.0, 1.0, 0.0]), (False, [1.0, 1.0, 0.0])):
        grades = grade(RustGrader(Rubric({"cargo_test": 1.0}), pool, mutation=mutation), *texts)
        assert [found.rewards["cargo_test"] for found in grades] == paid
        assert [found.verdict["evidence"] is None for found in grades] == [False, False, True]
        assert grades[1].verdict["evidence"]["waived"] is not mutation


def test_the_last_code_block_counts_where_the_grader_is_told_so(pool):
    text = f"{fenced(ADD)}\nWith tests:\n{fenced(HONEST['a plain call'])}"
    for block, has_tests in (("first", False), ("last", True)):
        (found,) = grade(RustGrader(Rubric({"cargo_test": 1.0}), pool, mutation=False, block=block), text)
        assert found.rewards["cargo_test"] == found.checks["asserts"] == float(has_tests)
        assert ("#[test]" in found.verdict["code"]) is has_tests


def test_what_solves_a_prompt_is_the_check_that_the_grader_is_told(pool):
    unlike = fenced(ADD.replace("+", "-") + module("assert_eq!(add(3, 2), 1);"))
    for check, solved in (("test_strict", True), ("gold", False)):
        (found,) = grade(RustGrader(Rubric({"cargo_test": 1.0}), pool, gold=True, solved_by=check), unlike)
        assert found.solved is solved


def test_a_rubric_with_the_mutation_score_tries_every_change(pool):
    text = fenced(HONEST["a plain call"])
    (few,) = grade(RustGrader(Rubric({"cargo_test": 1.0}), pool), text)
    (all_of_them,) = grade(RustGrader(Rubric({"mutation": 1.0}), pool), text)
    assert len(all_of_them.verdict["evidence"]["runs"]) > len(few.verdict["evidence"]["runs"])
    assert 0.0 < all_of_them.rewards["mutation"] <= 1.0


@pytest.mark.parametrize("nested", [700, 10_000])
def test_a_program_that_nests_deeply_takes_nothing_but_its_own_grade(nested, pool):
    deep = f"fn deep() -> i32 {{\n    {'(' * nested}1{')' * nested}\n}}\n" + module("assert_eq!(deep(), 1);")
    honest, other = grade(RustGrader(Rubric(PUBLISHED_WEIGHTS), pool), fenced(HONEST["a plain call"]), fenced(deep))
    assert honest.rewards["cargo_test"] == 1.0 and honest.checks["test_strict"] == 1.0
    assert other.rewards["cargo_build"] in (0.0, 1.0) and other.checks["test_strict"] == other.rewards["cargo_test"]


def test_a_failure_of_the_host_while_examining_is_no_score(caplog):
    class NoEvidence(FixedPool):
        def submit_experiment(self, experiment):
            future: Future[Evidence] = Future()
            future.set_result(Evidence(Outcome.HOST_ERROR, reason="no disk"))
            return future

    with caplog.at_level(logging.ERROR):
        (found,) = grade(RustGrader(Rubric(PUBLISHED_WEIGHTS), NoEvidence(passed())), fenced(HONEST["a plain call"]))
    assert set(found.rewards.values()) == set(found.checks.values()) == {None} and found.solved is None
    assert found.host_failure == "no disk"
    assert "failed at 1 of 1 completions, whose rewards from it are unknown: no disk" in caplog.text


def test_gold_is_none_where_it_was_not_asked_for_or_is_not_there(pool):
    text = fenced(HONEST["a plain call"])
    (unasked,) = grade(RustGrader(Rubric(PUBLISHED_WEIGHTS), pool), text)
    (absent,) = grade(RustGrader(Rubric(PUBLISHED_WEIGHTS), pool, gold=True), text, example=PLAIN)
    assert unasked.checks["gold"] is None and absent.checks["gold"] is None


def test_a_rubric_that_weighs_gold_runs_it(pool):
    (found,) = grade(RustGrader(Rubric({"gold": 1.0}), pool), fenced(HONEST["a plain call"]))
    assert found.rewards == {"gold": 1.0}


def test_a_failure_of_the_host_is_loud_and_none_everywhere(caplog):
    rubric = Rubric({**PUBLISHED_WEIGHTS, "gold": 1.0})  # its gold tests fail with it, and are not counted again
    grader = RustGrader(rubric, FixedPool(Verdict(Outcome.HOST_ERROR, reason="no disk")))
    with caplog.at_level(logging.ERROR):
        (found,) = grade(grader, fenced(ADD))
    assert "failed at 1 of 1 completions, whose rewards from it are unknown: no disk" in caplog.text
    assert set(found.rewards.values()) == set(found.checks.values()) == {None}
    assert found.verdict["outcome"] == "host_error" and found.host_failure == "no disk"


@pytest.mark.parametrize(("weight", "scored"), [(1.0, {None}), (0.0, {None, 1.0})])
def test_a_failure_of_the_host_at_paid_gold_tests_is_no_lower_sum(weight, scored):
    class GoldFails(FixedPool):
        def submit_calls(self, calls: Calls) -> Future[Answers]:
            self.verdict = Verdict(Outcome.HOST_ERROR)
            return super().submit_calls(calls)

    pool = GoldFails(Verdict(Outcome.NO_TESTS, build=True))
    grader = RustGrader(Rubric({"cargo_build": 1.0, "gold": weight}), pool)
    (found,) = grade(grader, fenced(ADD))
    assert set(found.rewards.values()) == scored and (found.host_failure is not None) == bool(weight)


def test_a_program_that_is_late_is_named_cancelled_and_scored_as_a_timeout(caplog):
    pool = FixedPool(None)
    grader = RustGrader(Rubric(PUBLISHED_WEIGHTS), pool, deadline_s=0.2)
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        grades = grade(grader, fenced(ADD), fenced(ADD + ADD))
    assert time.monotonic() - started < 2
    assert len(pool.cancelled) == 2 and "c0" in caplog.text and "c1" in caplog.text
    assert [found.verdict["outcome"] for found in grades] == ["timeout"] * 2
    assert [found.rewards["cargo_build"] for found in grades] == [0.0] * 2


def test_a_real_straggler_does_not_hold_up_the_batch():
    spin = ADD + module("assert_eq!(add(1, 2), 3);\n        loop {}")
    with SandboxPool(jobs=1) as alone:
        grader = RustGrader(Rubric(PUBLISHED_WEIGHTS), alone, deadline_s=3)
        started = time.monotonic()
        ticket = grader.start(EXAMPLE, completion(fenced(spin)))
        assert time.monotonic() - started < 0.5
        (found,) = grader.finish([ticket])
        assert time.monotonic() - started < 8
    assert found.verdict["outcome"] == "timeout" and found.rewards["cargo_test"] == 0.0


@pytest.mark.parametrize("code", ["x" * 100_000, "\udcff\0", "let a={" * 14_000, ADD + "//" + "é" * 50_000])
def test_start_takes_any_completion_at_once(code):
    started = time.process_time()
    RustGrader(Rubric(PUBLISHED_WEIGHTS), FixedPool(None), gold=True).start(EXAMPLE, completion(fenced(code + "\n")))
    assert time.process_time() - started < 3


def test_a_users_functions_get_messages_columns_and_verdicts(pool):
    name = f"{USER_REWARDS}:length"
    grader = RustGrader(Rubric({name: 1.0, "code_block": 1.0}), pool)
    tasks = [Example(str(i), PLAIN.messages, {"task": kind}) for i, kind in enumerate(["single", "double", "double"])]
    texts = [fenced(HONEST["a plain call"])] * 2 + ["no code"]
    grades = grader.finish([grader.start(task, completion(text)) for task, text in zip(tasks, texts, strict=True)])
    length = float(len(texts[0]))
    assert [found.rewards[name] for found in grades] == [length, 2 * length, None]
    assert [found.rewards["code_block"] for found in grades] == [1.0, 1.0, 0.0]


def test_an_empty_batch_has_no_grades():
    assert RustGrader(Rubric({f"{USER_REWARDS}:broken": 1.0}), FixedPool(None)).finish([]) == []


def test_a_step_counts_what_each_worker_did_while_workers_come_and_go():
    """First two of four workers go, then all, then three join: what was busy before is not divided anew."""
    pool = FixedPool(None)
    grader = RustGrader(Rubric({"cargo_build": 1.0}), pool)
    pool.jobs, pool.busy_s = 4, 10_000.0
    grader.busy()
    spent = []
    for jobs, busy_s in ((2, 10_008.0), (0, 10_010.0), (0, 10_010.0), (3, 10_016.0)):
        timer = StepTimer({"engine": float, "sandbox": grader.busy, "trainer": float})
        pool.jobs, pool.busy_s = jobs, busy_s
        spent.append(timer.metrics()["time/sandbox"])
    assert spent == [2.0, 1.0, 0.0, 2.0]


def test_verdicts_are_plain_json_values(pool):
    (found,) = grade(RustGrader(Rubric(PUBLISHED_WEIGHTS), pool, gold=True), fenced(HONEST["a plain call"]))
    assert json.loads(json.dumps(found.verdict))["gold"]["passed"] == 1
