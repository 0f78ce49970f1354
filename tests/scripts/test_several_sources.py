"""Several sources in one recipe: read, encoded, planned, resumed, evaluated, reported and published."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import eval_model
from dashboard_app.completion_index import CompletionTable, Wanted
from evaluating.files import write_evaluation
from grpo.checkpoint.checksums import sha256_of
from grpo.errors import BadInput
from grpo.evaluate import Evaluation, evaluation_metrics
from grpo.model.policy import Policy
from grpo.rollout.epochs import Share
from grpo.rollout.records import Completion, Example, Group
from grpo.schema import ConfigError, load, to_toml
from grpo_rust.compose.demonstrations import load_demonstrations
from grpo_rust.compose.evaluation import describe
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.prompts import load_prompts
from grpo_rust.compose.sources import with_unique_ids
from grpo_rust.plan import plan
from grpo_rust.prompt_counts import count_held_out, count_training
from grpo_rust.recipe import OWN_TESTS_RECIPE, Recipe, load_recipe
from grpo_rust.report import closing_table, page_html, read_run
from grpo_rust.report.table import by_task
from grpo_rust.resuming.comparing import ResumeRefused, check_prompts, check_settings, kept_texts
from html_page import Page
from letter_grader import Grade
from publishing.card import card_text
from publishing.data_sets import data_sets
from publishing.finished import FinishedRun
from publishing.header import BaseModel
from synthetic_run import write_lines, write_run

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "assets" / "tiny-rust"
MIXED = ("data.train_mix.b.jsonl=0.5", "data.eval_mix.b.jsonl=0.5", "eval.prompts=2")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_starting_policy(load_recipe(OWN_TESTS_RECIPE, [f"model.path={TINY}"]))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a source of four prompts, one of two with the same ids, and one that has none."""
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "a.jsonl", [{"task_id": f"t{n}", "prompt": f"Add {n}."} for n in range(4)])
    write_lines(tmp_path / "b.jsonl", [{"task_id": f"t{n}", "prompt": f"Take {n} away."} for n in range(2)])
    return tmp_path


def recipe(*settings: str) -> Recipe:
    given = (f"model.path={TINY}", "data.train=a.jsonl", "data.eval=a.jsonl", "run.dir=x")
    small = ("train.prompts_per_step=2", "train.max_steps=0", "train.epochs=1")
    return load_recipe(OWN_TESTS_RECIPE, [*given, *small, *settings])


# Settings


