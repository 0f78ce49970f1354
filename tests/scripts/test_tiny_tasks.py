"""The task set: evaluation asks only for combinations never shown, rows are whole, and a seed decides everything."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tiny.catalogue import OPERATIONS, SPLITS, combinations
from tiny.tasks import COLUMNS, demonstrations, make_tasks, write_jsonl

SHIPPED = Path(__file__).parents[2] / "assets" / "tasks"
DEMONSTRATIONS = "7088af426de3e725c3d8e518d1940115e5d49ea00bc525b0c49bbb86692177cd"  # sha256 of the first 500


def shipped(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (SHIPPED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_no_shipped_prompt_asks_for_what_only_another_split_may_ask_for() -> None:
    for split in SPLITS:
        allowed = {(op.name, element.name) for op, element in combinations(split)}
        assert {(row["operation"], row["element"]) for row in shipped(split)} <= allowed


def test_no_prompt_occurs_twice_in_or_between_the_files() -> None:
    prompts = [row["prompt"] for split in SPLITS for row in shipped(split)]
    assert len(prompts) == len(set(prompts))


def test_every_combination_is_asked_for_about_as_often_as_every_other() -> None:
    for split in SPLITS:
        asked = Counter((row["operation"], row["element"]) for row in shipped(split))
        assert max(asked.values()) - min(asked.values()) <= 2
        assert len(asked) == len(combinations(split))


def test_the_shipped_rows_are_whole_and_what_the_code_makes() -> None:
    for split in SPLITS:
        rows = shipped(split)
        assert all(set(row) == set(COLUMNS) and all(row.values()) for row in rows)
        assert len({row["task_id"] for row in rows}) == len(rows)
        assert all(row["gold_tests"].count("assert") >= 3 for row in rows)
        made = make_tasks(50, split=split, seed=0)
        assert [row["prompt"] for row in rows[:50]] == [task.prompt for task in made]
        assert [row["gold_tests"] for row in rows[:50]] == [task.gold_tests for task in made]


def test_the_prompt_names_the_function_that_the_gold_tests_call() -> None:
    for task in make_tasks(200, split="eval", seed=3):
        name = task.reference.split("fn ")[1].split("(")[0].split("<")[0]
        assert f"{name}(" in task.gold_tests
        assert f"`{name}`" in task.prompt or f"fn {name}" in task.prompt


def test_the_shape_of_a_prompt_says_every_parameter_with_its_type() -> None:
    for task in make_tasks(200, split="train", seed=4):
        parameters = task.reference.split("fn ")[1].split("(", 1)[1].split(") -> ")[0]
        first = parameters.split(":")[0]
        assert f"{first}: " in task.prompt


def test_a_seed_makes_the_same_tasks_again_and_another_seed_others() -> None:
    assert make_tasks(20, split="eval", seed=5) == make_tasks(20, split="eval", seed=5)
    assert make_tasks(20, split="eval", seed=5) != make_tasks(20, split="eval", seed=6)


def test_demonstrations_hold_the_wanted_share_of_mistakes_and_cover_the_operations() -> None:
    shown = demonstrations(2000, mistaken=0.5, seed=0)
    share = sum(bool(item.mistake) for item in shown) / len(shown)
    assert share == pytest.approx(0.5, abs=0.05)
    assert len({item.prompt for item in shown}) > 1900
    assert not any(item.mistake for item in demonstrations(50, mistaken=0.0, seed=0))


def test_the_warm_start_s_demonstrations_are_those_the_shipped_model_learned_from() -> None:
    shown = [(item.prompt, item.completion, item.mistake) for item in demonstrations(500, mistaken=0.55, seed=0)]
    assert hashlib.sha256(json.dumps(shown).encode()).hexdigest() == DEMONSTRATIONS


def test_rows_survive_the_file(tmp_path: Path) -> None:
    tasks = make_tasks(3, split="eval", seed=0)
    write_jsonl(tasks, tmp_path / "new" / "eval.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "new" / "eval.jsonl").read_text().splitlines()]
    assert [row["gold_tests"] for row in rows] == [task.gold_tests for task in tasks]


def test_the_tables_say_operation_names_that_rows_can_be_grouped_by() -> None:
    names = {op.name for op in OPERATIONS}
    assert {row["operation"] for row in shipped("eval")} <= names
