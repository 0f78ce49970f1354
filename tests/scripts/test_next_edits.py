"""Changes of programs as edits in their order, the rows that come of them, and that only proven rows are kept."""

from __future__ import annotations

import json
import random
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import pytest

from dataset.next_edits import command as next_edits
from dataset.next_edits import proving
from dataset.next_edits.changing.change import Change, in_order
from dataset.next_edits.changing.field import add_field
from dataset.next_edits.changing.rename import rename
from dataset.next_edits.changing.retype import retype
from dataset.next_edits.changing.variant import add_variant
from dataset.next_edits.drawing import WantedRows, candidates, programs_of
from dataset.next_edits.kinds import KINDS
from dataset.next_edits.proving import prove, undone
from dataset.next_edits.rows import rows_of
from dataset.splits import split_of
from make_dataset import main
from next_edit_rows import ROWS
from rewards.line_edits.edit import LineEdit, lines_of, with_edits
from rewards.line_edits.reading import read_edit
from rewards.tasks.known import task_problem
from rewards.tasks.next_edit import TASK, remaining_edits

RNG = random.Random
ENUM = """\
enum E {
    One,
    Two,
}
impl E {
    fn f(&self) -> u8 {
        match self {
            Self::One => 5,
            Self::Two => 7
        }
    }
}
fn g(e: &E) -> char { match e { E::One => 'o', E::Two => 't' } }
"""


def steps(change: Change | None) -> list[tuple[int, str]]:
    """The line and the new text of each edit."""
    assert change is not None
    return [(edit.first, edit.text) for edit in change.edits]


# Changes


def test_the_file_between_edits_moves_the_lines_of_the_others():
    edits = in_order([LineEdit(1, 1, "A\nA\n"), LineEdit(2, 2, ""), LineEdit(4, 4, "D\n"), LineEdit(3, 3, "C\n")], 2)
    change = Change("x", "a\nb\nc\nd\n", edits, {})
    assert [edit.first for edit in change.edits] == [2, 3, 4, 1]
    assert [change.file(n) for n in range(5)] == ["a\nb\nc\nd\n", "a\nc\nd\n", "a\nC\nd\n", "a\nC\nD\n", "A\nA\nC\nD\n"]
    assert change.remaining(1) == [LineEdit(2, 2, "C\n"), LineEdit(3, 3, "D\n"), LineEdit(1, 1, "A\nA\n")]
    assert change.recent(4, 2) == [{"line": 4, "old": "d\n", "new": "D\n"}, {"line": 1, "old": "a\n", "new": "A\nA\n"}]


@pytest.mark.parametrize("kind", KINDS)
def test_the_remaining_edits_lead_from_every_file_to_the_same_program(kind):
    rng = RNG(5)
    for _ in range(20):
        made = rng.choice(KINDS[kind].made)(rng)
        change = KINDS[kind].change(made.program, {"gold_tests": made.gold_tests}, rng)
        if change is not None:
            ends = {with_edits(change.file(n), change.remaining(n)) for n in range(len(change.edits) + 1)}
            assert ends == {change.file(len(change.edits))} and made.program not in ends


def test_rename_takes_every_use_and_keeps_a_field_of_that_name():
    program = "fn f(low: u8) -> S {\n    let b = vec![low];\n    S { low, b }\n}\nfn g(x: u8) -> u8 { x }\n"
    assert steps(rename(program.replace("S { low", "T { a: low"), {}, RNG(0)))[2] == (3, "    T { a: total, b }\n")
    short = steps(rename(program, {}, RNG(0)))
    assert short == [
        (1, "fn f(total: u8) -> S {\n"),
        (2, "    let b = vec![total];\n"),
        (3, "    S { low: total, b }\n"),
    ]