def test_the_mixture_is_a_table_in_a_file_and_words_on_the_command_line(here: Path) -> None:
    (here / "r.toml").write_text('[data]\ntrain = "a.jsonl"\n\n[data.train_mix]\n"runs/b.jsonl" = 0.5\n')
    found = load_recipe(here / "r.toml", ["data.train_mix.c.jsonl=2"])
    assert found.data.train_sources() == {"a.jsonl": 1.0, "runs/b.jsonl": 0.5, "c.jsonl": 2.0}
    (here / "again.toml").write_text(to_toml(found))
    assert load(Recipe, here / "again.toml") == found


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data.train_mix.b.jsonl=0", "a number from 0.001 to 1,000; b.jsonl is 0"),
        ("data.train_mix.b.jsonl=-1", "b.jsonl is -1"),
        ("data.train_mix.b.jsonl=often", "b.jsonl is 'often'"),
        ("data.train_mix.a.jsonl=2", "this is data.train, which has weight 1"),
        ("data.eval_mix={'./a.jsonl' = 1}", "this is data.eval, which has weight 1"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused_in_words(setting: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipe(setting)
    assert said in str(caught.value)


# Prompts


def test_ids_that_two_sources_share_get_the_name_of_the_later_one() -> None:
    def rows(*names: str) -> list[Example]:
        return [Example(name, ()) for name in names]

    found = with_unique_ids(
        {
            "a.jsonl": rows("0", "1", "b/0"),
            "b.jsonl": rows("0"),
            "hf:org/c": rows("2"),
            "oxen:x/d.parquet": rows("3", "0"),
        }
    )
    ids = {source: [one.id for one in examples] for source, examples in found.items()}
    assert ids == {
        "a.jsonl": ["0", "1", "b/0"],
        "b.jsonl": ["b-2/0"],
        "hf:org/c": ["2"],
        "oxen:x/d.parquet": ["d/3", "d/0"],
    }


def test_prompts_of_all_sources_are_read_with_their_shares(here: Path, policy: Policy) -> None:
    found = load_prompts(recipe(*MIXED), policy)
    assert [one.id for one in found.train.examples] == ["t0", "t1", "t2", "t3", "b/t0", "b/t1"]
    assert found.train.shares == (Share(4, 1.0), Share(2, 0.5)) and found.train.turns == 6.0
    assert str(found.train) == "6 (4 of weight 1 + 2 of weight 0.5)"
    assert [one.id for one in found.held_out.examples] == ["t0", "t1", "b/t0"], "eval.prompts times the weight of each"
    assert all(one.prompt_ids for one in found.train.examples)


def test_a_source_alone_is_read_as_ever(here: Path, policy: Policy) -> None:
    found = load_prompts(recipe(), policy)
    assert [one.id for one in found.train.examples] == ["t0", "t1", "t2", "t3"] and str(found.train) == "4"
    assert found.train.turns == 4.0 and found.fingerprints()["data.train_mix"] == []


def test_prompts_that_are_too_long_do_not_count_in_their_share(here: Path, policy: Policy) -> None:
    write_lines(here / "b.jsonl", [{"prompt": "word " * 400}, {"prompt": "Add."}])
    found = load_prompts(recipe(*MIXED, "data.long_prompts=skip"), policy).train
    assert found.shares == (Share(4, 1.0), Share(1, 0.5)) and found.num_too_long == 1


def test_demonstrations_of_all_sources_are_read_with_their_shares(here: Path, policy: Policy) -> None:
    for name, count in (("a", 3), ("b", 2)):
        rows = [{"prompt": f"{name} {n}", "completion": "```rust\nfn a() {}\n```"} for n in range(count)]
        write_lines(here / f"{name}.jsonl", rows)
    found = load_demonstrations(recipe(*MIXED), policy)
    assert len(found.samples) == 5 and found.shares == (Share(3, 1.0), Share(2, 0.5)) and found.turns == 4.5
    assert [len(one) for one in found.fingerprints().values()] == [5, 2]


@pytest.mark.parametrize("kind", ["train", "eval"])
def test_what_is_wrong_with_any_source_is_said_with_its_name(here: Path, policy: Policy, kind: str) -> None:
    (here / "bad.jsonl").write_text('{"prompt": "x"\n')
    asked = recipe(f"data.{kind}_mix.bad.jsonl=1")
    with pytest.raises(BadInput) as planned:
        plan(asked)
    with pytest.raises(BadInput) as caught:
        load_prompts(asked, policy)
    assert str(planned.value) == str(caught.value) and "bad.jsonl" in str(caught.value)


# The plan


def test_a_plan_counts_each_source_and_the_turns_of_a_pass(here: Path) -> None:
    asked = recipe(*MIXED)
    assert str(count_training(asked)) == "6 (4 of weight 1 + 2 of weight 0.5; 6 turns a pass)"
    assert count_held_out(asked).count == 3
    text = plan(asked)
    assert "6 (4 of weight 1 + 2 of weight 0.5; 6 turns a pass) in a.jsonl + b.jsonl" in text
    assert "3: 2 prompts x" in text, "six turns make three steps"
    assert "x 3 prompts x" in text and "from a.jsonl + b.jsonl" in text


def test_the_length_is_known_where_only_the_first_source_can_be_counted(here: Path) -> None:
    asked = recipe("data.train_mix.hf:some/prompts=1", "train.epochs=2")
    found = count_training(asked)
    assert found.count is None and found.turns == 8.0 and "8: 2 prompts x" in plan(asked)


# Resuming


def test_a_resumed_run_has_to_have_the_same_mixture(here: Path, policy: Policy) -> None:
    begun, step = recipe(*MIXED), here / "step"
    (step / "trainer_state").mkdir(parents=True)
    for name, text in kept_texts(begun, load_prompts(begun, policy).fingerprints()).items():
        (step / name).write_text(text)
    check_prompts(step, load_prompts(begun, policy).fingerprints())
    (here / "moved.jsonl").write_bytes((here / "b.jsonl").read_bytes())
    for settings, said in (
        (("data.train_mix.b.jsonl=0.25",), "data.train_mix: 1 is gone ('source 2: 2 prompts of weight 0.5'), 1 is new"),
        ((), "data.train_mix: 2 are gone"),
    ):
        now = recipe("data.eval_mix.b.jsonl=0.5", "eval.prompts=2", *settings)
        assert any("data.train_mix" in line for line in check_settings(now, step))
        with pytest.raises(ResumeRefused) as caught:
            check_prompts(step, load_prompts(now, policy).fingerprints())
        assert said in str(caught.value)


# Reports


def evaluation(step: int, rates: dict[str, float]) -> dict[str, object]:
    """A line of evals.jsonl whose tasks pass their gold tests so often."""
    line: dict[str, object] = {"step": step, "num_prompts": 30, "num_samples": 2, "eval/gold": sum(rates.values()) / 2}
    line["tasks"] = {task: {"num_prompts": 10 + n, "counts": {}} for n, task in enumerate(rates)}
    for task, rate in rates.items():
        line |= {f"eval/task/{task}/gold": rate, f"eval/task/{task}/gold_ci95": 0.05}
    return line


BEFORE, AFTER = evaluation(0, {"function": 0.5, "repair": 0.1}), evaluation(6, {"function": 0.75, "repair": 0.4})


def test_the_closing_table_has_one_for_all_and_one_for_each_task() -> None:
    whole, function, repair = (table.splitlines() for table in closing_table(BEFORE, AFTER).split("\n\n"))
    assert whole[1].split()[-3:] == ["30.0%", "57.5%", "+27.5"] and whole[-1] == "30 prompts × 2 samples"
    assert function[0].split() == ["function", "before", "after", "points"]
    assert repair[0].split()[0] == "repair" and repair[1].split()[-6:] == "10.0% ±5.0 40.0% ±5.0 +30.0 ±7.1".split()
    assert repair[-1] == "11 prompts × 2 samples; ±: 95 % interval"


def test_a_task_that_only_one_of_the_evaluations_has_is_shown_with_what_there_is() -> None:
    assert [task for task, _, _ in by_task(None, AFTER)] == ["function", "repair"]
    assert "–" in closing_table({"step": 0, "eval/gold": 0.5}, AFTER).split("\n\n")[1]
    assert by_task({"eval/gold": 0.5}, {"eval/gold": 0.5}) == [] and closing_table({}, {}).count("\n\n") == 0


def test_the_page_of_a_run_with_two_tasks_has_their_tables_and_pictures(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in steps:
        for n, task in enumerate(("function", "re<pair")):  # a name that no run writes: still no element
            line |= {f"task/{task}/reward_mean": 1.0 + n + line["step"], f"task/{task}/gold": 0.1 * (n + line["step"])}
            line[f"task/{task}/reward/cargo_build"] = 0.5 * n
    write_lines(run / "metrics.jsonl", steps)
    write_lines(run / "evals.jsonl", [BEFORE, AFTER])
    text = page_html(read_run(run))
    assert "re<pair" in Page(text).text, "shown as it is"
    assert "<h3>By task</h3>" in text and "<h3>repair</h3>" in text and "11 prompts × 2 samples" in text
    assert ">re&lt;pair</text>" in text and "re<pair" not in text
    assert text.index("<b>reward_mean</b>") < text.index("<b>reward/cargo_build</b>"), "the reward first"
    assert "reward/mean of this task" in text
    one = write_run(tmp_path / "one")
    assert "By task" not in page_html(read_run(one))


# Evaluations


def graded(task: str, name: str, solved: bool, **checks: float) -> Group:
    example = Example(name, ({"role": "user", "content": "p"},), {"task": task} if task else {})
    done = Completion(f"{name}-c0", (1, 2), (-1.0,) * 2, "text", True, 0)
    return Group(example, (done,), (Grade({"build": 1.0}, solved, {"gold": float(solved), **checks}),), (1.0,))


def evaluated() -> Evaluation:
    groups = (graded("", "f", True), graded("repair", "r", False, close=0.5, edited_tokens=7.0))
    return Evaluation(groups, *evaluation_metrics(groups), 1.0)


def test_an_evaluation_is_told_and_written_by_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated()
    assert describe(found) == "close 50.0%  gold 50.0%; solved: function 100.0%, repair 0.0%"
    eval_model.show(found.metrics)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].split() == ["eval/task/repair/pass_at_1", "0.000"]
    assert len({len(line) for line in printed if "±" not in line}) == 1, "the numbers stand in one column"
    write_evaluation(found, {"label": "x"}, tmp_path / "x.jsonl")
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["tasks"]["repair"] == {"num_prompts": 1, "counts": {**record["tasks"]["repair"]["counts"]}}
    assert record["tasks"]["repair"]["counts"]["gold"] == [0.0, 1]
    from pyarrow import parquet

    rows = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    assert [row["task"] for row in rows] == [None, "repair"], "also where the first completion has no such column"
    assert [row["check_close"] for row in rows] == [None, 0.5]


def test_completions_are_found_by_the_kind_of_their_task() -> None:
    table = CompletionTable()
    lines = [
        {"id": "s1-p0-c0", "step": 1, "task_id": "t1", "task": "repair"},
        {"id": "s1-p1-c0", "step": 1, "task_id": "t2"},
    ]
    table.add(enumerate(lines))
    assert [one.task_id for one in table.find(Wanted(task="Repair"))] == ["t1"]
    assert [one.task_id for one in table.find(Wanted(task="T2"))] == ["t2"] and not table.count(Wanted(task="rep"))


# Publishing


def test_a_card_has_the_rates_of_each_task(tmp_path: Path) -> None:
    recipe_of = load_recipe(None, ["eval.prompts=30", "run.dir=x"])
    finished = FinishedRun(tmp_path, recipe_of, {}, {"steps": 6}, (BEFORE, AFTER), 6, tmp_path)
    text = card_text(finished, BaseModel("base", "", "mit"), [], [])
    assert "| repair: gold tests | 10.0 ± 5.0 % | 40.0 ± 5.0 % | +30.0 ± 7.1 points |" in text


def test_a_card_names_every_source_with_its_own_count_and_hash(here: Path) -> None:
    run = here / "run"
    state = run / "checkpoint" / "trainer_state"
    state.mkdir(parents=True)
    used = {"data.train": [["t0", "x"], ["t3", "x"], ["b/t1", "x"]], "data.train_mix": [], "data.eval": []}
    (state / "prompts.json").write_text(json.dumps(used))
    finished = FinishedRun(run, recipe(*MIXED), {}, {}, (), 1, run / "checkpoint")
    found = data_sets(finished)
    assert [(one.name, one.prompts, one.rows, one.sha256) for one in found] == [
        ("a.jsonl", 2, 4, sha256_of(here / "a.jsonl")),
        ("b.jsonl", 1, 2, sha256_of(here / "b.jsonl")),
    ]
    (here / "b.jsonl").unlink()
    assert [one.problem for one in data_sets(finished)] == [
        "another source of the run is not at hand any more",
        "the file is not at hand any more",
    ]
    write_lines(here / "b.jsonl", [{"task_id": "t0", "prompt": "another"}])
    assert {one.problem for one in data_sets(finished)} == {"the file has other prompts now than the run had"}
    alone = dataclasses.replace(finished, recipe=recipe())
    assert [one.sha256 for one in data_sets(alone)] == [""], "the run had a prompt that the file has not"
