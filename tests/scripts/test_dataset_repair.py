"""Repair tasks: planted mistakes that rustc confirms, failed completions of a run, and HumanEvalPack's bugs."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from random import Random

import pytest

import make_dataset
import make_repair_tasks
from benchmark_rows import PACK
from dataset.repairing import command
from dataset.repairing.attempts import FailedProgram, attempt_problem, read_attempts, read_completions
from dataset.repairing.mistakes import CODES, SYNTAX, Pair, plant
from dataset.repairing.planting import Planted, planted
from dataset.repairing.program import RightProgram
from dataset.repairing.proving import Tried, try_program
from dataset.repairing.rows import cut_at_lines, planted_problem
from dataset.repairing.source_rows import SourceProgram, read_programs
from evaluating.benchmarks.catalogue import load_benchmark
from evaluating.prompts import _example
from grpo.errors import BadInput
from grpo.rollout.prompts import load_examples
from grpo_rust.recipe import load_recipe
from rewards.repairing.edits import change
from rewards.rust.kept import lost_function
from rewards.rust.parse import extract_code
from rewards.tasks.known import task_problem
from sandbox import Diagnostic, SandboxPool

ROOT = Path(__file__).resolve().parents[2]
GOLD = {"gold_tests": "#[test] fn t() { assert_eq!(total(vec![1, 2]), 3); }"}
TOTAL = """\
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq)]
struct Sums {
    count: usize,
    sum: i32,
}

fn total(numbers: Vec<i32>) -> i32 {
    let mut found = Sums { count: numbers.len(), sum: 0 };
    let mut seen: HashMap<i32, usize> = HashMap::new();
    for number in numbers.iter() {
        found.sum += number;
        seen.insert(*number, found.count);
    }
    let other = found.clone();
    match other == found {
        true => found.sum,
        false => 0,
    }
}

fn shorter<'a>(left: &'a str, right: &'a str) -> Option<&'a str> {
    if left.len() < right.len() {
        return Some(left);
    }
    Some(right)
}

fn pick(flag: bool, number: i64, size: usize, share: f64, letter: char, pair: (u8, u8), maybe: Option<i32>) -> String {
    format!("{flag}{number}{size}{share}{letter}{}{maybe:?}", pair.0)
}

