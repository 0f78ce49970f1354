"""A rubric knows the built-in rewards and loads a user's own; what it does not know it names, with what is nearest."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from completions import HONEST, fenced, passed
from rewards import RewardError, Rubric
from rewards.builtin import PUBLISHED_WEIGHTS, REWARDS
from rewards.completion import GradedCompletion

USER_REWARDS = Path(__file__).with_name("user_rewards.py")
GOOD = GradedCompletion(fenced(HONEST["a plain call"]), passed())


def test_every_score_has_a_reason():
    scores = Rubric(dict.fromkeys(REWARDS, 1.0)).score(GOOD)
    assert scores.keys() == REWARDS.keys() and all(score.reason for score in scores.values())


def test_a_weight_of_zero_is_computed():
    values, seconds = Rubric({"cargo_build": 0.0, "asserts": 1.0}).timed_score(GOOD)
    assert values == {"cargo_build": 1.0, "asserts": 0.25}
    assert values.keys() == seconds.keys() and all(value >= 0.0 for value in seconds.values())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cargo_tests", "did you mean cargo_test"),
        ("zzz", "no reward function 'zzz'. Known: cargo_build"),
        ("no_such_package.x:f", "cannot load"),
        ("no/such/file.py:f", "no Python file"),
        (":f", "cannot load"),
        (f"{USER_REWARDS}:no_such_function", "cannot load"),
        (f"{USER_REWARDS}:NOT_A_FUNCTION", "is a int and not a function"),
    ],
)
def test_an_unknown_reward_is_named_with_what_to_do(name, told):
    with pytest.raises(RewardError) as raised:
        Rubric({**PUBLISHED_WEIGHTS, name: 1.0})
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("code", "error"), [("def f(:\n", "SyntaxError"), ("f = unknown\n", "NameError"), ("len(3)\n", "TypeError")]
)
def test_a_file_that_cannot_be_imported_is_named_with_the_reason(code, error, tmp_path):
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(RewardError, match=rf"bad\.py:f': {error}"):
        Rubric({f"{tmp_path}/bad.py:f": 1.0})


@pytest.mark.parametrize("name", [f"{USER_REWARDS}:later", "user_rewards:later"])
def test_functions_of_a_file_or_a_package_are_called_even_if_they_are_coroutines(name):
    rubric = Rubric({name: 2.0})
    assert rubric.has_user_functions and rubric.user_scores({"completions": ["a", "b"]}, 2)[0] == {name: [1.0, 1.0]}


@pytest.mark.parametrize("function", ["broken", "short", "infinite", "not_a_number"])
def test_one_that_fails_scores_none_and_is_named_in_the_log(function, caplog):
    name = f"{USER_REWARDS}:{function}"
    with caplog.at_level(logging.ERROR):
        scores, _ = Rubric({name: 1.0, f"{USER_REWARDS}:later": 1.0}).user_scores({"completions": ["a", "b"]}, 2)
    assert scores == {name: [None, None], f"{USER_REWARDS}:later": [1.0, 1.0]}
    assert name in caplog.text
