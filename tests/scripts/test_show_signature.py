"""data.show_signature: prompts of every source with or without their signature, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grpo.schema import ConfigError, to_toml
from grpo_rust.compose.demonstrations import load_demonstrations
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.prompts import load_prompts, read_held_out, read_training_source
from grpo_rust.compose.signatures import read_examples, signature_note
from grpo_rust.recipe import OWN_TESTS_RECIPE, Recipe, load_recipe
from published_rows import published
from rewards.signature.applying import why_inapplicable
from rewards.signature.wording import with_signature

ROOT = Path(__file__).parents[2]
SIGNATURE = "fn add(a: i32, b: i32) -> i32"
WITHOUT = "Write a function that adds two numbers."
WITH = with_signature(WITHOUT, SIGNATURE)
TRANSLATED = {"prompt": WITH, "text": WITHOUT, "signature": SIGNATURE}
AS_MADE = {**published("plain"), "prompt": WITH, "signature": SIGNATURE, "types": ""}
BARE = {**published("plain"), "signature": SIGNATURE}
MESSAGES = {"prompt": [{"role": "user", "content": WITHOUT}], "signature": SIGNATURE}
FIXED = {"prompt": WITH, "signature": SIGNATURE}
UNSIGNED = {"prompt": WITHOUT}


def recipe(show: str, source: Path, *settings: str) -> Recipe:
    words = [f"data.train={source}", f"data.eval={source}", f"model.path={ROOT / 'assets/tiny-rust'}"]
    return load_recipe(OWN_TESTS_RECIPE, [*words, f"data.show_signature={show}", "run.dir=runs/x", *settings])


def written(path: Path, *rows: dict[str, Any]) -> Path:
    source = path / "rows.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return source


@pytest.mark.parametrize(
    ("row", "as_written", "shown", "hidden"),
    [
        (TRANSLATED, WITH, WITH, WITHOUT),
        (AS_MADE, WITH, WITH, WITHOUT),
        (BARE, WITHOUT, WITH, WITHOUT),
        (MESSAGES, WITHOUT, WITH, WITHOUT),
        (FIXED, WITH, WITH, WITH),
        (UNSIGNED, WITHOUT, WITHOUT, WITHOUT),
    ],
)
def test_a_prompt_is_shown_as_the_setting_says(tmp_path: Path, row, as_written: str, shown: str, hidden: str) -> None:
    source = written(tmp_path, row)
    for setting, expected in (("as_written", as_written), ("true", shown), ("false", hidden)):
        (example,) = read_examples(str(source), split="train", system_prompt="", show=setting)
        assert example.messages[-1]["content"] == expected


def test_types_are_shown_with_their_signature(tmp_path: Path) -> None:
    source = written(tmp_path, {"prompt": "Move it.", "signature": "fn moved(p: P) -> P", "types": "struct P(i32);"})
    (example,) = read_examples(str(source), split="train", system_prompt="", show="true")
    assert example.messages[-1]["content"].endswith("```rust\nstruct P(i32);\n```")


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("as_written", "1 do not show the signature that gold tests call"),
        ("true", "1 have no signature to show"),
        ("false", "1 have no form without their signature, 1 do not show the signature that gold tests call"),
    ],
)
def test_what_cannot_be_shown_as_asked_is_counted_and_said(tmp_path: Path, show: str, said: str) -> None:
    rows = (
        {**FIXED, "text": ""},
        {**UNSIGNED, "signature": "", "text": ""},
        {**UNSIGNED, "signature": SIGNATURE, "text": ""},
    )
    asked = recipe(show, written(tmp_path, *rows), "eval.prompts=0")
    assert signature_note(read_training_source(asked, asked.data.train), show) == said
    assert f"({said})" in str(load_prompts(asked, load_starting_policy(asked)).train)


def test_prompts_of_today_are_as_they_were(tmp_path: Path) -> None:
    source = ROOT / "assets/tasks/eval.jsonl"
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    for setting in ("as_written", "true", "false"):
        found = read_examples(str(source), split="test", system_prompt="", show=setting)
        assert [example.messages[-1]["content"] for example in found] == [row["prompt"] for row in rows]
    assert signature_note(found, "as_written") == ""


def test_gold_tests_of_todays_prompts_always_apply() -> None:
    for name in ("train", "eval", "harder"):
        for line in (ROOT / f"assets/tasks/{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            assert why_inapplicable("fn other() {}", row, row["prompt"]) is None


def test_evaluations_and_demonstrations_follow_it_too(tmp_path: Path) -> None:
    source = written(tmp_path, AS_MADE)
    assert read_held_out(recipe("false", source))[0].messages[-1]["content"] == WITHOUT
    policy = load_starting_policy(recipe("false", source))
    lengths = []
    for show in ("true", "false"):
        (sample,) = load_demonstrations(recipe(show, source), policy).samples
        lengths.append(len(sample.prompt_ids))
    assert lengths[0] > lengths[1]


def test_the_setting_is_a_word_or_a_truth_value(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text("[data]\nshow_signature = true\n")
    found = load_recipe(file)
    assert found.data.show_signature == "true"
    file.write_text(to_toml(found))
    assert (
        load_recipe(file) == found and load_recipe(file, ["data.show_signature=false"]).data.show_signature == "false"
    )
    with pytest.raises(ConfigError, match="one of as_written, true, false"):
        load_recipe(file, ["data.show_signature=maybe"])
    with pytest.raises(ConfigError, match="solved_by = True: must be one of"):
        file.write_text("[eval]\nsolved_by = true\n")
        load_recipe(file)
