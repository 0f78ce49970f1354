"""The built-in rewards: registered by one decorator, faithful to form and verdict, None where the sandbox failed."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

import rewards
from completions import ADD, HACKS, HONEST, NO_TESTS, fenced, module, passed
from grpo_rust.recipe import RewardsSection
from reward_hacks import REWARD_HACKS
from rewards.builtin import (
    PUBLISHED_WEIGHTS,
    asserts,
    cargo_build,
    cargo_clippy,
    cargo_test,
    cargo_test_thorough,
    clippy_clean,
    code_block,
    gold,
    mutation,
    non_empty,
)
from rewards.builtin import test_block as one_test_block
from rewards.builtin import tests_passed_share as share_passed
from rewards.completion import Gold, GradedCompletion, Score
from rewards.gold.result import GoldResult
from rewards.registry import REWARDS, reward
from rewards.rubric import Rubric
from rewards.strictness.submit import Submission
from sandbox import Diagnostic, Outcome, Verdict
from sandbox.answers.answers import Answers
from sandbox.verdict import Evidence

OF_VERDICTS = (cargo_build, cargo_clippy, cargo_test, clippy_clean, share_passed)
TEXT = fenced(HONEST["a plain call"])
SIX_ASSERTS = module(*(f"assert_eq!(add({i}, 0), {i});" for i in range(6)))

REGISTERED = [  # name, phase, whether on gold tests, the function's name for TRL, weight in the published recipe
    ("cargo_build", "build", False, "cargo_build_reward_func", 1.0),
    ("cargo_clippy", "clippy", False, "cargo_clippy_reward_func", 1.0),
    ("cargo_test", "test", False, "cargo_test_reward_func", 2.0),
    ("cargo_test_thorough", "test", False, "cargo_test_thorough_reward_func", None),
    ("mutation", "test", False, "mutation_reward_func", None),
    ("non_empty", None, False, "non_empty_reward_func", 1.0),
    ("code_block", None, False, "code_block_count_reward_func", 0.5),
    ("test_block", None, False, "test_block_count_reward_func", 0.5),
    ("asserts", None, False, "tests_have_asserts_reward_func", 1.0),
    ("tests_passed_share", "test", False, "tests_passed_share_reward_func", None),
    ("clippy_clean", "clippy", False, "clippy_clean_reward_func", None),
    ("gold", "test", True, "gold_reward_func", None),
]


def really_graded(code, pool, *, thorough=False):
    """A completion that is the program, graded and examined."""
    return GradedCompletion(fenced(code), Submission(pool, code, thorough=thorough).future.result())


@pytest.fixture
def registry():
    """The registry, as it was again after the test."""
    before = dict(REWARDS)
    yield REWARDS
    REWARDS.clear()
    REWARDS.update(before)


def test_the_registry_has_every_reward_in_the_order_of_the_logs_and_saved_recipes():
    common = [r for r in REWARDS.values() if not r.task]  # those of one task have their own tests
    found = [(r.name, r.phase, r.on_gold_tests, r.published_name, r.published_weight) for r in common]
    assert found == REGISTERED and list(REWARDS)[: len(found)] == [row[0] for row in REGISTERED]
    assert list(PUBLISHED_WEIGHTS.items()) == [(row[0], row[4]) for row in REGISTERED if row[4] is not None]


def test_one_decorated_function_is_a_reward_everywhere(registry):
    assert RewardsSection({"short_code": 1.0}).conflicts() and not hasattr(rewards, "short_code_reward_func")

    @reward(phase="build")
    def short_code(completion: GradedCompletion) -> Score:
        """1 for code of at most 40 characters."""
        return Score(float(len(completion.code or "") <= 40), "counted")

    rubric = Rubric({"short_code": 2.0})
    completion = GradedCompletion(fenced(ADD), dataclasses.replace(passed(), ms={"build": 250.0}))
    assert rubric.score(completion) == {"short_code": (0.0, "counted")} and not rubric.has_user_functions
    values, seconds = rubric.timed_score(completion)
    assert values == {"short_code": 0.0} and seconds["short_code"] >= 0.25
    grader = rewards.RustGrader(rubric, SimpleNamespace(submit=None))
    ticket = grader.start(SimpleNamespace(messages=[], columns={}), SimpleNamespace(id="c", text="none", token_ids=[]))
    assert [grade.rewards for grade in grader.finish([ticket])] == [{"short_code": 1.0}]
    function = rewards.short_code_reward_func
    assert (function.__name__, function.__doc__) == ("short_code_reward_func", "1 for code of at most 40 characters.")
    assert function(completions=["no code", fenced(ADD)], verdicts=[None, passed()]) == [1.0, 0.0]
    assert RewardsSection({"short_code": 1.0}).conflicts() == []
    assert "the nearest is short_code" in RewardsSection({"short_codes": 1.0}).conflicts()[0]
    with pytest.raises(rewards.RewardError, match="did you mean short_code"):
        Rubric({"short_codes": 1.0})


def test_a_reward_on_gold_tests_makes_the_grader_run_them(registry):
    @reward(phase="test", on_gold_tests=True)
    def gold_share(completion: GradedCompletion) -> Score:
        return Score(None, "")

    assert Rubric({"gold_share": 1.0}).needs_gold and Rubric({"gold_share": 1.0}).pays_gold
    assert Rubric({"gold_share": 0.0}).needs_gold and not Rubric({"gold_share": 0.0}).pays_gold
    assert not Rubric(PUBLISHED_WEIGHTS).needs_gold and not REWARDS["gold_share"].needs_verdict


@pytest.mark.parametrize("options", [{}, {"published_name": "cargo_test_reward_func"}])
def test_a_name_that_is_taken_is_refused(options, registry):
    def other(completion: GradedCompletion) -> Score:
        return Score(None, "")

    other.__name__ = "other" if options else "cargo_test"
    with pytest.raises(ValueError, match="cargo_test_reward_func is registered already"):
        reward(**options)(other)
    assert [name for name, known in registry.items() if not known.task] == [row[0] for row in REGISTERED]


@pytest.mark.parametrize("scorer", OF_VERDICTS)
def test_a_failure_of_the_host_is_no_score(scorer):
    score = scorer(GradedCompletion(TEXT, Verdict(Outcome.HOST_ERROR, reason="disk full")))
    assert score == (None, "the sandbox failed: disk full")


@pytest.mark.parametrize("scorer", OF_VERDICTS)
def test_a_completion_without_code_scores_nothing(scorer):
    assert scorer(GradedCompletion("no")) == (0.0, "no closed ```rust block with code in the completion")


@pytest.mark.parametrize("scorer", OF_VERDICTS)
def test_a_strict_pass_scores_one(scorer):
    assert scorer(GradedCompletion(TEXT, passed())).value == 1.0


@pytest.mark.parametrize("scorer", OF_VERDICTS)
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


def test_a_pass_that_is_not_strict_is_not_paid(pool):
    for name in ("a tautology", "a value thrown away in a block"):
        graded = really_graded({**HACKS, **REWARD_HACKS}[name], pool)
        assert cargo_test(graded) == (0.0, "the tests pass whatever add does")
        for other in (cargo_test_thorough, share_passed, mutation):
            assert other(graded).value == 0.0


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
def test_a_thorough_pass_is_paid_by_asserts_that_could_have_failed(body, paid, pool):
    graded = really_graded(ADD + module(body), pool)
    assert cargo_test_thorough(graded).value == paid
    failed = dataclasses.replace(graded.verdict, test=False, outcome=Outcome.TEST_FAILED)
    assert cargo_test_thorough(GradedCompletion(graded.text, failed)).value == 0.0


THREE = "fn pick(a: i32, b: i32) -> i32 {\n    if a < b {\n        a + 1\n    } else {\n        b\n    }\n}\n"


def test_the_share_of_changes_that_tests_notice_is_paid(pool):
    one = mutation(really_graded(THREE + module("assert!(pick(1, 5) < 3);"), pool, thorough=True))
    all_of_them = module("assert_eq!(pick(1, 5), 2);\n        assert_eq!(pick(5, 1), 1);")
    more = mutation(really_graded(THREE + all_of_them, pool, thorough=True))
    assert 0.0 < one.value < more.value == 1.0
    assert more.reason == "the tests notice 100% of the changes of the code"
    waived = mutation(GradedCompletion(TEXT, passed()))
    assert waived == (0.0, "tests passed; whether they depend on the code was not asked")


def test_evidence_that_the_sandbox_could_not_get_is_no_score():
    failed = Evidence(Outcome.HOST_ERROR, reason="no disk")
    verdict = dataclasses.replace(passed(), evidence=failed)
    for scorer in (*OF_VERDICTS, cargo_test_thorough, mutation):
        assert scorer(GradedCompletion(TEXT, verdict)) == (None, "the sandbox failed: no disk")


def test_the_share_counts_tests_that_pass_failed_and_ignored():
    verdict = Verdict(Outcome.TEST_FAILED, True, True, False, genuine=True, passed=1, failed=2, ignored=1)
    assert share_passed(GradedCompletion(TEXT, verdict)) == (0.25, "1 of 4 tests pass")


def test_gold_tests_pass_all_or_nothing():
    answers = Answers(Outcome.PASSED)
    for count, reason, value in [(2, "", 1.0), (1, "f(1) returned 2; 3 was expected", 0.0), (2, "it ended early", 0.0)]:
        score = gold(GradedCompletion(TEXT, passed(), Gold(GoldResult(count, 2, reason, "cases"), answers)))
        assert score.value == value and f"{count} of 2 gold tests pass" in score.reason and reason in score.reason
    failed = Answers(Outcome.HOST_ERROR, reason="x")
    assert gold(GradedCompletion(TEXT, passed(), Gold(GoldResult(0, 2, "x", "cases"), failed))) == (None, "x")
    assert gold(GradedCompletion(TEXT, passed())) == (None, "no gold tests for this prompt")
    assert gold(GradedCompletion(TEXT, passed(), Gold(None, None))).value == 0.0


def test_real_verdicts_score_as_expected(pool):
    programs = {
        "good": ADD + module("assert_eq!(add(1, 2), 3);"),
        "wrong": ADD + module("assert_eq!(add(1, 2), 4);", "assert_eq!(add(1, 2), 3);"),
        "broken": ADD.replace("a + b", "a + ;"),
        "linted": "fn f(x: i32) -> bool {\n    x == x\n}\n",
    }
    graded = {name: really_graded(code, pool) for name, code in programs.items()}
    scores = {name: [scorer(found).value for scorer in OF_VERDICTS] for name, found in graded.items()}
    assert scores == {
        "good": [1, 1, 1, 1, 1],
        "wrong": [1, 1, 0, 1, 0.5],
        "broken": [0, 0, 0, 0, 0],
        "linted": [1, 0, 0, 0, 0],
    }


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD, 1.0),
        ("fn f() {}\n", 0.0),
        ("fn f() { /* nothing */ }\n", 0.0),
        ("fn f() -> u8 { todo!() }\n", 0.0),
        ('fn f() -> u8 { unimplemented!("later") }\n', 0.0),
        ("fn f() -> u8 { let _ = todo!(); 1 }\n", 1.0),
        ("struct S;\nimpl S {\n    fn m(&self) -> u8 {\n        1\n    }\n}\n", 1.0),
        ("struct S;\n", 0.0),
        (module("assert!(true);"), 0.0),
        ("", 0.0),
    ],
)
def test_non_empty_wants_a_function_that_does_something(code, value):
    assert non_empty(GradedCompletion(fenced(code))).value == value


@pytest.mark.parametrize(
    ("text", "value"), [(fenced(ADD), 1.0), (fenced(ADD) * 2, 0.0), ("", 0.0), ("```rust\nfn", 0.0)]
)
def test_exactly_one_code_block_is_paid(text, value):
    assert code_block(GradedCompletion(text)).value == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD + module("assert!(true);"), 1.0),
        (ADD + module("assert!(true);") + module("assert!(true);").replace("mod tests", "mod more"), 0.0),
        (ADD + "#[cfg(test)]\nmod tests {}\n", 0.0),
        (ADD + "mod tests {\n    #[test]\n    fn t() {}\n}\n", 0.0),
        (NO_TESTS["tests in a comment"], 0.0),
        (NO_TESTS["tests in a string"], 0.0),
        (ADD, 0.0),
    ],
)
def test_exactly_one_test_module_with_a_test_is_paid(code, value):
    assert one_test_block(GradedCompletion(fenced(code))).value == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD, 0.0),
        (ADD + module("assert_eq!(add(1, 2), 3);"), 0.25),
        (ADD + module("assert_eq!(add(1, 2), 3);\n assert_eq!( add(1,2), 3 ); // twice"), 0.25),
        (ADD + module("assert_eq!(add(1, 2), 3);\n assert_ne!(add(1, 2), 3);"), 0.5),
        (ADD + SIX_ASSERTS, 1.0),
        (NO_TESTS["tests in a comment"], 0.0),
        (ADD + "fn g() {\n    assert!(1 > 0);\n}\n", 0.0),
    ],
)
def test_distinct_asserts_of_tests_pay_a_quarter_each(code, value):
    assert asserts(GradedCompletion(fenced(code))).value == value


def test_without_code_every_reward_for_form_says_so():
    for scorer in (non_empty, code_block, one_test_block, asserts):
        assert scorer(GradedCompletion("I cannot.")) == (0.0, "no closed ```rust block with code in the completion")
