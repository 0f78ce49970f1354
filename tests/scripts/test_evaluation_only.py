"""MultiPL-E may be evaluated with and not trained on: it is known by what any of its rows holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from benchmark_rows import MULTIPL_E
from dataset.sources import read_rows
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.compose.evaluation_only import check_trainable, is_evaluation_only_row
from grpo_rust.plan import plan
from grpo_rust.recipe import DEFAULT_RECIPE, load_recipe

NAMED = {"name": MULTIPL_E["name"], "prompt": MULTIPL_E["prompt"]}
CHANGED = {
    "whole": MULTIPL_E,
    "an older form": {name: value for name, value in MULTIPL_E.items() if name != "prompt_terminology"},
    "three columns": {**NAMED, "tests": MULTIPL_E["tests"]},
    "tests alone": {"task_id": "1", "rust_prompt": "Add.", "gold_tests": MULTIPL_E["tests"]},
    "tests that are a module": {"prompt": "Add.", "t": "fn passes() {\n let candidate = add;\n f(candidate(1));\n}"},
    "no tests": NAMED,
    "tests of another type": {**MULTIPL_E, "tests": None},
    "another name": {**MULTIPL_E, "name": "x", "tests": None},
    "within a column": {"prompt": MULTIPL_E["prompt"], "meta": {"rows": [MULTIPL_E]}},
    "as JSON": {"prompt": "Add.", "meta": json.dumps({"tests": MULTIPL_E["tests"]})},
    "as messages": {"messages": [{"role": "user", "content": MULTIPL_E["tests"]}]},
}
ALLOWED: list[dict[str, Any]] = [
    {"tests": "x", "name": "y", "language": "rs", "original": "z", "prompt": "fn f() {"},
    {"rust_code": 'fn main() {\n    let candidate = votes;\n    println!("{candidate}");\n}'},
    {"task_id": "mbpp-88", "prompt": "Add.", "signature": "fn add(a: i32) -> i32"},
    {"task_id": "HumanEval/0", "prompt": "def add(a, b):"},
    {"prompt": "Add.", **dict.fromkeys(("language", "doctests", "original", "stop_tokens"))},
]


@pytest.mark.parametrize("name", CHANGED)
def test_multipl_e_is_known_by_what_any_row_holds(name: str, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"prompt": "Write a function."}, CHANGED[name]]
    assert is_evaluation_only_row(CHANGED[name])
    for path in (tmp_path / "rows.jsonl", tmp_path / "rows.parquet"):
        if path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist([CHANGED[name] | rows[0], CHANGED[name]]), path)
        with pytest.raises(BadInput, match="forbids training"):
            list(read_rows(str(path)))


def test_other_data_is_not_taken_for_multipl_e() -> None:
    assert not any(map(is_evaluation_only_row, ALLOWED))


def test_multipl_e_is_refused_as_training_data_whatever_its_file_is_called() -> None:
    columns = {name: value for name, value in MULTIPL_E.items() if name != "prompt"}
    other, message = Example("0", (), {"x": None}), {"role": "user", "content": MULTIPL_E["tests"]}
    for source, found in (
        ("hf:nuprl/MultiPL-E", other),
        ("renamed.jsonl", Example("a", (), columns)),
        ("renamed.jsonl", Example("a", (message,), {})),
        ("renamed.jsonl", Example("mbpp_1_add", ({"role": "user", "content": MULTIPL_E["prompt"]},), {})),
    ):
        with pytest.raises(BadInput, match="forbids training"):
            check_trainable(source, [other, found])
    check_trainable("mine.jsonl", [Example("a", (), {"tests": "x", "name": "y"})])


def test_a_dry_run_refuses_multipl_e_too(tmp_path: Path) -> None:
    file = tmp_path / "renamed.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ({"prompt": "x"}, CHANGED["three columns"])))
    recipe = load_recipe(DEFAULT_RECIPE, [f"data.train={file}", f"run.dir={tmp_path / 'run'}"])
    with pytest.raises(BadInput, match="forbids training"):
        plan(recipe)


def test_no_command_trains_on_multipl_e(
    train_here: Callable[..., Any], sft_here: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "renamed.jsonl"
    file.write_text(json.dumps({**MULTIPL_E, "completion": "```rust\n```"}) + "\n")
    plain = tmp_path / "subset.jsonl"
    plain.write_text(json.dumps({**CHANGED["three columns"], "completion": "```rust\n```"}) + "\n")
    for number, (command, data) in enumerate(((train_here, file), (sft_here, plain))):
        done = command(f"data.train={data}", f"run.dir={tmp_path / str(number)}", "sandbox.jobs=1", "train.threads=1")
        assert done.returncode == 2 and "forbids training" in done.stderr