fn describe(sums: Sums, items: &[i32], name: String) -> usize {
    sums.count + items.len() + name.len()
}
"""
PLANTED_HERE = ["E0382", "E0499", "E0502", "E0505", "E0308", "E0425", "E0599", "E0277", "E0106", "E0004", SYNTAX]


@pytest.fixture(scope="module")
def source() -> SourceProgram:
    return SourceProgram("total", TOTAL, GOLD)


def test_there_is_a_mistake_for_every_code_and_the_same_seed_plants_the_same(source: SourceProgram) -> None:
    assert len(CODES) >= 60 and SYNTAX in CODES
    program = RightProgram(TOTAL)
    for code in CODES:
        first, again = plant(code, program, Random(code)), plant(code, program, Random(code))
        if code in ("E0407", "E0424"):
            continue  # of programs with methods
        assert first is not None and first == again and first.broken != first.right, code
    one, two = (list(planted([source] * 3, CODES, per_program=4, seed=seed)) for seed in (0, 0))
    assert one == two and len(one) == 12 and one != list(planted([source] * 3, CODES, per_program=4, seed=1))


def test_codes_are_as_equal_as_the_programs_allow(source: SourceProgram) -> None:
    counts = Counter(one.code for one in planted([source] * 20, PLANTED_HERE, per_program=2, seed=0))
    assert sum(counts.values()) == 40 and set(counts.values()) <= {3, 4}


def test_rustc_confirms_planted_mistakes(source: SourceProgram, pool: SandboxPool) -> None:
    mistakes = list(planted([source], PLANTED_HERE, per_program=99, seed=0))
    assert [one.code for one in mistakes] != PLANTED_HERE and {one.code for one in mistakes} == set(PLANTED_HERE)
    tried = [(one, try_program(one.pair.right, GOLD, pool), try_program(one.pair.broken, {}, pool)) for one in mistakes]
    for one, right, broken in tried:
        assert right().gold and not planted_problem(one, right(), broken()), one


@pytest.mark.parametrize("code", sorted({"E0407", "E0424"}))
def test_mistakes_in_methods_need_methods(code: str, pool: SandboxPool) -> None:
    text = "struct S(u8);\nimpl Default for S {\n    fn default() -> S {\n        S(0)\n    }\n}\n"
    text += "impl S {\n    fn get(&self) -> u8 {\n        self.0\n    }\n}\n"
    pair = plant(code, RightProgram(text), Random(1))
    assert pair is not None and code in try_program(pair.broken, {}, pool)().codes


def test_why_a_mistake_is_left_out() -> None:
    one = Planted(SourceProgram("a", "", {}), "E0308", Pair("", ""))
    fine, error = Tried(True, gold=True), Diagnostic("error", "E0425", "x", 1)
    assert planted_problem(one, Tried(True, gold=False), fine) == "its right answer fails"
    assert planted_problem(one, fine, fine) == "it builds with the mistake in it"
    assert planted_problem(one, fine, Tried(False, (error,))) == "the compiler gives another error"
    assert planted_problem(one, fine, Tried(False, problem="the compiler reached a limit")).endswith("limit")


def test_programs_are_read_once_without_their_tests() -> None:
    tested = "fn f() -> u8 { 1 }\n#[cfg(test)] mod tests { #[test] fn t() {} }"
    rows = [
        {"task_id": "a", "reference": tested, "rust_test_list": ["assert_eq!(f(), 1);"], "prompt": "One."},
        {"rust_code": "fn f() -> u8 { 1 }\n", "rust_test_list": ["assert_eq!(f(), 1);"]},
        {"rust_code": tested},
        {"reference": " "},
        {"reference": "fn g() {}", "gold_cases": "x"},
        {"reference": "fn long() {}" + " " * 9 + "// x" * 99},
    ]
    found = read_programs(rows, longest=200)
    assert [(one.name, one.text, one.request) for one in found.programs] == [
        ("a", "fn f() -> u8 { 1 }\n", "One."),
        ("2", tested + "\n", ""),
    ]
    assert sorted(found.skipped.values()) == [1, 1, 1, 1] and found.num_rows == 6


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_verb_writes_proven_rows_with_a_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, pool: SandboxPool
) -> None:
    monkeypatch.setattr(command, "SandboxPool", lambda *_, **__: nullcontext(pool))
    rows = [
        {"task_id": "total", "reference": TOTAL, **GOLD},
        {"task_id": "wrong", "reference": "fn total() {}", **GOLD},
    ]
    file, out = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    words = ["repair", str(file), "--out", str(out), "--codes", "E0382,syntax", "--per-program", "2", "--as", "json"]
    assert make_dataset.main([*words, "--jobs", "2", "--with-request"]) == 0
    made = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["code"] for row in made} == {"E0382", SYNTAX} and not any(map(task_problem, made))
    assert {row["task_id"] for row in made} == {"total-E0382", f"total-{SYNTAX}"}
    moved = next(row for row in made if row["code"] == "E0382")
    assert json.loads(moved["diagnostics"].splitlines()[0])["code"] == "E0382" and "E0382" in moved["errors"]
    assert moved["gold_tests"] == GOLD["gold_tests"] and extract_code(moved["completion"]) != moved["broken"]
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert manifest["by_error_code"] == {"E0382": 1, SYNTAX: 1} and manifest["diagnostics_as"] == "json"
    assert manifest["skipped"] == {"its own program fails its gold tests": 1}
    assert "by error code (2):" in capsys.readouterr().out


def test_an_unknown_code_is_refused_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_dataset.main(["repair", "x.jsonl", "--out", str(tmp_path / "o.jsonl"), "--codes", "E0383"])
    assert "no mistake of 'E0383' is known; the nearest is E0583" in capsys.readouterr().err


# Failed completions of a run


def completion(number: int, code: str | None, *, task: str = "one", phase: str = "train") -> dict:
    verdict = {"code": code}
    return {"id": f"s1-{number}", "phase": phase, "task_id": task, "prompt": f"Do {task}.", "verdict": verdict}


TESTS = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n"


def test_failed_completions_become_tasks_with_the_tests_of_their_prompts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: SandboxPool
) -> None:
    monkeypatch.setattr(make_repair_tasks, "SandboxPool", lambda *_, **__: nullcontext(pool))
    write(
        tmp_path / "train.jsonl",
        [
            {"task_id": "one", "prompt": "Do one.", "rust_test_list": ["assert_eq!(one(), 1);", "assert!(one() > 0);"]},
            {"task_id": "two", "prompt": "Do two."},
        ],
    )
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.toml").write_text(f'[data]\ntrain = "{tmp_path / "train.jsonl"}"\n')
    write(
        run / "completions.jsonl",
        [
            completion(1, "fn one() -> u8 { 1 }\n" + TESTS),  # right
            completion(2, "fn one() -> u8 { true }\n" + TESTS),
            completion(3, "fn one() -> u8 { true }\n"),  # the same without tests
            completion(4, "fn one() -> u8 { 2 }\n"),
            completion(5, None),
            completion(6, "fn two() {}\n", task="two"),  # builds: nobody knows whether it is right
            completion(7, "fn two() { x }\n", task="two"),
            completion(8, "fn gone() { x }\n", task="gone"),
            completion(9, "fn one() -> u8 { x }\n", phase="eval"),
        ],
    )
    out = tmp_path / "repair.jsonl"
    assert make_repair_tasks.main([str(run), "--out", str(out), "--jobs", "2"]) == 0
    rows = {row["task_id"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert sorted(rows) == ["one-s1-2", "one-s1-4", "two-s1-7"] and not any(map(task_problem, rows.values()))
    broken, wrong, two = (rows[name] for name in sorted(rows))
    assert broken["broken"] == "fn one() -> u8 { true }\n" and broken["diagnostics"].startswith(
        "error[E0308]: mismatched"
    )
    assert broken["errors"] == ["E0308"] and broken["request"] == "Do one." and len(broken["rust_test_list"]) == 2
    assert wrong["diagnostics"] == "" and wrong["errors"] == [] and "1" in wrong["failures"]
    assert "rust_test_list" not in two and two["errors"] == ["E0425"]
    manifest = json.loads((tmp_path / "repair.jsonl.manifest.json").read_text())
    assert manifest["rows_read"] == 8 and sum(manifest["skipped"].values()) == 5
    assert make_repair_tasks.main([str(run), "--out", str(out), "--gold-only", "--per-prompt", "1"]) == 0
    assert [json.loads(line)["task_id"] for line in out.read_text().splitlines()] == ["one-s1-2"]
    assert load_examples(str(out), split="train", prompt_columns=("broken",))[0].id == "one-s1-2"


@pytest.mark.parametrize("text, words", [("{}\n", "is no completion of a run"), ("{\n", "line 1 is damaged")])
def test_a_file_that_is_no_log_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        list(read_completions(path))
    with pytest.raises(BadInput, match="No such file"):
        list(read_completions(tmp_path / "none"))


def test_a_torn_line_ends_the_log_and_hostile_text_is_no_error(tmp_path: Path) -> None:
    odd = ["fn f() { \ud800", "`" * 999, "\x00", "fn f() {" * 300, "/*" * 999]
    path = write(tmp_path / "completions.jsonl", [completion(n, text) for n, text in enumerate(odd)])
    path.write_text(path.read_text() + '{"id": ')
    skipped: Counter[str] = Counter()
    found = list(read_attempts(read_completions(path), {"one": GOLD}, skipped, longest=2_000))
    assert len(found) == 4 and skipped == {"a program that is too long": 1}


def test_an_attempt_that_is_right_is_nothing_to_repair() -> None:
    one = FailedProgram("a", "p", "", GOLD, "")
    assert attempt_problem(one, Tried(True, gold=True), gold_only=False) == "it passes the gold tests"
    assert attempt_problem(one, Tried(True, gold=False, failures="x"), gold_only=True) == ""
    assert cut_at_lines("x" * 9, 5) == "...\n"


# What is shipped, and the benchmark


def test_the_shipped_rows_can_be_asked_and_their_right_answers_are_close() -> None:
    shipped = {
        split: (ROOT / f"assets/tasks/repair-{split}.jsonl").read_text().splitlines() for split in ("train", "eval")
    }
    rows = {split: [json.loads(line) for line in lines] for split, lines in shipped.items()}
    assert len({row["code"] for row in rows["train"]}) >= 25 and len(rows["train"]) <= 1500
    assert not {row["program"] for row in rows["train"]} & {row["program"] for row in rows["eval"]}
    for row in rows["eval"]:
        right = extract_code(row["completion"])
        assert right and not task_problem(row) and row["gold_tests"] and row["errors"]
        assert change(row["broken"], right, right).closeness == 1.0 and not lost_function(right, right)


def test_the_benchmark_is_a_repair_task_in_its_own_words(tmp_path: Path) -> None:
    file = write(tmp_path / "pack.jsonl", [PACK])
    (task,) = load_benchmark("humanevalpack-fix", str(file)).tasks
    assert task.prompt.startswith(f"Fix bugs in `{PACK['entry_point']}`.") and task.columns["task"] == "repair"
    assert "These tests have to pass:" in task.prompt and not task_problem(task.columns)
    example = _example(task, load_recipe(None, ["data.system_prompt=rust"]))
    assert "repairs programs" in example.messages[0]["content"] and example.columns["gold_tests"] == task.tests
    assert len(_example(task, load_recipe(None)).messages) == 1


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(SystemExit):
        make_repair_tasks.parser().parse_args(["run", "--out", "x.jsonl", "--per-prompt", "0"])
    with pytest.raises(argparse.ArgumentTypeError, match="give 1 or more"):
        command.at_least_1("-1")
