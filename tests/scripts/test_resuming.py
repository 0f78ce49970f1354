"""What a resumed run may change: settings and prompts are compared with those of its checkpoint, and what is said."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grpo.rollout.fingerprints import fingerprints
from grpo.rollout.records import Example
from grpo.schema import defaults, load
from grpo_rust.arguments import parse_arguments
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from grpo_rust.resuming.changeable import CHANGEABLE, why_changeable
from grpo_rust.resuming.comparing import ResumeRefused, check_prompts, check_settings, kept_texts
from grpo_rust.resuming.course import describe_course

EXAMPLES = [
    Example(name, ({"role": "user", "content": f"say {name}"},), {"gold": [name]}, (1, 2, number))
    for number, name in enumerate("abcd")
]


def checkpoint(path: Path, *overrides: str, examples: list[Example] = EXAMPLES) -> Path:
    """The files of a checkpoint that are compared."""
    (path / "trainer_state").mkdir(parents=True)
    recipe = load_recipe(DEFAULT_RECIPE, ["run.dir=runs/first", *overrides])
    for name, text in kept_texts(recipe, {"data.train": fingerprints(examples), "data.eval": []}).items():
        (path / name).write_text(text)
    return path


def resumed(*overrides: str) -> Recipe:
    return load_recipe(DEFAULT_RECIPE, ["run.dir=runs/first", "run.resume=true", *overrides])


def test_the_same_settings_are_no_change(tmp_path: Path) -> None:
    assert check_settings(resumed("train.lr=1e-5"), checkpoint(tmp_path / "step", "train.lr=1e-5")) == []


def test_what_changes_the_result_is_refused_with_what_it_was_and_is(tmp_path: Path) -> None:
    begun = checkpoint(tmp_path / "step", "rewards.weights.cargo_test=2", "rewards.weights.cargo_build=1")
    now = resumed("train.lr=1e-5", 'rewards.weights={cargo_test=3, "mine:f"=1}', "train.max_steps=99")
    with pytest.raises(ResumeRefused) as caught:
        check_settings(now, begun)
    said = str(caught.value)
    lr = load_recipe(DEFAULT_RECIPE).train.lr
    assert f"train.lr: {json.dumps(lr)} -> 1e-05" in said
    assert "rewards.weights.cargo_test: 2.0 -> 3.0" in said and "rewards.weights.cargo_build: 1.0 -> none" in said
    assert "rewards.weights.mine:f: none -> 1.0" in said
    assert "train.max_steps" not in said, "what may change is no reason"
    assert f"model.path={begun}" in said


def test_what_changes_no_result_is_said_with_the_reason(tmp_path: Path) -> None:
    changes = ("train.max_steps=99", "checkpoint.keep_best=1", "eval.every=1", "run.dir=moved", "sandbox.jobs=3")
    found = check_settings(resumed(*changes), checkpoint(tmp_path / "step", "train.max_steps=20"))
    assert [line.split(":")[0] for line in found] == [
        *("run.name", "run.dir", "sandbox.jobs", "train.max_steps", "eval.every", "checkpoint.keep_best")
    ]
    assert found[3].startswith("train.max_steps: 20 -> 99 (") and "the learning rate follows the new length" in found[3]


def test_every_setting_is_either_compared_or_in_the_table() -> None:
    """A name in the table that no setting has would be a typing error; most settings have to be refused."""
    names = {f"{row.section}.{row.key}" for row in defaults(Recipe)}
    sections = {f"{name.partition('.')[0]}.*" for name in names}
    assert set(CHANGEABLE) <= names | sections
    refused = {name for name in names if not why_changeable(name)}
    assert {"run.seed", "model.path", "train.lr", "loss.name", "rollout.overlap", "eval.samples"} < refused
    assert len(refused) > len(names) / 2


def test_the_same_prompts_in_another_place_are_the_same(tmp_path: Path) -> None:
    check_prompts(checkpoint(tmp_path / "step"), {"data.train": fingerprints(list(EXAMPLES)), "data.eval": []})


def gold_changed(examples: list[Example]) -> list[Example]:
    return [dataclasses.replace(examples[0], columns={"gold": ["z"]}), *examples[1:]]


def tokens_changed(examples: list[Example]) -> list[Example]:
    return [dataclasses.replace(examples[0], prompt_ids=(1, 2)), *examples[1:]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found[1:], "1 is gone ('a')"),
        (lambda found: found[2:], "2 are gone ('a' and others)"),
        (lambda found: [*found, Example("e", ())], "1 is new ('e')"),
        (gold_changed, "1 has other content ('a')"),
        (tokens_changed, "1 has other content ('a')"),
        (lambda found: [found[1], found[0], *found[2:]], "the same prompts in another order"),
        (lambda found: [*gold_changed(found)[:3], Example("e", ())], "1 is gone ('d'), 1 is new ('e'), 1 has other"),
    ],
)
def test_other_prompts_are_refused_with_what_differs(
    tmp_path: Path, change: Callable[[list[Example]], list[Example]], said: str
) -> None:
    begun = checkpoint(tmp_path / "step")
    with pytest.raises(ResumeRefused, match="the prompts are not those") as caught:
        check_prompts(begun, {"data.train": fingerprints(change(EXAMPLES)), "data.eval": []})
    assert f"data.train: {said}" in str(caught.value) and "data.eval" not in str(caught.value)


def test_odd_names_and_columns_that_json_lacks_survive_a_checkpoint(tmp_path: Path) -> None:
    odd = [Example("\ud800é", (), {"when": {1, 2}, "bytes": b"\xff"})]
    begun = checkpoint(tmp_path / "step", examples=odd)
    check_prompts(begun, {"data.train": fingerprints(odd), "data.eval": []})


def test_a_resumed_run_needs_only_its_directory_and_keeps_what_was_changed(tmp_path: Path) -> None:
    run = tmp_path / "first"
    run.mkdir()
    longer = load_recipe(DEFAULT_RECIPE, [f"run.dir={run}", "run.resume=true", "train.max_steps=7"])
    (run / "config.toml").write_text(kept_texts(longer, {})["config.toml"])
    again = parse_arguments(["run.resume=true", f"run.dir={run}"]).recipe
    assert again.train.max_steps == 7 and again.run.resume
    assert not load(Recipe, run / "config.toml").run.resume, "the directory says what the run is, not how it is called"


def trainer(path: Path, *, steps: int, evaluated: int, evaluates: bool = True) -> Any:
    """The part of a trainer that is asked."""
    run = SimpleNamespace(path=path, evaluations=lambda: [{"step": 0}, {"step": evaluated}])
    return SimpleNamespace(run=run, schedule=SimpleNamespace(num_steps=steps), evaluate=print if evaluates else None)


def test_what_a_session_is_going_to_do_is_said(tmp_path: Path) -> None:
    run = trainer(tmp_path, steps=20, evaluated=10)
    assert describe_course(run, 1, "prompt 1 of 9 of epoch 1") == f"{tmp_path}, steps 1 to 20"
    assert describe_course(run, 5, "prompt 9 of 9 of epoch 1").endswith("steps 5 to 20, from prompt 9 of 9 of epoch 1")
    done = describe_course(run, 21)
    assert "is complete: 20 of 20 steps" in done and "give train.max_steps=40" in done
    assert "what is missing (the final evaluation, summary.json, report.html) is done now" in done
    (tmp_path / "summary.json").touch()
    assert "(report.html)" in describe_course(trainer(tmp_path, steps=20, evaluated=20), 21)
    (tmp_path / "report.html").touch()
    assert "written again" in describe_course(trainer(tmp_path, steps=20, evaluated=1, evaluates=False), 21)
    assert "is complete: 20 of 4 steps" in describe_course(trainer(tmp_path, steps=4, evaluated=20), 21)