@pytest.mark.parametrize(
    "program",
    [
        "fn f(a: u8) -> u8 { a }\n",  # no other line
        "fn f(a: u8) -> u8 {\n    a\n}\nfn g(a: u8) -> u8 { a }\n",  # of two functions
        'fn f(a: u8) -> String {\n    format!("{a} a", a = a)\n}\n',  # in a text
        "fn f(a: T) -> u8 {\n    a.a\n}\n",  # a field as well
        "// a\nfn f(a: u8) -> u8 {\n    a\n}\n",
        "not Rust",
        "",
    ],
)
def test_rename_leaves_alone_what_it_would_not_get_right(program):
    assert rename(program, {}, RNG(0)) is None


def test_retype_takes_suffixes_paths_and_gold_tests():
    program = "fn f(x: i32) -> i32 {\n    x % 5_i32 + i32::MIN + 3i32 + my_i32\n}\n"
    change = retype(program, {"gold_tests": "f(7i32); let a: Vec<i32>; f32x(a_i32)"}, RNG(0))
    assert steps(change)[1] == (2, "    x % 5_i64 + i64::MIN + 3i64 + my_i32\n")
    assert change.gold == {"gold_tests": "f(7i64); let a: Vec<i64>; f32x(a_i32)"}
    assert retype(program.replace("my_i32", 'n("i32")'), {}, RNG(0)) is None  # a text has the type's name


def test_field_follows_into_literals_and_patterns_in_every_form():
    program = """\
struct S { a: u8 }
fn f(s: S) -> S {
    let S { a } = s;
    let S { .. } = s;
    S {
        a,
    }
}
impl S { fn new() -> Self { Self { a: 1 } } }
impl T { fn new() -> Self { Self { a: 1 } } }
"""
    found = steps(add_field(program, {}, RNG(0)))
    assert found == [
        (1, "struct S { a: u8, limit: Option<u8>, // new: None }\n"),
        (3, "    let S { a, .. } = s;\n"),
        (6, "        a,\n        limit: None,\n"),
        (9, "impl S { fn new() -> Self { Self { a: 1, limit: None } } }\n"),
    ]


def test_variant_goes_on_with_the_rule_of_each_match():
    change = add_variant(ENUM, {"gold_cases": [{"call": "g(&E::One)", "expected": "'o'"}]}, RNG(0))
    assert steps(change) == [
        (3, "    Two,\n    Maple,\n"),
        (9, "            Self::Two => 7,\n            Self::Maple => 9,\n"),
        (13, "fn g(e: &E) -> char { match e { E::One => 'o', E::Two => 't', E::Maple => 'm', } }\n"),
    ]
    assert change.gold["gold_cases"][1:] == [
        {"call": "E::Maple.f()", "expected": "9"},
        {"call": "g(&E::Maple)", "expected": "'m'"},
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("=> 5", "=> 8"),
        ("Self::Two => 7", "_ => 7"),
        ("e: &E", "e: &E, n: u8"),
        ("    Two,", "    Two(u8),"),
        ("match", "if"),
    ],
)
def test_variant_leaves_alone_what_says_nothing_of_its_arm(old, new):
    assert add_variant(ENUM.replace(old, new), {"gold_cases": []}, RNG(0)) is None
    assert add_variant(ENUM, {"gold_tests": "assert!(true);"}, RNG(0)) is None  # no module to add a test to


# Rows


def test_a_row_for_each_edit_but_the_first_with_its_right_answer():
    change = add_variant(ENUM, {"gold_cases": [{"call": "g(&E::One)", "expected": "'o'"}]}, RNG(0))
    first, second = rows_of(change, "t")
    assert (first["task_id"], first["cursor"], len(first["edits"])) == ("t-variant-1", 4, 2)
    assert (second["task_id"], second["cursor"], len(second["recent"])) == ("t-variant-2", 11, 2)
    for row in (first, second):
        assert task_problem(row) == "" and read_edit(row["completion"], "first").edit == remaining_edits(row)[0]
        assert (
            TASK.facts(row["completion"], row, TASK.extract(row["completion"], row, "first").code)["exact_match"] == 1
        )
        assert lines_of(row["file"])[row["cursor"] - 1].strip() in row["recent"][-1]["new"]
    assert rows_of(Change("x", "a\n" * 9, tuple(LineEdit(n, n, "b\n") for n in range(1, 8)), {}), "t") == []


