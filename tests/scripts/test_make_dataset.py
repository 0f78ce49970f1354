"""scripts/make_dataset.py writes a data set that `data.train` takes, with a manifest, and says what is wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dataset.rows import COLUMNS
from dataset.splits import split_of
from grpo.rollout.prompts import load_examples
from make_dataset import main
from rewards.gold.rows import gold_kind

GOOD: dict[str, Any] = {
    "task_id": 1,
    "text": "Write a function to double a number.",
    "code": "def double(n):\n    return 2 * n",
    "test_list": ["assert double(1) == 2", "assert double(-2) == -4"],
}
DOUBLE = "Write a Rust function to double a number."  # what that becomes
MIXED = {**GOOD, "task_id": 2, "test_list": ["assert double(1) == 2", "assert double('a') == 'aa'"]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in (GOOD, MIXED, GOOD, {"text": "x"})))
    return path


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_what_is_written_is_data_for_training(source: Path, tmp_path: Path, ending: str, capsys) -> None:
    out = tmp_path / "new" / f"out.{ending}"
    assert main(["translate", str(source), "--out", str(out), "--jobs", "1", "--keep-near-duplicates"]) == 0
    printed = capsys.readouterr().out
    assert "2  of 4 rows translated (50.0 %)" in printed and "1  left out: int beside str" in printed
    examples = load_examples(str(out), split="train", system_prompt="", prompt_columns=("prompt", "rust_prompt"))
    hashed = examples[0].id  # of two rows that are alike in all
    assert re.fullmatch("mbpp-1-[0-9a-f]{8}", hashed) and examples[1].id == f"{hashed}-2"
    assert all(gold_kind(example.columns) == "cases" for example in examples)
    assert {"text", "signature", "source"} <= set(examples[0].columns)


def test_the_manifest_says_what_came_of_every_row(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    options = ["--jobs", "1", "--no-compile", "--limit", "4", "--keep-near-duplicates"]
    assert main(["translate", str(source), "--out", str(out), *options]) == 0
    found = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert found["rows_read"] == 4 and found["rows_written"] == 2 and found["gold_cases"] == 4
    assert found["skipped_tasks"] == {"mbpp-2": "int beside str", "3": "the row has no text and asserts"}
    assert found["skipped"] == {"int beside str": 1, "the row has no text and asserts": 1}
    assert found["files"] == {"out.jsonl": {"rows": 2, "sha256": hashlib.sha256(out.read_bytes()).hexdigest()}}
    assert found["columns"] == list(COLUMNS)
    assert found["sources"] == {str(source): hashlib.sha256(source.read_bytes()).hexdigest()}
    assert found["made_by"].endswith(f"translate {source} --out {out} {' '.join(options)}")
    assert [list(json.loads(line)) for line in out.read_text().splitlines()] == [list(COLUMNS)] * 2


def test_a_folder_gets_a_file_for_each_split_by_the_names_of_the_rows(tmp_path: Path, capsys) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "tasks"
    rows = [{**GOOD, "task_id": number} for number in range(12)]
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = ["--jobs", "1", "--no-compile", "--keep-near-duplicates", "--split-sizes", "2", "3", "0"]
    out.mkdir()
    (out / "test.parquet").write_text("of an earlier time")
    assert main(["translate", str(source), "--out", str(out), *options]) == 0
    found = json.loads((out / "manifest.json").read_text())
    assert found["left_over_as_their_split_is_full"] == 7
    assert "5 tasks, 7 left over as their split is full" in capsys.readouterr().out
    assert found["rows_written"] == 5 and set(found["files"]) == {"train.parquet", "eval.parquet"}
    for split, size in (("train", 2), ("eval", 3)):
        examples = load_examples(str(out / f"{split}.parquet"), split=split, prompt_columns=("prompt",))
        assert len(examples) == size and found["files"][f"{split}.parquet"]["rows"] == size
        assert all(split_of(example.id, (2, 3, 0)) == split for example in examples)
        assert all(gold_kind(example.columns) == "cases" for example in examples)
    assert not (out / "test.parquet").exists()


@pytest.mark.parametrize(
    "options, said",
    [
        (["--out", "tasks.csv"], "or a file that ends in .jsonl or .parquet"),
        (["--out", "tasks.jsonl", "--split-sizes", "2", "1", "1"], "--split-sizes goes with a folder"),
        (["--out", "tasks", "--split-sizes", "0", "0", "0"], "not all of them 0"),
        (["--out", "taken"], "is a file without an ending"),
        (["--out", "qwen2.5-tasks"], "without a dot in its name"),
        (["--out", "folder.jsonl"], "is a folder with the ending of a file"),
        (["--out", "in.jsonl"], "would overwrite the source"),
        (["--out", "./in.jsonl"], "would overwrite the source"),
        (["--out", "taken/tasks.jsonl"], "nothing can be written to taken"),
    ],
)
def test_an_output_that_cannot_be_is_refused(
    options: list[str], said: str, source: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    Path("taken").write_text("")
    Path("folder.jsonl").mkdir()
    before = source.read_bytes()
    assert main(["translate", str(source), *options]) == 2
    assert said in capsys.readouterr().err and source.read_bytes() == before


def names_by_text(rows: list[dict[str, Any]], folder: Path) -> dict[str, list[str]]:
    """The names that rows get, by their text."""
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = ["--out", str(out), "--jobs", "1", "--no-compile", "--keep-near-duplicates"]
    assert main(["translate", str(source), *options]) == 0
    found = defaultdict(list)
    for line in out.read_text().splitlines():
        row = json.loads(line)
        found[row["text"]].append(row["task_id"])
    return found


def test_rows_of_one_name_are_told_apart_by_their_content_and_not_by_their_order(tmp_path: Path) -> None:
    rows = [{**GOOD, "task_id": name, "text": text} for name, text in (("a", "One."), ("a", "Two."), ("b", "Three."))]
    found = names_by_text(rows, tmp_path)
    assert found == names_by_text(rows[::-1], tmp_path)
    assert found["Three."] == ["mbpp-b"] and found["One."] != found["Two."]
    assert all(re.fullmatch("mbpp-a-[0-9a-f]{8}", found[text][0]) for text in ("One.", "Two."))


def test_a_name_with_a_hash_or_a_number_is_not_that_of_another_task(tmp_path: Path) -> None:
    twice = [{**GOOD, "task_id": "a"}] * 2
    hashed, _ = names_by_text(twice, tmp_path)[DOUBLE]
    others = [{**GOOD, "task_id": f"{hashed.removeprefix('mbpp-')}{ending}", "text": "Other."} for ending in ("", "-2")]
    found = names_by_text([twice[0], *others, twice[1]], tmp_path)
    assert found["Other."] == [hashed, f"{hashed}-2"] and found[DOUBLE] == [f"{hashed}-3", f"{hashed}-4"]


def test_the_report_of_an_earlier_comparison_does_not_stay(source: Path, tmp_path: Path) -> None:
    report = tmp_path / "out.jsonl.contamination.jsonl"
    report.write_text("{}")
    assert main(["translate", str(source), "--out", str(tmp_path / "out.jsonl"), "--no-compile", "--jobs", "1"]) == 0
    assert not report.exists()


def test_the_same_rows_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for jobs in ("1", "3"):
        options = ["--out", str(tmp_path / f"{jobs}.jsonl"), "--jobs", jobs, "--no-compile", "--keep-near-duplicates"]
        assert main(["translate", str(source), *options]) == 0
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "3.jsonl").read_bytes()


@pytest.mark.parametrize("ending", ["json", "jsonl.gz", "parquet"])
def test_every_kind_of_file_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"in.{ending}"
    if ending == "json":
        path.write_text(json.dumps([GOOD]))
    elif ending == "jsonl.gz":
        path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([{**GOOD, "inferences": ["long"]}]), path)
    assert main(["translate", str(path), "--out", str(tmp_path / "out.jsonl"), "--jobs", "1", "--no-compile"]) == 0


def test_nothing_to_translate_writes_nothing(tmp_path: Path, capsys) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(MIXED))
    assert main(["translate", str(path), "--out", str(tmp_path / "out.jsonl"), "--jobs", "1"]) == 1
    assert "0  of 1 rows translated (0.0 %)" in capsys.readouterr().out and not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (
            "{}",
            ["--out", "out.txt"],
            "--out out.txt: give a folder, without a dot in its name, or a file that ends in .jsonl or .parquet",
        ),
        ("not json", ["--out", "out.jsonl"], "cannot be read"),
        ("[1]", ["--out", "out.jsonl"], "does not hold one object a row"),
        (None, ["--out", "out.jsonl"], "cannot be read"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, text: str | None, arguments: list[str], said: str, capsys) -> None:
    path = tmp_path / "in.jsonl"
    if text is not None:
        path.write_text(text)
    assert main(["translate", str(path), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_broken_parquet_file_is_named(tmp_path: Path, capsys) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "in.parquet"
    path.write_text("no parquet")
    assert main(["translate", str(path), "--out", "out.jsonl"]) == 2 and "cannot be read" in capsys.readouterr().err


def test_a_bad_number_and_an_unknown_verb_are_refused(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["translate", "x.jsonl", "--out", "out.jsonl", "--jobs", "-1"])
    assert raised.value.code == 2 and "give 0 or more" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["make_dataset.py"])
    assert main() == 2 and "translate  Python tasks" in capsys.readouterr().err
    assert main(["trnslate"]) == 2 and "translate  Python tasks" in capsys.readouterr().err
    assert main(["--help"]) == 0


ODD: tuple[Any, ...] = (
    None,
    5,
    True,
    [],
    {"a": [1]},
    [None],
    "half \ud800",
    "nul \0",
    "x\n\u202e",
    [["a"]],
    1e999,
    "\udc80" * 3,
)


@pytest.mark.parametrize("options", [["--keep-near-duplicates"], ["--draw", "1000"]])
def test_no_odd_row_ends_the_work_on_the_others(tmp_path: Path, options: list[str]) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    human_eval: dict[str, Any] = {
        "prompt": 'def f(x):\n    """Do it."""\n',
        "canonical_solution": "    return x\n",
        "entry_point": "f",
    }
    human_eval |= {"task_id": "h", "test": "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n"}
    ace_code: dict[str, Any] = {
        "id": "a",
        "question": "Give it back.",
        "test_cases": ["assert f(1) == 1", "assert f(2) == 2"],
    }
    good = [{**GOOD, "test_imports": [], "challenge_test_list": [], "test_setup_code": ""}, human_eval, ace_code]
    odd = [{**row, column: value} for row in good for column in row for value in ODD]
    source.write_text("".join(f"{json.dumps(row)}\n" for row in (*good, *odd)))
    assert main(["translate", str(source), "--out", str(out), "--jobs", "1", "--no-compile", *options]) == 0
    found = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert found["rows_read"] == len(good) + len(odd) and not any("get through" in one for one in found["skipped"])
    assert found["rows_written"] + sum(found["skipped"].values()) == len(out.read_text().splitlines()) + len(
        found["skipped_tasks"]
    )


def test_lines_of_spaces_and_a_mark_of_the_byte_order_are_read(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(f"\ufeff{json.dumps(GOOD)}\n   \n\n", encoding="utf-8")
    assert main(["translate", str(source), "--out", str(tmp_path / "out.jsonl"), "--jobs", "1", "--no-compile"]) == 0
