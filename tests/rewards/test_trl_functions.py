"""The published reward functions as TRL calls them: keywords only, one score a completion, one compile for all."""

from __future__ import annotations

import dataclasses
import inspect
import pickle

import pytest

import rewards
from completions import ADD, HACKS, HONEST, fenced, passed
from rewards import trl_functions
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS
from sandbox import Outcome, Verdict

PUBLISHED = {
    "cargo_build": rewards.cargo_build_reward_func,
    "cargo_clippy": rewards.cargo_clippy_reward_func,
    "cargo_test": rewards.cargo_test_reward_func,
    "non_empty": rewards.non_empty_reward_func,
    "code_block": rewards.code_block_count_reward_func,
    "test_block": rewards.test_block_count_reward_func,
    "asserts": rewards.tests_have_asserts_reward_func,
}
FURTHER = [
    rewards.cargo_test_thorough_reward_func,
    rewards.mutation_reward_func,
    rewards.tests_passed_share_reward_func,
    rewards.clippy_clean_reward_func,
    rewards.gold_reward_func,
    rewards.gold_passed_share_reward_func,
    rewards.cross_agreement_reward_func,
    rewards.cross_all_reward_func,
    rewards.cross_test_thorough_reward_func,
    rewards.cross_consensus_reward_func,
    rewards.cross_calibrated_reward_func,
    rewards.cross_tests_reward_func,
]
GOOD = fenced(HONEST["a plain call"])


def called_as_trl_does(function, completions, **columns):
    prompts = [[{"role": "user", "content": "Write it"}]] * len(completions)
    ids = [[1, 2]] * len(completions)
    return function(prompts=prompts, completions=completions, completion_ids=ids, trainer_state=None, **columns)


def test_every_name_that_the_package_offers_is_there():
    own = sum(1 for reward in REWARDS.values() if reward.task)
    assert len(set(rewards.__all__)) == len(rewards.__all__) == 33 + own
    assert all(hasattr(rewards, name) for name in rewards.__all__) and dir(rewards) == sorted(rewards.__all__)
    offered: dict[str, object] = {}
    exec("from rewards import *", offered)
    assert offered.keys() - {"__builtins__"} == set(rewards.__all__)
    functions = [reward.published_name for reward in (*REWARDS.values(), *GROUP_REWARDS.values())]
    assert set(functions) <= set(rewards.__all__) and functions == trl_functions.__all__
    assert functions.count("cargo_build_reward_func") == 1 and len(functions) == len(PUBLISHED) + len(FURTHER) + own


@pytest.mark.parametrize("module", [rewards, trl_functions])
def test_a_name_that_is_none_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match=rf"module '{module.__name__}' has no attribute 'cargo_reward_func'"):
        _ = module.cargo_reward_func


def test_a_function_can_be_pickled():
    function = rewards.cargo_build_reward_func
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("function", [*PUBLISHED.values(), *FURTHER])
def test_trl_can_call_it(function):
    texts = [GOOD, "no code"]
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    verdicts = [passed(), None]
    scores = called_as_trl_does(function, texts, verdicts=verdicts)
    assert scores == called_as_trl_does(function, chats, verdicts=verdicts)
    assert all(score is None or 0.0 <= score <= 1.0 for score in scores) and len(scores) == 2
    assert function.__name__.endswith("_reward_func") and getattr(rewards, function.__name__) is function
    assert function.__doc__ and not inspect.iscoroutinefunction(function)


def test_the_best_completion_earns_the_published_seven_points():
    code = HONEST["a plain call"].replace(
        "3);", "3);\n assert_eq!(add(0, 0), 0);\n assert!(add(1, 1) > 0);\n assert!(true);"
    )
    values = {
        name: function(completions=[fenced(code)], verdicts=[passed()])[0] for name, function in PUBLISHED.items()
    }
    assert values == dict.fromkeys(PUBLISHED, 1.0)
    assert sum(rewards.PUBLISHED_WEIGHTS[name] * value for name, value in values.items()) == 7.0
    assert rewards.PUBLISHED_WEIGHTS.keys() == PUBLISHED.keys()


def test_a_failure_of_the_host_is_none_and_never_zero():
    failed = [Verdict(Outcome.HOST_ERROR, reason="no disk")]
    need_one = [reward for reward in REWARDS.values() if reward.needs_verdict and not reward.task]
    assert len(need_one) == 7
    for reward in need_one:
        assert getattr(rewards, reward.published_name)(completions=[GOOD], verdicts=failed) == [None]


def test_without_verdicts_one_pool_grades_each_program_once(pool, monkeypatch):
    submitted: list[str] = []
    submit = pool.submit
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    monkeypatch.setattr(pool, "submit", lambda code, **rest: submitted.append(code) or submit(code, **rest))
    texts = [GOOD, fenced(HACKS["a tautology"]), fenced(ADD.replace("a + b", "a +")), "no code"]
    assert rewards.cargo_build_reward_func(completions=texts) == [1.0, 1.0, 0.0, 0.0]
    assert rewards.cargo_test_reward_func(completions=texts) == [1.0, 0.0, 0.0, 0.0]
    assert len(submitted) == 6 and pool.submit(submitted[0]).done()


def test_every_function_sees_what_the_tests_depend_on(pool, monkeypatch):
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    texts = [GOOD, fenced(HACKS["a tautology"])]
    assert rewards.cargo_test_thorough_reward_func(completions=texts) == [0.25, 0.0]
    shares = rewards.mutation_reward_func(completions=texts)
    assert 0.0 < shares[0] <= 1.0 and shares[1] == 0.0
    without = [dataclasses.replace(passed(), evidence=None)]
    assert rewards.cargo_test_reward_func(completions=[GOOD], verdicts=without) == [0.0]


def test_gold_tests_come_from_the_columns(pool, monkeypatch):
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    texts = [GOOD, fenced(ADD.replace("+", "-")), "no code", GOOD]
    lists = [["assert_eq!(add(1, 2), 3);"]] * 3 + [None]
    assert called_as_trl_does(rewards.gold_reward_func, texts, rust_test_list=lists) == [1.0, 0.0, 0.0, None]
