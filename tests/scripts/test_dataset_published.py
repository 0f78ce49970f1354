"""The published data as tasks: what tests call becomes the signature, programs are tried, the rest is counted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dataset.published.extracting import NoSignature, asserts_of, signature_of
from grpo.rollout.prompts import load_examples
from make_dataset import main
from published_rows import ROWS, published
from rewards.signature.applying import why_inapplicable
from rewards.signature.wording import shows

GOOD = [name for name, row in ROWS.items() if not row.problem]
SIGNED = [name for name, row in ROWS.items() if row.signature]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts are kept in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write(path: Path, *names: str) -> Path:
    path.write_text("".join(f"{json.dumps(published(name))}\n" for name in names), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SIGNED)
def test_the_signature_is_what_the_tests_call_with_its_own_types(name: str) -> None:
    row = ROWS[name]
    found = signature_of(row.code, row.tests)
    assert (found.text, found.types) == (row.signature, row.types)


@pytest.mark.parametrize("name", sorted(set(ROWS) - set(SIGNED)))
def test_why_there_is_no_signature_is_said(name: str) -> None:
    with pytest.raises(NoSignature, match=ROWS[name].problem):
        signature_of(ROWS[name].code, ROWS[name].tests)


@pytest.mark.parametrize(
    ("code", "tests", "signature"),
    [
        ("fn f(x: i32) -> i32 { x }\nfn x() {}", "let x = 1; assert_eq!(f(x), 1);", "fn f(x: i32) -> i32"),
        ("fn twice(f: fn(i32) -> i32) -> i32 { f(f(1)) }\nfn inc(x: i32) -> i32 { x + 1 }",
         "assert_eq!(twice(inc), 3);", "fn twice(f: fn(i32) -> i32) -> i32\nfn inc(x: i32) -> i32"),
        ("fn f() {}\n#[cfg(test)]\nmod tests { fn f() {} }", "super::f();", "fn f()"),
        ("fn f() {}\nfn g() {}", 'assert_eq!("f()", { g(); "f()" });', "fn g()"),
        ("trait Total { fn total(&self) -> i32; }\nimpl Total for Vec<i32> { fn total(&self) -> i32 { 0 } }",
         "assert_eq!(vec![1].total(), 0);", "impl Total for Vec<i32> { fn total(&self) -> i32; }"),
        ("async fn f<'a, const N: usize>(x: &'a [u8; N]) -> &'a u8 { &x[0] }", "f(&[1]);",
         "async fn f<'a, const N: usize>(x: &'a [u8; N]) -> &'a u8"),
    ],
)  # fmt: skip
def test_variables_texts_and_test_code_are_no_calls(code: str, tests: str, signature: str) -> None:
    assert signature_of(code, [tests]).text == signature


def test_two_functions_of_one_name_and_broken_heads_have_no_signature() -> None:
    with pytest.raises(NoSignature, match="two functions of one name"):
        signature_of("#[cfg(unix)] fn f() {}\n#[cfg(windows)] fn f() {}", ["f();"])
    with pytest.raises(NoSignature, match="a function that cannot be read"):
        signature_of("fn f(x: ) -> i32 { 1 }", ["f(1);"])


@pytest.mark.parametrize(
    ("given", "said"), [("assert!(true);", "no list of texts"), ([1], "no list of texts"), ("[]", "no tests")]
)
def test_tests_that_are_no_list_are_said(given: object, said: str) -> None:
    with pytest.raises(NoSignature, match=said):
        asserts_of({"rust_test_list": given})


@pytest.mark.parametrize("name", SIGNED)
def test_gold_tests_apply_to_the_code_that_a_signature_is_from(name: str) -> None:
    row = ROWS[name]
    columns = {**published(name), "signature": row.signature, "types": row.types}
    assert why_inapplicable(row.code, columns, row.prompt) == ""


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_what_is_written_is_data_for_training_with_and_without_signatures(tmp_path: Path, ending: str, capsys) -> None:
    source, out = write(tmp_path / "in.jsonl", *ROWS), tmp_path / f"out.{ending}"
    assert main(["published", str(source), "--out", str(out), "--jobs", "2"]) == 0
    printed = capsys.readouterr().out
    assert f"{len(GOOD)}  of {len(ROWS)} rows have a signature and code that passes its tests" in printed
    for row in ROWS.values():
        assert (
            not row.problem
            or f" 1  {'its own code fails' if row.signature else 'no signature'}: {row.problem}" in printed
        )
    with_it = load_examples(str(out), split="train", prompt_columns=("prompt",))
    without = load_examples(str(out), split="train", prompt_columns=("rust_prompt",))
    assert [example.id for example in with_it] == [example.id for example in without] == GOOD
    for one, other in zip(with_it, without, strict=True):
        signature = one.columns["signature"]
        assert shows(one.messages[0]["content"], signature) and not shows(other.messages[0]["content"], signature)
        assert one.columns["rust_test_list"] == published(one.id)["rust_test_list"]
    found = json.loads((tmp_path / f"out.{ending}.manifest.json").read_text())
    assert (found["rows_read"], found["rows_good"], found["rows_written"]) == (len(ROWS), len(GOOD), len(GOOD))
    assert found["sources"] == {str(source): hashlib.sha256(source.read_bytes()).hexdigest()}
    assert found["files"][out.name]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert found["toolchain"].startswith("rustc")
    assert found["failing"]["wrong"] == {"reason": "a test fails", "details": "double(3) returned 5; 6 was expected"}
    assert set(found["unsigned"]) == {"no call", "macro", "module"} and sum(found["gold_kinds"].values()) == len(GOOD)


def test_failing_rows_can_be_kept_and_are_marked(tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", "plain", "wrong", "no call"), tmp_path / "out.jsonl"
    assert main(["published", str(source), "--out", str(out), "--jobs", "1", "--keep-failing"]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["problem"] for row in rows] == ["", ROWS["wrong"].problem, ROWS["no call"].problem]
    assert rows[1]["signature"] == ROWS["wrong"].signature and rows[2]["prompt"] == ROWS["no call"].prompt


def test_rows_are_drawn_before_anything_is_made_of_them(tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", *GOOD), tmp_path / "tasks"
    options = ["--no-check", "--draw", "3", "--seed", "1", "--split-sizes", "9", "0", "0"]
    assert main(["published", str(source), "--out", str(out), *options]) == 0
    found = json.loads((out / "manifest.json").read_text())
    assert found["rows_read"] == len(GOOD) and found["rows_written"] == found["selection"]["counts"]["rows chosen"] == 3
    assert [path.name for path in sorted(out.iterdir())] == ["manifest.json", "train.parquet"]


def test_without_a_check_nothing_is_run_and_that_is_said(tmp_path: Path, capsys) -> None:
    source, out = write(tmp_path / "in.jsonl", "plain", "wrong"), tmp_path / "out.jsonl"
    assert main(["published", str(source), "--out", str(out), "--no-check"]) == 0
    assert "2  of 2 rows have a signature, their code was not run (100.0 %)" in capsys.readouterr().out
    found = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert not found["checked"] and found["toolchain"] == "" and not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        ([{"prompt": "x"}], [], "no row has rust_prompt; the columns are prompt"),
        ([published("plain")] * 2, [], "several rows have the task_id 'plain'"),
        ([published("plain")], ["--out", "out.csv"], "a file that ends in .jsonl or .parquet"),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path, rows: list[dict[str, object]], arguments: list[str], said: str, capsys
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert main(["published", str(source), "--out", str(tmp_path / "out.jsonl"), "--no-check", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rust_code": None}, "rust_code is no text, or empty"),
        ({"rust_code": 5}, "rust_code is no text, or empty"),
        ({"rust_prompt": ["l"]}, "rust_prompt is no text, or empty"),
        ({"rust_prompt": " "}, "rust_prompt is no text, or empty"),
        ({"rust_test_list": None}, "no rust_test_list"),
        ({"rust_test_list": 5}, "rust_test_list is no list of texts"),
        ({"task_id": {"a": [1]}}, "a task_id that is neither text nor a number"),
        ({"task_id": "../x\n"}, "a task_id with line breaks, hidden characters"),
        ({"task_id": "x\u202e"}, "a task_id with line breaks, hidden characters"),
    ],
)
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_one_row_that_is_none_is_counted_and_stops_nothing(
    changes: dict[str, object], reason: str, ending: str, tmp_path: Path, capsys
) -> None:
    rows = [published("plain"), {**published("plain"), "task_id": "odd", "rust_prompt": "Another one."} | changes]
    source, out = tmp_path / "in.jsonl", tmp_path / f"out.{ending}"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = ["--no-check", "--keep-failing"] if "no list" not in reason else ["--no-check"]
    assert main(["published", str(source), "--out", str(out), *options]) == 0
    assert reason in capsys.readouterr().out
    assert [example.id for example in load_examples(str(out), split="train")] == ["plain"]
    found = json.loads((tmp_path / f"out.{ending}.manifest.json").read_text())
    assert (found["rows_read"], found["rows_good"], found["rows_written"]) == (2, 1, 1)


def test_rows_without_a_name_get_their_number_or_another_where_a_row_is_called_so(tmp_path: Path) -> None:
    prompts = ("Add one to a number.", "Find the greatest of all numbers.", "Say who was first in the race.")
    given = zip((None, 0, 7), prompts, strict=True)
    rows = [{**published("plain"), "task_id": name, "rust_prompt": prompt} for name, prompt in given]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert main(["published", str(source), "--out", str(out), "--no-check"]) == 0
    assert [example.id for example in load_examples(str(out), split="train")] == ["row-0", "0", "7"]


def test_half_of_a_character_in_a_row_becomes_a_replacement_character(tmp_path: Path) -> None:
    row = published("plain")
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text(json.dumps({**row, "rust_prompt": "Half \ud83d.", "rust_code": row["rust_code"] + "// \ud83d"}))
    assert main(["published", str(source), "--out", str(out), "--no-check"]) == 0
    (example,) = load_examples(str(out), split="train", prompt_columns=("rust_prompt",))
    assert example.messages[0]["content"] == "Half \ufffd." and example.columns["rust_code"].endswith("// \ufffd")


@pytest.mark.parametrize("more", [(5, "x"), ({}, {})])
def test_values_that_a_parquet_file_cannot_hold_are_said_without_a_traceback(
    more: tuple[object, object], tmp_path: Path, capsys
) -> None:
    rows = [{**published(name), "more": value} for name, value in zip(("plain", "wrong"), more, strict=True)]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert main(["published", str(source), "--out", str(tmp_path / "out.parquet"), "--no-check"]) == 2
    assert "values of several types" in capsys.readouterr().err


def test_nothing_that_passes_writes_nothing(tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", "no call"), tmp_path / "out.jsonl"
    assert main(["published", str(source), "--out", str(out), "--no-check"]) == 1 and not out.exists()
