"""The contract of `prompt_counts`: a plan refuses what training refuses, in the same words, and counts the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grpo.errors import BadInput
from grpo.model.policy import Policy
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.prompts import load_prompts
from grpo_rust.plan import plan
from grpo_rust.prompt_counts import count_held_out, count_training
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from grpo_rust.run_size import PromptCount
from rewards.signature.wording import with_signature

ROOT = Path(__file__).resolve().parents[2]
GOOD = b'{"prompt": "a"}\n'
SIGNATURE = "fn add(a: i32, b: i32) -> i32"
MULTIPL_E = {name: "x" for name in ("prompt", "name", "language", "tests", "stop_tokens", "prompt_terminology")}
REFUSED = {  # what is in the file: whether it is refused in data.train, in data.eval, or in both
    b"": "both",
    b"\n \n": "both",
    b'{"text": "x"}\n': "both",
    b'{"prompt": "x"}\n{"prompt": "  "}\n': "both",
    b'{"prompt": null}\n': "both",
    b'{"prompt": ["a", "b"]}\n': "both",
    b'{"prompt": [{"content": "x"}]}\n': "both",
    b'{"prompt": [{"role": 5, "content": "x"}]}\n': "both",
    b'{"prompt": "x", "task_id": 1}\n{"prompt": "y", "task_id": 1}\n': "both",
    b'{"prompt": "x"\n': "both",
    b'{"prompt": "\xff\xfe"}\n': "both",
    b'{"prompt": "x", "gold_tests": "assert_eq!(1, 1);"}\n': "both, where gold tests are run",
    b'{"prompt": "x", "task_id": "a7", "rust_test_list": "nonsense"}\n': "both, where gold tests are run",
    b'{"prompt": "x", "gold_cases": [{"call": "f(1)"}]}\n': "both, where gold tests are run",
    json.dumps(MULTIPL_E).encode(): "train",
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_starting_policy(load_recipe(DEFAULT_RECIPE, [f"model.path={ROOT / 'assets/tiny-rust'}"]))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_bytes(GOOD)
    return tmp_path


def recipe(*settings: str) -> Recipe:
    model = f"model.path={ROOT / 'assets/tiny-rust'}"
    return load_recipe(DEFAULT_RECIPE, [model, "data.train=good.jsonl", "data.eval=good.jsonl", "run.dir=x", *settings])


def refusal(call, *arguments: object) -> str:
    with pytest.raises(BadInput) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "content"),
    [(key, content) for content, where in REFUSED.items() for key in ("train", "eval") if where in ("both", key)]
    + [("eval", content) for content, where in REFUSED.items() if "gold" in where],
)
def test_prompts_that_training_refuses_are_refused_by_the_plan_in_the_same_words(here, policy, key, content):
    (here / "bad.jsonl").write_bytes(content)
    asked = recipe(f"data.{key}=bad.jsonl")
    said = refusal(plan, asked)
    assert said == refusal(load_prompts, asked, policy) and "bad.jsonl" in said


@pytest.mark.parametrize("content", [content for content, where in REFUSED.items() if "gold" in where])
def test_gold_tests_to_train_on_are_read_where_a_reward_runs_them(here, policy, content):
    (here / "bad.jsonl").write_bytes(content)
    paid = recipe("data.train=bad.jsonl", "rewards.weights.gold=1")
    assert refusal(plan, paid) == refusal(load_prompts, paid, policy)
    assert count_training(recipe("data.train=bad.jsonl")).count == 1


@pytest.mark.parametrize("name", ["none.jsonl", "rows.csv", ".", "hf:", "torn.parquet", "torn.json"])
@pytest.mark.parametrize("key", ["train", "eval"])
def test_a_source_that_training_cannot_read_is_refused_in_the_same_words(here, policy, key, name):
    (here / "rows.csv").write_text("prompt\nx\n")
    (here / "torn.parquet").write_bytes(b"PAR1")
    (here / "torn.json").write_bytes(b"[1,")
    asked = recipe(f"data.{key}={name}")
    assert refusal(plan, asked) == refusal(load_prompts, asked, policy)


def test_a_file_that_must_not_be_trained_on_is_told_by_its_name_too(here, policy):
    (here / "multipl-e.jsonl").write_bytes(GOOD)
    asked = recipe("data.train=multipl-e.jsonl")
    assert refusal(plan, asked) == refusal(load_prompts, asked, policy)


def test_a_name_on_the_hub_is_not_downloaded_and_counts_as_unknown(here):
    asked = recipe("data.train=hf:some/prompts", "data.eval=hf:some/prompts")
    assert count_training(asked) == count_held_out(asked) == PromptCount(None)
    assert str(count_training(asked)) == "an unknown number"


def test_a_name_on_the_hub_that_must_not_be_trained_on_is_refused_without_a_download(here):
    assert "MultiPL-E is for evaluation only" in refusal(plan, recipe("data.train=hf:nuprl/MultiPL-E"))
    assert plan(recipe("data.eval=hf:nuprl/MultiPL-E"))


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
def test_prompts_of_every_kind_of_file_are_counted(here, ending):
    from datasets import Dataset

    rows = Dataset.from_dict({"rust_prompt": [f"task {number}" for number in range(1200)]})
    (rows.to_parquet if ending == "parquet" else rows.to_json)(str(here / f"rows.{ending}"))
    asked = recipe(f"data.train=rows.{ending}", f"data.eval=rows.{ending}", "eval.prompts=7")
    assert str(count_training(asked)) == "1,200 (1200 without suites)" and count_held_out(asked) == PromptCount(7)


def test_a_published_file_does_not_have_to_be_here_but_is_read_where_it_is(here):
    name = "cargo_test_passed_train.parquet"
    assert count_training(recipe(f"data.train={name}")).count == 15_000
    (here / name).write_bytes(b"PAR1")
    assert "cannot read prompts" in refusal(count_training, recipe(f"data.train={name}"))


@pytest.mark.parametrize("show", ["as_written", "true", "false"])
def test_the_plan_says_of_signatures_what_training_says(here, policy, show):
    text = "Write a function that adds two numbers."
    rows = [{"prompt": with_signature(text, SIGNATURE), "signature": SIGNATURE}, {"prompt": text, "signature": ""}]
    rows.append({"prompt": text, "signature": SIGNATURE})
    (here / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    asked = recipe("data.train=rows.jsonl", "data.eval=rows.jsonl", f"data.show_signature={show}")
    shown = dict(line.split(maxsplit=1) for line in plan(asked).splitlines() if line[0] != " ")
    prompts = load_prompts(asked, policy)
    assert prompts.train.note and shown["prompts"] == f"3 ({prompts.train.note}) in rows.jsonl"
    assert shown["evaluation"].endswith(f"from rows.jsonl ({prompts.held_out.note})")
