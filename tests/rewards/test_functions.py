"""The published reward functions as TRL calls them: keywords only, one score a completion, one compile for all."""

from __future__ import annotations

import inspect

import pytest

import rewards
from answers import ADD, HACKS, HONEST, answer, passed
from rewards import trl_functions
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
FURTHER = [rewards.tests_passed_share_reward_func, rewards.clippy_clean_reward_func, rewards.gold_reward_func]
GOOD = answer(HONEST["a plain call"])


def called_as_trl_does(function, completions, **columns):
    prompts = [[{"role": "user", "content": "Write it"}]] * len(completions)
    ids = [[1, 2]] * len(completions)
    return function(prompts=prompts, completions=completions, completion_ids=ids, trainer_state=None, **columns)


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


def test_the_best_answer_earns_the_published_seven_points():
    code = HONEST["a plain call"].replace(
        "3);", "3);\n assert_eq!(add(0, 0), 0);\n assert!(add(1, 1) > 0);\n assert!(true);"
    )
    values = {
        name: function(completions=[answer(code)], verdicts=[passed()])[0] for name, function in PUBLISHED.items()
    }
    assert values == dict.fromkeys(PUBLISHED, 1.0)
    assert sum(trl_functions.PUBLISHED_WEIGHTS[name] * value for name, value in values.items()) == 7.0
    assert trl_functions.PUBLISHED_WEIGHTS.keys() == PUBLISHED.keys()


def test_a_failure_of_the_host_is_none_and_never_zero():
    failed = [Verdict(Outcome.HOST_ERROR, reason="no disk")]
    for name in trl_functions.NEEDS_VERDICT:
        assert trl_functions._reward_function(name, name)(completions=[GOOD], verdicts=failed) == [None]


def test_without_verdicts_one_pool_grades_each_program_once(pool, monkeypatch):
    submitted: list[str] = []
    submit = pool.submit
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    monkeypatch.setattr(pool, "submit", lambda code, **rest: submitted.append(code) or submit(code, **rest))
    texts = [GOOD, answer(HACKS["a tautology"]), answer(ADD.replace("a + b", "a +")), "no code"]
    assert rewards.cargo_build_reward_func(completions=texts) == [1.0, 1.0, 0.0, 0.0]
    assert rewards.cargo_test_reward_func(completions=texts) == [1.0, 0.0, 0.0, 0.0]
    assert len(submitted) == 6 and pool.submit(submitted[0]).done()


def test_gold_tests_come_from_the_columns(pool, monkeypatch):
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    texts = [GOOD, answer(ADD.replace("+", "-")), "no code", GOOD]
    lists = [["assert_eq!(add(1, 2), 3);"]] * 3 + [None]
    assert called_as_trl_does(rewards.gold_reward_func, texts, rust_test_list=lists) == [1.0, 0.0, 0.0, None]
