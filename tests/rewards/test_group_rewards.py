"""Rewards that compare the completions of a group: by hand, through the grader, and as TRL calls them."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rewards
from completions import ADD, fenced, module, passed
from grpo.config import CheckpointSection, RolloutSection
from grpo_rust.conflicts.groups import group_conflicts
from rewards import Rubric, RustGrader
from rewards.builtin import cargo_test_thorough
from rewards.completion import GradedCompletion
from rewards.cross.result import OTHERS_ALONE, CrossResult, CrossSettings
from rewards.group_rewards import GROUP_REWARDS, GradedGroup
from rewards.matrix.pass_matrix import PassMatrix
from rewards.rubric import RewardError
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.verdict import Evidence, Outcome, Run, Verdict
from sandbox.workers.pool import SandboxPool
from test_grader import PLAIN, FixedPool, completion

RIGHT = fenced(ADD + module("assert_eq!(add(1, 2), 3);"))
ALSO_RIGHT = fenced(ADD.replace("a + b", "b + a") + module("assert_eq!(add(4, 2), 6);", "assert_eq!(add(0, 9), 9);"))
COLLUDES = fenced(ADD.replace("a + b", "a - b") + module("assert_eq!(add(5, 2), 3);"))
BROKEN = fenced("fn add( {\n")
WEIGHTS = {"cargo_build": 1.0, **dict.fromkeys(GROUP_REWARDS, 1.0)}


def group(passes: list[list[float]], settings: CrossSettings | None = None) -> GradedGroup:
    """A group of different programs, all of which build and pass their own tests."""
    count = len(passes)
    tests = module("assert_eq!(add(1, 2), 3);")
    one = [GradedCompletion(fenced(f"// {n}\n{ADD}{tests}"), passed()) for n in range(count)]
    return GradedGroup(one, CrossResult(PassMatrix(np.array(passes), np.arange(count))), settings or CrossSettings())


def values(name: str, of: GradedGroup) -> list[float | None]:
    return [score.value for score in GROUP_REWARDS[name].scorer(of)]


TWO_AGREE = [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_agreement_is_the_share_of_the_others_suites():
    assert values("cross_agreement", group(TWO_AGREE)) == pytest.approx([2 / 3, 2 / 3, 0])


def test_all_suites_have_to_pass_where_all_are_asked_for():
    weak = PassMatrix(np.array([[1.0, 1.0], [0.0, 1.0], [np.nan, 1.0], [np.nan, np.nan]]), np.array([-1, -1]))
    known = [GradedCompletion(RIGHT, passed())] * 4
    assert values("cross_all", GradedGroup(known, CrossResult(weak))) == [
        1.0,
        0.0,
        0.0,
        0.0,
    ], "what a judge does not fit passes nothing"
    fits_one = PassMatrix(np.array([[np.nan, 1.0], [np.nan, 0.0]]), np.array([-1, -1]))
    found = values("cross_all", GradedGroup(known[:2], CrossResult(fits_one)))
    assert found == [1.0, 0.0], "a suite that fits nobody judges nobody"
    written = PassMatrix(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([0, 1]))
    assert values("cross_all", GradedGroup(known[:2], CrossResult(written))) == [1.0, 1.0], "its own is no judge"


def test_own_tests_are_paid_only_where_all_suites_pass():
    judged = PassMatrix(np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [np.nan, np.nan]]), np.array([-1, -1]))
    unchanged, changed = Run(0, passed=True, held=("1",)), Run(1, reached=True, failed=("1",))
    noticed = Evidence(Outcome.PASSED, waived=True, runs=(unchanged, changed))
    passes = replace(passed(), evidence=noticed)
    fails = replace(passes, outcome=Outcome.TEST_FAILED, test=False, passed=0, failed=1)
    known = [GradedCompletion(RIGHT, verdict) for verdict in (passes, passes, fails, passes)]
    assert [cargo_test_thorough(one).value for one in known] == [0.25, 0.25, 0.0, 0.25], "alone"
    alone, together = CrossSettings(OTHERS_ALONE), CrossSettings()
    for settings in (alone, together):
        group_of_row = GradedGroup(known, CrossResult(judged), settings)
        assert values("cross_test_thorough", group_of_row) == [0.25, 0.0, 0.0, 0.0], "the last one's judges do not fit"
    nobody = CrossResult(PassMatrix(np.full((4, 4), np.nan), np.arange(4)))
    assert values("cross_test_thorough", GradedGroup(known, nobody, alone)) == [0.25, 0.25, 0.0, 0.25]
    assert values("cross_test_thorough", GradedGroup(known, nobody, together)) == [0.0] * 4
    unreadable = CrossResult(None, reason="RecursionError")
    assert values("cross_test_thorough", GradedGroup(known, unreadable, alone)) == [None] * 4


def test_the_calibrated_one_follows_its_settings():
    trusting = values("cross_calibrated", group(TWO_AGREE, CrossSettings.of({"code_right": 0.9})))
    doubting = values("cross_calibrated", group(TWO_AGREE, CrossSettings.of({"code_right": 0.1})))
    assert trusting[0] is not None and doubting[0] is not None and trusting[0] > doubting[0]
    assert trusting[0] > (trusting[2] or 0)


def test_a_large_group_is_scored_by_agreement_where_sets_are_too_many():
    large = group(np.ones((17, 17)).tolist())
    assert values("cross_calibrated", large) == values("cross_agreement", large) == [1.0] * 17


def test_tests_are_paid_for_what_they_tell_apart():
    three_agree = [[1.0, 1.0, 1.0, 0.0]] * 3 + [[0.0, 0.0, 0.0, 1.0]]
    assert values("cross_tests", group(three_agree)) == [0.5, 0.5, 0.5, 0.0]
    hollow = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]  # the third suite accepts everything
    assert (values("cross_tests", group(hollow))[2] or 0) == 0


def test_the_mutants_that_tests_notice_count_as_much_as_what_they_tell_apart():
    plain, noticed, survived = Run(0, passed=True), Run(1, reached=True), Run(2, reached=True, passed=True)
    both, half = Evidence(Outcome.PASSED, (plain, noticed)), Evidence(Outcome.PASSED, (plain, noticed, survived))
    of = group([[1.0, 1.0, 1.0, 0.0]] * 3 + [[0.0, 0.0, 0.0, 1.0]])  # told apart: half of what three suites could
    verdicts = [replace(passed(), evidence=evidence) for evidence in (both, half, None, None)]
    completions = [replace(one, verdict=verdict) for one, verdict in zip(of.completions, verdicts, strict=True)]
    assert values("cross_tests", replace(of, completions=completions)) == [0.75, 0.5, 0.5, 0.0]
    fails = replace(verdicts[0], outcome=Outcome.TEST_FAILED, test=False, evidence=None)
    unlike = [replace(completions[0], verdict=fails), *completions[1:]]
    found = values("cross_tests", replace(of, completions=unlike))
    assert found == [0.25, 0.5, 0.5, 0.0], "tests that fail the code beside them notice no change of it"


def test_tests_whose_changes_cannot_be_tried_are_not_worth_more_for_it():
    of = group([[1.0, 1.0, 1.0, 0.0]] * 3 + [[0.0, 0.0, 0.0, 1.0]])
    plain = Run(0, passed=True)
    unexamined = [
        Evidence(Outcome.TIMEOUT, reason="stopped"),
        Evidence(Outcome.PASSED, (plain,), reason="stopped"),
        Evidence(Outcome.NO_TESTS, reason="nothing that could be changed"),
        Evidence(Outcome.PASSED, waived=True),
    ]
    completions = [
        replace(one, verdict=replace(passed(), evidence=evidence))
        for one, evidence in zip(of.completions, unexamined, strict=True)
    ]
    assert values("cross_tests", replace(of, completions=completions)) == [0.25, 0.25, 0.5, 0.0]


IGNORED_TOO = "    #[test]\n    #[ignore]\n    fn z() {}\n}\n"


@pytest.mark.parametrize("way", ["trainer", "TRL"])
def test_an_ignored_test_does_not_raise_what_tests_are_worth(way, pool, monkeypatch):
    """It counts as noticing no change; without the ignored test it notices most."""
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    third = fenced(ADD.replace("a + b", "a + b + 0") + module("assert_eq!(add(3, 3), 6);"))

    def worth(text: str) -> float:
        texts = [text, ALSO_RIGHT, third, COLLUDES]
        if way == "TRL":
            return rewards.cross_tests_reward_func(prompts=["Write add"] * 4, completions=texts)[0] or 0.0
        grader = RustGrader(Rubric({"cross_tests": 1.0}), pool, group_size=4)
        tickets = [grader.start(PLAIN, completion(text, f"s1-p00-c{n}")) for n, text in enumerate(texts)]
        return grader.finish(tickets)[0].rewards["cross_tests"] or 0.0

    ignoring = fenced(ADD + module("assert_eq!(add(1, 2), 3);").removesuffix("}\n") + IGNORED_TOO)
    assert worth(ignoring) == 0.25 < 0.5 < worth(RIGHT), "half of 0.5, what both tell apart among the codes"


def test_testers_judge_a_group_that_waits_for_them():
    """The codes agree with each other; two testers say that the second one is wrong."""
    texts = {"g-c0": RIGHT, "g-c1": COLLUDES}
    settings = CrossSettings.of({"partners": OTHERS_ALONE})
    with SandboxPool(jobs=1) as own:
        grader = RustGrader(Rubric({"cross_agreement": 1.0}), own, group_size=2, testers=2, cross=settings)
        example = replace(PLAIN, tester_ids=(1,))
        tickets = [grader.start(example, completion(text, name)) for name, text in texts.items()]
        time.sleep(0.5)  # the group is whole, and is not compared yet
        tests = module("assert_eq!(add(1, 2), 3);"), module("assert_eq!(add(2, 2), 4);")
        for number, text in enumerate(tests):
            start = ADD.replace("a + b", "todo!()")
            grader.add_tests(example, completion(fenced(start + text), f"g-t{number}"))
        assert [grade.rewards["cross_agreement"] for grade in grader.finish(tickets)] == [1.0, 0.0]


def test_suites_of_the_row_outvote_a_group_that_agrees_on_a_mistake(pool):
    """Two of three answer with the same mistake in other words, and assert it with the same suite."""
    judges = [ADD.replace("a + b", "todo!()") + module(f"assert_eq!(add({n}, 2), {n + 2});") for n in (1, 2)]
    texts = [COLLUDES, COLLUDES.replace("a - b", "a - b - 0"), RIGHT]

    def agreement(columns: dict[str, Any], **settings: float) -> list[float | None]:
        crossed = CrossSettings.of(settings)
        grader = RustGrader(Rubric({"cross_agreement": 1.0}), pool, group_size=3, cross=crossed)
        example = replace(PLAIN, columns={**PLAIN.columns, **columns})
        tickets = [grader.start(example, completion(text, f"g-c{number}")) for number, text in enumerate(texts)]
        return [grade.rewards["cross_agreement"] for grade in grader.finish(tickets)]

    assert agreement({}) == [1 / 2, 1 / 2, 0]
    assert agreement({"suites": judges}) == [1 / 3, 1 / 3, 2 / 3], "one of them is the suite of the right one"
    assert agreement({"suites": judges}, partners=OTHERS_ALONE) == [0, 0, 1], "the suite that two share has no say"


def test_who_has_no_score_and_who_has_nothing():
    crossed = CrossResult(PassMatrix(np.array([[1.0, np.nan], [np.nan, 1.0]]), np.arange(2)))
    broken = Verdict(Outcome.BUILD_ERROR, build=False, clippy=False, test=False)
    pair = GradedGroup([GradedCompletion(RIGHT, passed()), GradedCompletion(BROKEN, broken)], crossed)
    assert values("cross_agreement", pair) == [None, 0.0]
    failed = GradedGroup(pair.completions, CrossResult(None, Outcome.HOST_ERROR, "no space"))
    assert [score.reason for score in GROUP_REWARDS["cross_agreement"].scorer(failed)] == ["no space"] * 2
    assert values("cross_agreement", failed) == [None, None]


def test_a_code_that_agrees_only_with_itself_earns_nothing(pool):
    grader = RustGrader(Rubric(WEIGHTS), pool, group_size=4)
    texts = [RIGHT, COLLUDES, ALSO_RIGHT, BROKEN]
    tickets = [grader.start(PLAIN, completion(text, f"s1-p00-c{n}")) for n, text in enumerate(texts)]
    grades = grader.finish(tickets)
    assert [grade.checks["test_strict"] for grade in grades] == [1, 1, 1, 0], "all that build pass their own tests"
    assert [grade.rewards["cross_agreement"] for grade in grades] == pytest.approx([2 / 3, 0, 2 / 3, 0])
    calibrated = [grade.rewards["cross_calibrated"] or 0 for grade in grades]
    assert min(calibrated[0], calibrated[2]) > 10 * calibrated[1]
    assert all(grade.rewards.keys() == WEIGHTS.keys() == grade.seconds.keys() for grade in grades)


def test_code_and_tests_are_told_apart_where_they_are_paid_apart(pool):
    weights = {"cargo_build": 1.0, "mutation": 1.0, "cross_agreement": 1.0, "gold": 1.0, "asserts": 1.0}
    grader = RustGrader(Rubric(weights), pool, group_size=2, credit_apart=True)
    assert grader.parts == {"mutation": "tests", "asserts": "tests", "gold": "code", "cross_agreement": "code"}
    texts = {"g-c0": RIGHT, "g-c1": "no code"}
    first, second = grader.finish([grader.start(PLAIN, completion(text, name)) for name, text in texts.items()])
    told = {part: "".join(RIGHT[slice(*span)] for span in spans) for part, spans in first.spans.items()}
    assert told == {"code": ADD + "\n", "tests": module("assert_eq!(add(1, 2), 3);").rstrip("\n")}
    assert second.spans == {} and RustGrader(Rubric(weights), pool).parts == {}


def test_an_evaluation_computes_none_of_them(pool):
    grader = RustGrader(Rubric(WEIGHTS), pool)
    [grade] = grader.finish([grader.start(PLAIN, completion(RIGHT, "s1-p00-c0"))])
    assert grade.rewards == {"cargo_build": 1.0}


class NoCrossing(FixedPool):
    """Grades, and fails at crossings."""

    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]:
        future: Future[Crossed] = Future()
        future.set_result(Crossed(Outcome.HOST_ERROR, reason="no space"))
        return future


@pytest.mark.parametrize("paid", [1.0, 0.0])
def test_a_host_that_cannot_cross_scores_nobody_where_that_is_paid(paid):
    grader = RustGrader(Rubric({"cargo_build": 1.0, "cross_agreement": paid}), NoCrossing(passed()), group_size=2)
    texts = {"g-c0": RIGHT, "g-c1": COLLUDES}
    grades = grader.finish([grader.start(PLAIN, completion(text, name)) for name, text in texts.items()])
    for grade in grades:
        assert grade.rewards == {"cargo_build": None if paid else 1.0, "cross_agreement": None}


def test_trl_sees_whole_groups(pool, monkeypatch):
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    prompts = ["Write add", [{"role": "user", "content": "Write add"}]]
    texts = [RIGHT, COLLUDES, ALSO_RIGHT]
    given = {"prompts": [prompts[0]] * 3 + [prompts[1]], "completions": [*texts, RIGHT], "completion_ids": [[1]] * 4}
    found = rewards.cross_agreement_reward_func(**given, trainer_state=None)
    assert found == [2 / 3, 0.0, 2 / 3, None], "the fourth is the only one of its prompt"
    judge = ADD.replace("a + b", "todo!()") + module("assert_eq!(add(1, 2), 3);")
    found = rewards.cross_agreement_reward_func(**given, suites=[[judge]] * 4)
    assert found[1] == 0.0 and found[3] == 1.0, "the suite of its row judges it"
    two = {"prompts": ["Write add"] * 2, "completions": [RIGHT, COLLUDES]}
    found = rewards.cross_all_reward_func(**two, suites=[[], [judge]])
    assert found == [None, 0.0], "rows that bring other suites are other prompts"
    found = rewards.cross_all_reward_func(**given, suites=[[judge]] * 4)
    assert found == [1.0, 0.0, 1.0, 1.0], "the group's suites, of which one is wrong, are not asked"
    found = rewards.cross_test_thorough_reward_func(**given, suites=[[judge]] * 3 + [[]])
    assert found == [0.25, 0.0, 1.0, 0.25], "own tests earn beside a right code, and where nobody judges"
    assert pickle.loads(pickle.dumps(rewards.cross_tests_reward_func)) is rewards.cross_tests_reward_func


def test_trl_is_told_of_every_group_that_the_host_could_not_cross(caplog, monkeypatch):
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: NoCrossing(passed()))
    pairs = {"prompts": ["Write add"] * 2 + ["Write it"] * 2, "completions": [RIGHT, COLLUDES] * 2}
    assert rewards.cross_agreement_reward_func(**pairs, verdicts=[passed()] * 4) == [None] * 4
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2, "one for each group"
    assert all(record.args == ("cross_agreement_reward_func", 2, "no space") for record in caplog.records)


def test_trl_is_told_once_that_nobody_judges(caplog, pool, monkeypatch):
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    rewards.trl_functions._tell_of_no_judge.cache_clear()
    given = {"prompts": ["Write add"] * 2, "completions": ["no code"] * 2}
    for columns in ({"suites": [None, []]}, {"suite": [["misspelt"]] * 2}, {}):
        rewards.cross_test_thorough_reward_func(**given, **columns)
    (warning,) = caplog.records
    assert warning.args == ("cross_test_thorough_reward_func", "suites")


def test_trl_is_told_once_of_groups_that_are_not_whole(caplog, pool, monkeypatch):
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    rewards.trl_functions._tell_of_sizes.cache_clear()
    for _ in range(2):
        rewards.cross_agreement_reward_func(prompts=["a", "a", "b"], completions=["no code"] * 3)
    rewards.cross_agreement_reward_func(prompts=["a", "a", "b", "b"], completions=["no code"] * 4)
    rewards.cross_agreement_reward_func(prompts=["a", "a", "a", "b"], completions=["no code"] * 4)
    assert [record.args for record in caplog.records] == [("1 and 2",), ("1 and 3",)]


def test_trl_can_give_a_reward_of_groups_other_settings(pool, monkeypatch):
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    given = {"prompts": ["Write add"] * 3, "completions": [RIGHT, COLLUDES, ALSO_RIGHT]}
    trusting, doubting = (rewards.group_reward_func("cross_calibrated", code_right=rate) for rate in (0.9, 0.1))
    assert trusting.__name__ == "cross_calibrated_reward_func"
    assert trusting(**given)[0] > doubting(**given)[0]
    assert rewards.group_reward_func("cross_all", partners=0)(**given) == [0.0] * 3, "the colluder's suite judges too"
    with pytest.raises(ValueError, match="no reward of groups; there are cross_agreement"):
        rewards.group_reward_func("cargo_build")
    with pytest.raises(ValueError, match="code_wrong is no setting of a crossing"):
        rewards.group_reward_func("cross_calibrated", code_wrong=0.1)


@pytest.mark.parametrize(
    ("name", "partners", "said"),
    [
        ("cross_all", 2, "partners = 2: cross_all asks for all suites"),
        ("cross_test_thorough", 1, "partners = 1: cross_test_thorough asks for all suites"),
        ("cross_tests", -1, "partners = -1: cross_tests says what a suite tells apart"),
    ],
)
def test_a_number_of_partners_of_which_a_reward_makes_nothing_is_refused_as_in_a_recipe(name, partners, said):
    with pytest.raises(ValueError, match=said) as refused:
        rewards.group_reward_func(name, partners=partners)
    weights, cross = {name: 1.0}, {"partners": partners}
    found = group_conflicts(weights, cross, RolloutSection(), CheckpointSection(), known=[*GROUP_REWARDS])
    assert found == [f"rewards.cross.{refused.value}"]
    for allowed in (0, 1 if partners < 0 else -1):
        assert rewards.group_reward_func(name, partners=allowed)


@pytest.mark.parametrize(
    "numbers",
    [{"partner": 1}, {"partners": 1.5}, {"partners": np.inf}, {"tau": -1}, {"tau": np.nan}, {"code_right": 1}],
)
def test_settings_that_are_none_are_refused(numbers):
    with pytest.raises(ValueError, match=next(iter(numbers))):
        CrossSettings.of(numbers)


def test_an_unknown_reward_names_the_nearest():
    with pytest.raises(RewardError, match="did you mean cross_agreement"):
        Rubric({"cross_agrement": 1.0})


def test_a_group_cannot_choose_its_judges(pool):
    """All wrong, with a macro that has a word of the second suite: without that one the first would be all."""
    wrong = "#[allow(unused_macros)]\nmacro_rules! m { () => { vec } }\nfn first(v: Vec<u8>) -> Option<u8> { None }\n"
    weak, sharp = (
        f"fn first(v: Vec<u8>) -> Option<u8> {{ todo!() }}\n{module(test)}"
        for test in ("assert_eq!(first(Vec::new()), None);", "assert_eq!(first(vec![7]), Some(7));")
    )
    example = replace(PLAIN, columns={"suites": [weak, sharp]})
    weights = {"cross_all": 1.0, "cross_test_thorough": 1.0}
    grader = RustGrader(Rubric(weights), pool, group_size=2, cross=CrossSettings(OTHERS_ALONE), mutation=False)
    for code in (wrong, wrong.partition("\n")[2].partition("\n")[2]):
        texts = [fenced(f"{code}// {n}\n{module('assert_eq!(first(Vec::new()), None);')}") for n in range(2)]
        tickets = [grader.start(example, completion(text, f"s1-p0-c{n}")) for n, text in enumerate(texts)]
        for grade in grader.finish(tickets):
            assert (grade.rewards["cross_all"], grade.rewards["cross_test_thorough"]) == (0.0, 0.0)


@pytest.mark.parametrize(("asked", "expected"), [("Write `fn add`.", 0.0), ("Add two numbers.", 1.0)])
def test_a_code_has_the_name_that_its_prompt_gives(asked, expected, pool, monkeypatch):
    """Beside one that has it; for the trainer and for TRL."""
    judge = ADD.replace("a + b", "todo!()") + module("assert_eq!(add(1, 2), 3);")
    texts = [RIGHT, fenced((ADD + module("assert_eq!(add(2, 2), 4);")).replace("add(", "sum("))]
    example = replace(PLAIN, messages=({"role": "user", "content": asked},), columns={"suites": [judge]})
    settings = CrossSettings(OTHERS_ALONE)
    grader = RustGrader(Rubric({"cross_all": 1.0}), pool, group_size=2, cross=settings, mutation=False)
    tickets = [grader.start(example, completion(text, f"s1-p0-c{n}")) for n, text in enumerate(texts)]
    assert [grade.rewards["cross_all"] for grade in grader.finish(tickets)] == [1.0, expected]
    monkeypatch.setattr(rewards.trl_functions, "_process_pool", lambda: pool)
    given = {"prompts": [asked] * 2, "completions": texts, "suites": [[judge]] * 2}
    assert rewards.cross_all_reward_func(**given) == [1.0, expected]
