"""Evaluating a checkpoint: graded completions in a file, rates on the terminal, and refusals that say what to do."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

import eval_model
from eval_model import main
from evaluating.agreement import differences
from evaluating.arguments import parse_request
from evaluating.models import name_models
from evaluating.protocol import protocol_record
from grpo.evaluate import Evaluation
from grpo.rollout.in_flight import StoredGrade
from grpo.rollout.records import Completion, Example, Group
from grpo_rust.recipe import load_recipe
from sandbox.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
ENDINGS = ("json", "jsonl", "parquet")


def test_the_shipped_model_is_asked_and_its_graded_completions_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "new" / "completions.jsonl"
    settings = ["eval.prompts=2", "eval.samples=2", "train.threads=1", "sandbox.keep_verdicts=false"]
    command = [sys.executable, str(ROOT / "scripts" / "eval_model.py"), *settings, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    completions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [completion["task_id"] for completion in completions] == ["eval-0000"] * 2 + ["eval-0001"] * 2
    assert all(set(completion["checks"]) >= {"build", "test_strict", "gold"} for completion in completions)
    built = sum(completion["checks"]["build"] for completion in completions) / 4
    assert f"eval/build             {built:8.3f} ±" in done.stdout
    assert "eval/pass_at_2" in done.stdout
    table = pyarrow.parquet.read_table(out.with_suffix(".parquet")).to_pylist()
    assert [(row["id"], row["text"], row["check_gold"]) for row in table] == [
        (completion["id"], completion["text"], completion["checks"]["gold"]) for completion in completions
    ]
    assert json.loads(table[0]["verdict"]) == completions[0]["verdict"]
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["metrics"]["eval/build"] == built and record["counts"]["build"][1] == 4
    assert record["protocol"]["settings"]["eval.samples"] == 2
    assert record["protocol"]["prompts"]["count"] == 2


def test_help_explains_the_file_and_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    assert not stopped.value.code and "--out FILE" in said and "section.key=value" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give --out FILE.jsonl"),
        (["--out"], "Give --out FILE.jsonl"),
        (["eval.prompts=0", "--out", "none.jsonl"], "nothing to evaluate on"),
        (["--out", "{here}"], "exists already"),
        (["a", "b", "--out", "both.jsonl"], "one file for 2 models"),
        (["a/x", "b/x", "--out", "both"], "several models would be called x"),
        (["api:", "--out", "none"], "give api:NAME"),
        (["a.toml", "b.toml", "--out", "none"], "several recipes"),
        (
            ["--protocol", "published", "eval.temperature=1", "--out", "none"],
            "--protocol published has eval.temperature=0.2",
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_do(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here.jsonl"
    here.touch()
    assert main([word.format(here=here) for word in words]) == 2
    assert message in capsys.readouterr().err


def test_several_models_are_evaluated_into_a_folder_and_none_of_them_twice(
    in_place: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "first"
    checkpoint = run / "checkpoints" / "step-000040"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.symlink_to(ROOT / "assets" / "tiny-rust")
    tiny = (ROOT / "scripts" / "recipes" / "tiny.toml").read_text()
    (run / "config.toml").write_text(tiny.replace("max_completion_tokens = 192", "max_completion_tokens = 90"))
    few = ["eval.prompts=1", "eval.samples=1", "train.threads=1", "sandbox.jobs=1"]
    words = ["assets/tiny-rust", str(run), *few, "--out", str(tmp_path / "out")]
    assert main(words) == 0
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [f"{name}.{end}" for name in ("first-step-000040", "tiny-rust") for end in ENDINGS]
    record = json.loads((tmp_path / "out" / "first-step-000040.json").read_text())
    assert record["model"] == str(checkpoint)
    assert record["protocol"]["settings"]["sampling.max_completion_tokens"] == 90  # the run's own recipe

    written = (tmp_path / "out" / "tiny-rust.jsonl").stat().st_mtime_ns
    capsys.readouterr()
    assert main(words) == 0
    assert (tmp_path / "out" / "tiny-rust.jsonl").stat().st_mtime_ns == written
    assert capsys.readouterr().out.count("evaluated before") == 2
    assert main([*words, "--protocol", "published"]) == 2
    assert "eval.temperature: 1.0 and 0.2" in capsys.readouterr().err
    assert main([*words, "eval.seed=2"]) == 2
    assert "is of another evaluation (eval.seed: 1234 and 2): give another --out" in capsys.readouterr().err
    assert main([*words, "rewards.weights.asserts=0.5"]) == 2
    assert "is of another evaluation (rewards.weights.asserts: 0.0 and 0.5)" in capsys.readouterr().err


def test_a_runs_newest_checkpoint_is_the_one_of_the_highest_step(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch()
    for name in ("step-000120", "step-000120.bak", "step-1000000", "step-before-lunch"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    (model,) = name_models([str(tmp_path)])
    assert model.path == str(tmp_path / "checkpoints" / "step-1000000")


def test_the_published_protocol_asks_and_judges_as_the_published_figures_did(in_place: None, tmp_path: Path) -> None:
    request = parse_request(["--protocol", "published", "--out", str(tmp_path)], "")
    recipe = request.recipe
    assert (recipe.eval.temperature, recipe.eval.top_p, recipe.eval.samples) == (0.2, 0.9, 1)
    assert (recipe.sampling.max_completion_tokens, recipe.eval.code_block) == (1024, "last")
    assert (recipe.sandbox.wall_s, recipe.guard.mutation, recipe.eval.solved_by) == (10, False, "test")


def test_protocols_that_disagree_are_told_apart_setting_by_setting() -> None:
    one, example = load_recipe(None), Example("a", ({"role": "user", "content": "x"},))
    other = load_recipe(None, ["eval.temperature=0.5", "eval.seed=7", "sandbox.jobs=3"])
    record = protocol_record("recipe", one, [example], "here")
    assert differences(record, protocol_record("recipe", other, [example], "there")) == [
        "eval.temperature: 1.0 and 0.5"
    ]
    asked = dataclasses.replace(example, messages=({"role": "user", "content": "y"},))
    assert differences(record, protocol_record("recipe", one, [asked], "here")) == ["prompts: 1 that are not the same"]
    assert differences(record, protocol_record("published", one, [example] * 2, "here")) == [
        "protocol: recipe and published",
        "prompts: 1 and 2",
    ]


@pytest.mark.parametrize("limit", dataclasses.fields(Limits), ids=lambda limit: str(limit.name))
def test_every_limit_of_the_sandbox_is_of_the_protocol_and_an_older_record_may_lack_it(
    limit: dataclasses.Field[int],
) -> None:
    examples = [Example("a", ({"role": "user", "content": "x"},))]
    record = protocol_record("recipe", load_recipe(None), examples, "here")
    other = protocol_record("recipe", load_recipe(None, [f"sandbox.{limit.name}=7"]), examples, "here")
    assert differences(record, other) == [f"sandbox.{limit.name}: {limit.default} and 7"]
    settings = {key: value for key, value in record["settings"].items() if key != f"sandbox.{limit.name}"}
    assert differences({**record, "settings": settings}, other) == []


def test_an_evaluation_that_the_host_could_not_grade_is_no_evaluation(
    in_place: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    completion = Completion("e0", (1,), (0.0,), "fn a() {}", True, 0)
    grade = StoredGrade({"cargo_build": None}, {}, None, {}, {"outcome": "host_error", "reason": "no space left"})
    group = Group(Example("a", ()), (completion,), (grade,), (None,))
    ungraded = Evaluation((group,), {}, {}, 1.0), {"prompts_used": "1"}
    monkeypatch.setattr(eval_model, "sample_and_grade", lambda *_: ungraded)
    words = [
        "assets/tiny-rust",
        "eval.prompts=1",
        "eval.samples=1",
        "sandbox.jobs=1",
        "--out",
        str(tmp_path / "e.jsonl"),
    ]
    assert main(words) == 3
    assert "1 of 1 completions could not be graded (100%" in capsys.readouterr().err
    assert not (tmp_path / "e.jsonl").exists() and not (tmp_path / "e.json").exists()