def test_each_program_is_on_one_side_and_the_seed_decides():
    sizes = (3, 1, 0)

    def files(split: str, seed: int) -> list[str]:
        found = candidates([], WantedRows("variant", split, sizes, 9), own=1.0, seed=seed)
        return [row["file"] for row in islice(found, 6)]

    assert files("eval", 1) == files("eval", 1) != files("eval", 2)
    assert not set(files("train", 1)) & set(files("eval", 1))
    row = {"task_id": "mine", "rust_code": ENUM, "rust_test_list": ["assert_eq!(E::One.f(), 5);"]}
    assert programs_of([{"prompt": "no program"}, {"reference": ENUM, "gold_tests": "mod gold {}"}]) == []
    wanted = WantedRows("variant", split_of(ENUM, sizes), sizes, 2)
    assert {one["task_id"] for one in candidates(programs_of([row]), wanted, own=0.0, seed=0)} == {
        "mine-variant-1",
        "mine-variant-2",
    }


def test_what_can_be_left_undone_is_every_run_of_edits_in_the_file():
    edits = [LineEdit(3, 3, "C\n"), LineEdit(1, 1, "A\n"), LineEdit(2, 2, "B\n")]
    assert sorted("".join(program.split()) for program in undone("a\nb\nc\n", edits)) == [
        *("ABc", "AbC", "Abc", "aBC", "abC", "abc"),
    ]


def test_only_rows_are_right_whose_tests_miss_every_part(pool):
    row, double = ROWS["rename"], ROWS["type"]
    two = [*double["edits"], {"first": 6, "last": 6, "text": "    sum + 0\n"}]  # is not needed
    given = [
        row,
        {**row, "rust_test_list": ["assert_eq!(add(1, 2), 4);"]},
        {**double, "edits": two},
        {**row, "cursor": 99},
        {**row, "rust_test_list": []},
        {**row, "file": row["file"] + "// a long comment\n" * 20},
    ]
    assert [reason.partition(":")[0] for _, reason in prove(given, pool, longest=400)] == [
        "",
        "the finished program fails its gold tests",
        "the program passes with a part of the change left undone",
        "no row of the task",
        "gold tests that cannot be read",
        "a prompt of more than 400 characters",
    ]


# The verb


def test_the_verb_writes_proven_rows_of_every_kind(pool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(next_edits, "SandboxPool", lambda *_, **__: nullcontext(pool))
    monkeypatch.setattr(proving, "WAITING", 0)  # no program is run for rows that nobody asks for
    assert main(["next-edit", "--out", str(tmp_path / "ne"), "--train", "4", "--eval", "0"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "ne-train.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows] == list(KINDS) and not any(task_problem(row) for row in rows)
    manifest = json.loads((tmp_path / "ne-manifest.json").read_text())
    assert manifest["rows_of_kinds"] == {"train": dict.fromkeys(KINDS, 1), "eval": {}}
    assert manifest["files"]["ne-train.jsonl"]["rows"] == 4 and not (tmp_path / "ne-eval.jsonl").exists()
    assert "train: variant" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--train", "3"], ["--own", "2"], ["--own", "0"], ["--eval", "-1"], ["none.jsonl"]])
def test_the_verb_refuses_bad_input(words, tmp_path):
    try:
        code = main(["next-edit", "--out", str(tmp_path / "ne"), *words])
    except SystemExit as error:
        code = error.code
    assert code == 2 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_shipped_rows_are_rows_of_the_task(split):
    path = Path(__file__).resolve().parents[2] / "assets" / "tasks" / f"next_edit-{split}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    kinds = [row["kind"] for row in rows]
    assert {kinds.count(kind) for kind in KINDS} == {len(rows) // len(KINDS)}
    for row in random.Random(0).sample(rows, 20):
        assert task_problem(row) == "" and len(TASK.prompt(row)) <= 640
