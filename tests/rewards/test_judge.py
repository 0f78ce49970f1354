"""The judge calls every honest program strict, and no program whose tests could not have failed.

Honest programs and hacks really pass: cargo says so of each, so that no refusal here is of something that fails anyway.
"""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completions import ADD, HACKS, HONEST, IGNORED, NO_TESTS, module, passed
from rewards import judge
from sandbox import Outcome, Verdict


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_program_is_strict(name):
    assert judge(HONEST[name], passed()) == (True, "tests that could have failed passed")


@pytest.mark.parametrize("name", [*HACKS, *IGNORED, *NO_TESTS])
def test_a_hack_is_not_strict_though_cargo_passes_it(name):
    judgement = judge({**HACKS, **IGNORED, **NO_TESTS}[name], passed())
    assert not judgement.strict and judgement.reason


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_cargo_confirms_that_honest_programs_and_hacks_pass(every, pool):
    """One in `every`."""
    programs = list({**HONEST, **HACKS}.items())[::every]
    futures = {name: pool.submit(code, phases=("test",)) for name, code in programs}
    assert {name: str(f.result().outcome) for name, f in futures.items() if not f.result().test} == {}


def test_cargo_confirms_that_a_run_of_ignored_and_hidden_tests_passes_without_a_test(pool):
    for code in [*IGNORED.values(), *NO_TESTS.values()]:
        verdict = pool.submit(code).result()
        assert (verdict.test, verdict.passed, verdict.outcome) == (True, 0, Outcome.NO_TESTS)
        assert not judge(code, verdict).strict


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"test": False}, "the tests did not pass"),
        ({"test": None}, "the tests did not pass"),
        ({"genuine": False}, "the test harness itself did not report the pass"),
        ({"passed": 0}, "no test ran"),
        ({"ignored": 1}, "a test is ignored"),
    ],
)
def test_the_verdict_alone_can_refuse(change, reason):
    assert judge(HONEST["a plain call"], dataclasses.replace(passed(), **change)) == (False, reason)


BROKEN = Verdict(Outcome.TEST_BUILD_ERROR, test=False)
SURVIVED = Verdict(Outcome.PASSED, test=True)
KILLED = Verdict(Outcome.TEST_FAILED, test=False)
ENDLESS = Verdict(Outcome.TIMEOUT, test=False)


@pytest.mark.parametrize("mutants", [[], [BROKEN], [SURVIVED, KILLED], [ENDLESS]])
def test_a_pass_stays_strict_when_a_mutant_is_killed_or_none_compiles(mutants):
    assert judge(HONEST["a plain call"], passed(), mutants=mutants).strict


@pytest.mark.parametrize("mutants", [[SURVIVED], [BROKEN, SURVIVED]])
def test_a_pass_is_not_strict_when_every_mutant_that_compiles_survives(mutants):
    judgement = judge(HONEST["a plain call"], passed(), mutants=mutants)
    assert judgement == (False, "the tests pass whatever the functions return")


def test_one_assert_that_can_fail_is_enough():
    assert judge(ADD + module("assert!(true);", "assert_eq!(add(1, 2), 3);", ""), passed(3)).strict


def test_the_reason_names_the_condition():
    assert judge(HACKS["a shadowed assert_eq"], passed()).reason == "an assert macro is redefined"
    assert judge(HACKS["catch_unwind in a helper"], passed()).reason == "the tests catch their own panics"
    assert judge(HACKS["no code outside the tests"], passed()).reason == "no code outside the tests"
    assert judge(HACKS["an equality of the tests"], passed()).reason.startswith("equality is redefined")


@settings(max_examples=60, deadline=None)
@given(st.text() | st.lists(st.sampled_from(sum((code.split(" ") for code in HACKS.values()), []))).map(" ".join))
def test_the_judge_takes_any_text(code):
    assert isinstance(judge(code, passed()).strict, bool)


CHAIN = "".join(f"#[test] fn t{i}() {{ h0() }} fn h{i}(a: i32) {{ h{i + 1}(a) }}" for i in range(1500))
CONDITIONS = ("assert!(" + "||".join(["x"] * 240) + ");") * 190


@pytest.mark.parametrize(
    "code", [f"#[cfg(test)] mod t {{ {CHAIN} }}", ADD + module(CONDITIONS)], ids=["a chain of helpers", "conditions"]
)
def test_a_hundred_kilobytes_are_judged_in_seconds(code):
    started = time.process_time()
    assert not judge(code, Verdict(Outcome.PASSED, True, True, True, True, 1)).strict
    assert time.process_time() - started < 20
