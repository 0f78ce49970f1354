"""Rewards for cargo's verdict: 0 or 1 with the compiler's reason, None when the sandbox itself failed."""

from __future__ import annotations

import dataclasses

import pytest

from answers import ADD, HACKS, HONEST, answer, module, passed
from rewards.builtin import cargo_build, cargo_clippy, cargo_test, cargo_test_thorough, clippy_clean, gold
from rewards.builtin import tests_passed_share as share_passed
from rewards.completion import Gold, GradedCompletion
from rewards.gold import GoldProgram
from sandbox import Diagnostic, Outcome, Verdict

SCORERS = (cargo_build, cargo_clippy, cargo_test, clippy_clean, share_passed)
TEXT = answer(HONEST["a plain call"])


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_failure_of_the_host_is_no_score(scorer):
    score = scorer(GradedCompletion(TEXT, Verdict(Outcome.HOST_ERROR, reason="disk full")))
    assert score == (None, "the sandbox failed: disk full")


@pytest.mark.parametrize("scorer", SCORERS)
def test_an_answer_without_code_scores_nothing(scorer):
    assert scorer(GradedCompletion("no")) == (0.0, "no closed ```rust block with code in the answer")


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_strict_pass_scores_one(scorer):
    assert scorer(GradedCompletion(TEXT, passed())).value == 1.0


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_timeout_scores_nothing(scorer):
    assert scorer(GradedCompletion(TEXT, Verdict(Outcome.TIMEOUT, reason="build: 30 s of CPU time"))).value == 0.0


def test_the_reason_is_the_first_error():
    errors = (Diagnostic("warning", None, "unused", 1), Diagnostic("error", "E0308", "mismatched types", 2))
    verdict = Verdict(Outcome.BUILD_ERROR, build=False, clippy=False, test=False, diagnostics=errors)
    assert cargo_build(GradedCompletion(TEXT, verdict)) == (0.0, "line 2: mismatched types")


def test_warnings_cost_only_the_clean_reward():
    verdict = dataclasses.replace(passed(), warnings=2)
    assert cargo_clippy(GradedCompletion(TEXT, verdict)) == (1.0, "2 warnings")
    assert clippy_clean(GradedCompletion(TEXT, verdict)) == (0.0, "2 warnings")


def test_a_pass_that_was_not_earned_is_not_paid():
    for name in ("a tautology", "an assert on literals"):
        score = cargo_test(GradedCompletion(answer(HACKS[name]), passed()))
        assert score == (0.0, "no assert depends on code outside the tests")
        assert share_passed(GradedCompletion(answer(HACKS[name]), passed())).value == 0.0


@pytest.mark.parametrize(
    ("body", "paid"),
    [
        ("assert_eq!(add(1, 2), 3);", 0.25),
        ("assert_eq!(add(1, 2), 3); assert_eq!(add(2, 2), 4);", 1.0),
        ("assert_eq!(add(1, 2), 3); assert_eq!(add(1, 2), 3);", 0.25),
        ("assert_eq!(add(1, 2), 3); assert_eq!(1, 1); assert!(true);", 0.25),
        ("assert_eq!(1, 1); assert_eq!(2, 2);", 0.0),
    ],
    ids=["one", "two", "one twice", "one and two that cannot fail", "none that can fail"],
)
def test_a_thorough_pass_is_paid_by_asserts_that_could_have_failed(body, paid):
    text = answer(ADD + module(body))
    assert cargo_test_thorough(GradedCompletion(text, passed())).value == paid
    failed = dataclasses.replace(passed(), test=False, outcome=Outcome.TEST_FAILED)
    assert cargo_test_thorough(GradedCompletion(text, failed)).value == 0.0


def test_the_share_counts_tests_that_pass_failed_and_ignored():
    verdict = Verdict(Outcome.TEST_FAILED, True, True, False, genuine=True, passed=1, failed=2, ignored=1)
    assert share_passed(GradedCompletion(TEXT, verdict)) == (0.25, "1 of 4 tests pass")


def test_gold_tests_pass_all_or_nothing():
    program = GoldProgram("", 2)
    for verdict, value in [(passed(2), 1.0), (passed(1), 0.0), (passed(3), 0.0), (Verdict(Outcome.BUILD_ERROR), 0.0)]:
        assert gold(GradedCompletion(TEXT, passed(), Gold(program, verdict))).value == value
    forged = dataclasses.replace(passed(2), genuine=False)
    assert gold(GradedCompletion(TEXT, passed(), Gold(program, forged))).value == 0.0
    assert gold(GradedCompletion(TEXT, passed(), Gold(program, Verdict(Outcome.HOST_ERROR, reason="x")))) == (None, "x")
    assert gold(GradedCompletion(TEXT, passed())) == (None, "no gold tests for this prompt")
    assert gold(GradedCompletion(TEXT, passed(), Gold(None, None))).value == 0.0


def test_real_verdicts_score_as_expected(pool):
    programs = {
        "good": ADD + module("assert_eq!(add(1, 2), 3);"),
        "wrong": ADD + module("assert_eq!(add(1, 2), 4);", "assert_eq!(add(1, 2), 3);"),
        "broken": ADD.replace("a + b", "a + ;"),
        "linted": "fn f(x: i32) -> bool {\n    x == x\n}\n",
    }
    futures = {name: pool.submit(code) for name, code in programs.items()}
    answers = {name: GradedCompletion(answer(code), futures[name].result()) for name, code in programs.items()}
    scores = {name: [scorer(found).value for scorer in SCORERS] for name, found in answers.items()}
    assert scores == {
        "good": [1, 1, 1, 1, 1],
        "wrong": [1, 1, 0, 1, 0.5],
        "broken": [0, 0, 0, 0, 0],
        "linted": [1, 0, 0, 0, 0],
    }
