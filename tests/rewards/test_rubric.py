"""A rubric knows the built-in rewards and loads a user's own; what it does not know it names, with what is nearest."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from completions import HONEST, fenced, passed
from rewards import RewardError, Rubric
from rewards.builtin import PUBLISHED_WEIGHTS
from rewards.completion import GradedCompletion
from rewards.registry import REWARDS

ROOT = Path(__file__).resolve().parents[2]
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
    assert not [name for name in sys.modules if name.endswith("_bad")]


def test_a_file_may_have_dataclasses_with_postponed_annotations(tmp_path):
    (tmp_path / "bonus.py").write_text(
        "from __future__ import annotations\n\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass Bonus:\n"
        "    size: float = 0.5\n\n\ndef f(completions, **_):\n    return [Bonus().size] * len(completions)\n"
    )
    name = f"{tmp_path}/bonus.py:f"
    assert Rubric({name: 1.0}).user_scores({"completions": ["a"]}, 1)[0] == {name: [0.5]}


@pytest.mark.parametrize("name", [f"{USER_REWARDS}:later", "user_rewards:later"])
def test_functions_of_a_file_or_a_package_are_called_even_if_they_are_coroutines(name):
    rubric = Rubric({name: 2.0})
    assert rubric.has_user_functions and rubric.user_scores({"completions": ["a", "b"]}, 2)[0] == {name: [1.0, 1.0]}


WANTED = "give a list of 2 finite numbers, one per completion, or None where it does not apply"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("broken", "no such column"),
        ("short", f"returned 1 scores: {WANTED}"),
        ("infinite", f"returned inf (float) for completion 0: {WANTED}"),
        ("not_a_number", f"returned nan (float) for completion 0: {WANTED}"),
        ("one_number", f"returned 0.5 (float): {WANTED}"),
        ("text", f"returned 'ab' (str): {WANTED}"),
        ("words", f"returned 'good' (str) for completion 0: {WANTED}"),
        ("digits", f"returned '1' (str) for completion 0: {WANTED}"),
        ("leaves", "SystemExit(5)"),
        ("hangs", "did not return within 0.2 s (rewards.function_s)"),
    ],
)
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_one_that_fails_is_named_and_ends_the_run_if_it_pays(function, said, weight, caplog):
    name, batch = f"{USER_REWARDS}:{function}", {"completions": ["a", "b"]}
    rubric = Rubric({name: weight, f"{USER_REWARDS}:later": 1.0}, function_s=0.2 if function == "hangs" else 30.0)
    with caplog.at_level(logging.ERROR):
        if weight:
            with pytest.raises(RewardError, match=rf"{function} failed: .*run\.resume=true") as caught:
                rubric.user_scores(batch, 2)
            assert name in str(caught.value) and said in str(caught.value)
        else:
            assert rubric.user_scores(batch, 2)[0] == {name: [None, None], f"{USER_REWARDS}:later": [1.0, 1.0]}
    assert name in caplog.text and said in caplog.text


def test_without_a_limit_a_function_runs_where_it_is_asked():
    rubrics = {limit: Rubric({f"{USER_REWARDS}:in_the_main_thread": 1.0}, function_s=limit) for limit in (0.0, 9.0)}
    scores = {limit: rubric.user_scores({"completions": ["a"]}, 1)[0].popitem()[1] for limit, rubric in rubrics.items()}
    assert scores == {0.0: [1.0], 9.0: [0.0]}


def test_a_process_ends_although_a_function_hangs():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from rewards.rubric import Rubric\n"
        f"rubric = Rubric({{{str(USER_REWARDS) + ':hangs'!r}: 0.0}}, function_s=0.2)\n"
        "print(list(rubric.user_scores({'completions': ['a']}, 1)[0].values()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[[None]]\n"), done.stderr
