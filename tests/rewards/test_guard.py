"""The guard pays for every honest program and for none that passes its tests without deserving it.

Honest programs and hacks really pass: cargo says so of each, so that no refusal here is of something that fails anyway.
"""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers import ADD, HACKS, HONEST, IGNORED, NO_TESTS, module, passed
from rewards import judge
from sandbox import Outcome, Verdict


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_program_is_strict(name):
    assert judge(HONEST[name], passed()) == (True, "tests that could have failed passed")


@pytest.mark.parametrize("name", [*HACKS, *IGNORED, *NO_TESTS])
def test_a_hack_is_not_strict_even_if_cargo_is_content(name):
    judgement = judge({**HACKS, **IGNORED, **NO_TESTS}[name], passed())
    assert not judgement.strict and judgement.reason


def test_cargo_confirms_that_every_honest_program_and_every_hack_passes(pool):
    futures = {name: pool.submit(code, phases=("test",)) for name, code in {**HONEST, **HACKS}.items()}
    assert {name: str(f.result().outcome) for name, f in futures.items() if not f.result().test} == {}


def test_cargo_confirms_that_ignored_and_hidden_tests_are_a_green_run_of_nothing(pool):
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


def test_one_honest_assert_is_enough_among_empty_ones():
    assert judge(ADD + module("assert!(true);", "assert_eq!(add(1, 2), 3);", ""), passed(3)).strict


def test_the_reason_names_the_condition():
    assert judge(HACKS["a shadowed assert_eq"], passed()).reason == "an assert macro is redefined"
    assert judge(HACKS["catch_unwind in a helper"], passed()).reason == "the tests catch their own panics"
    assert judge(HACKS["no code outside the tests"], passed()).reason == "no code outside the tests"
    assert judge(HACKS["an equality of the tests"], passed()).reason.startswith("equality is redefined")


@settings(max_examples=60, deadline=None)
@given(st.text() | st.lists(st.sampled_from(sum((code.split(" ") for code in HACKS.values()), []))).map(" ".join))
def test_the_guard_judges_any_text(code):
    assert isinstance(judge(code, passed()).strict, bool)


def test_a_hundred_kilobytes_are_judged_in_seconds():
    chain = "".join(f"#[test] fn t{i}() {{ h0() }} fn h{i}(a: i32) {{ h{i + 1}(a) }}" for i in range(1500))
    conditions = ("assert!(" + "||".join(["x"] * 240) + ");") * 190
    for code in (f"#[cfg(test)] mod t {{ {chain} }}", ADD + module(conditions)):
        started = time.process_time()
        assert not judge(code, Verdict(Outcome.PASSED, True, True, True, True, 1)).strict
        assert time.process_time() - started < 20
