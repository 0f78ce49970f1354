"""`make_dataset.py suites`: what a model wrote before its training judges its completions in training."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from completions import ADD, fenced, module, passed
from dataset.suites import _parser, chosen_suites
from make_dataset import main
from rewards.cross.members import suite_of
from rewards.matrix.pass_matrix import PassMatrix
from rewards.rust.parse import extract_code
from sandbox import SandboxPool
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.verdict import Outcome

TASKS = Path(__file__).parents[2] / "assets" / "tasks"
RIGHT, WRONG = module("assert_eq!(add(2, 3), 5);"), module("assert_eq!(add(2, 3), -1);")
OTHER = module("assert_eq!(add(1, 1), 2);")


def completion(task: str, code: str, suite: str, gold: float | None, **more: Any) -> str:
    verdict = passed().to_json() | {"code": extract_code(fenced(code + suite))}
    row = {"task_id": task, "prompt": f"Write add {task}.", "text": fenced(code + suite), "verdict": verdict}
    return json.dumps({**row, "checks": {"gold": gold, "test_strict": 1.0}, **more}) + "\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Three rows: most are right of the first, all of the second, and nobody wrote anything for the third."""
    subtract = ADD.replace("a + b", "a - b")
    several = [ADD, ADD.replace("a + b", "b + a"), ADD.replace("a + b", "a + b + 0"), subtract]
    first = [completion("a", code, suite, float(code != subtract))
             for code, suite in zip(several, (RIGHT, OTHER, RIGHT, WRONG))]  # fmt: skip
    second = [completion("b", code, RIGHT, None) for code in several[:3]]
    (tmp_path / "start.jsonl").write_text("".join([*first, *second]))
    rows = [{"task_id": name, "prompt": f"Write add {name}.", "level": 1} for name in "abc"]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "train.jsonl", tmp_path / "start.jsonl"


def suites(files: tuple[Path, Path], out: Path, *more: str) -> int:
    return main(["suites", str(files[0]), "--completions", str(files[1]), "--out", str(out), "--jobs", "1", *more])


def test_suites_are_kept_that_are_probably_right(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "judged.jsonl"
    assert suites(files, out, "--least", "0.8") == 0
    first, second, third = map(json.loads, out.read_text().splitlines())
    assert first["prompt"] == "Write add a." and first["level"] == 1, "other columns stay"
    assert sorted("2, 3" in text for text in first["suites"]) == [False, True], "equal ones once, the wrong one not"
    assert len(second["suites"]) == 1 and third["suites"] == []
    printed = capsys.readouterr().out
    assert "3 suites kept; 1 of 3 rows have none" in printed and "right codes pass 100.0% of" in printed
    assert "wrong codes pass 0.0% of 2" in printed
    manifest = json.loads((tmp_path / "judged.jsonl.manifest.json").read_text())
    assert manifest["suites"] == 3 and manifest["rows_without"] == 1
    assert suites(files, tmp_path / "one.jsonl", "--most", "1", "--least", "0.8") == 0
    assert len(json.loads((tmp_path / "one.jsonl").read_text().splitlines()[0])["suites"]) == 1
    assert suites(files, tmp_path / "all.jsonl", "--judged-only", "--least", "0.8") == 0
    assert [json.loads(line)["task_id"] for line in (tmp_path / "all.jsonl").read_text().splitlines()] == ["a", "b"]
    manifest = json.loads((tmp_path / "all.jsonl.manifest.json").read_text())
    assert (manifest["rows"], manifest["rows_without"]) == (2, 1)
    assert suites(files, tmp_path / "none.jsonl", "--least", "1") == 1 and not (tmp_path / "none.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (completion("z", ADD, RIGHT, 1.0), "no row that was read is called 'z'"),
        (completion("c", ADD, RIGHT, 1.0, prompt="Write subtract."), "'c' answers another prompt"),
        (completion("c", ADD, RIGHT, 1.0, text="no code"), "line 8: no graded completion"),
        (completion("a", ADD, RIGHT, 1.0, step=1), "'a' has several groups"),
        ("{}\n", "start.jsonl, line 8: no graded completion"),
    ],
)
def test_completions_that_do_not_belong_to_the_rows_are_refused(
    files: tuple[Path, Path], tmp_path: Path, line: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text(files[1].read_text() + line)
    assert suites(files, tmp_path / "judged.jsonl") == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(("option", "problem"), [("--most=0", "give 1 or more"), ("--least=nan", "from 0 to 1")])
def test_options_out_of_range_are_refused(
    files: tuple[Path, Path], tmp_path: Path, option: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        suites(files, tmp_path / "judged.jsonl", option)
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("out", "problem"),
    [("folder", "give a file that ends in"), ("train.jsonl", "overwrite"), ("start.jsonl", "overwrite")],
)
def test_a_place_to_write_to_that_is_none_is_refused(
    files: tuple[Path, Path], tmp_path: Path, out: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [path.read_bytes() for path in files]
    assert suites(files, tmp_path / out) == 2 and [path.read_bytes() for path in files] == before
    assert problem in capsys.readouterr().err


def test_rows_that_have_suites_or_names_twice_are_refused(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = files[0].read_text()
    for more, problem in (({"task_id": "a"}, "several rows"), ({"suites": ["fn f() {}"]}, "a column suites already")):
        files[0].write_text(rows + json.dumps({"prompt": "x", **more}) + "\n")
        assert suites(files, tmp_path / "judged.jsonl") == 2
        assert problem in capsys.readouterr().err


def test_later_turns_do_not_judge_and_rows_without_names_go_by_their_number(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    later = [completion("1", ADD, WRONG, 1.0, prompt="b", follows="x") for _ in range(8)]
    answers = [completion("1", ADD.replace("a + b", f"a + b + {n} - {n}"), RIGHT, None, prompt="b") for n in range(4)]
    files[1].write_text("".join([*later, *answers]))
    files[0].write_text('{"prompt": "a", "id": 1}\n{"prompt": "b", "id": 0}\n')
    assert suites(files, tmp_path / "judged.parquet") == 0
    first, second = parquet.read_table(tmp_path / "judged.parquet").to_pylist()
    assert first["suites"] == [] and ["2, 3), 5" in text for text in second["suites"]] == [True]


def test_suites_that_call_another_name_than_the_prompt_are_not_kept(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Though most of the completions have that name."""
    other = ((ADD.replace("a + b", text) + RIGHT).replace("add(", "sum(") for text in ("a + b", "b + a", "a + b + 0"))
    codes = [*other, ADD + RIGHT, ADD.replace("a + b", "b + a") + OTHER]
    asked = "Write `fn add`."
    files[1].write_text("".join(completion("a", code, "", None, prompt=asked) for code in codes))
    files[0].write_text(json.dumps({"task_id": "a", "prompt": asked}) + "\n")
    assert suites(files, tmp_path / "judged.jsonl") == 0
    kept = json.loads((tmp_path / "judged.jsonl").read_text())["suites"]
    assert len(kept) == 2 and all("add(" in text for text in kept)


def test_suites_are_not_run_on_codes_that_have_another_name_for_what_the_prompt_names(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    """Nobody but its author has the function that the second suite calls, which is not kept then."""
    twice = "fn twice(a: i32) -> i32 { 2 * a }\n"
    double = ADD + twice.replace("twice", "double")
    asked = "Write `fn add` and `fn twice`."
    answers = [(double, RIGHT), (ADD + twice, module("assert_eq!(twice(2), 4);"))]
    files[1].write_text("".join(completion("a", *answer, None, prompt=asked) for answer in answers))
    files[0].write_text(json.dumps({"task_id": "a", "prompt": asked}) + "\n")
    assert suites(files, tmp_path / "judged.jsonl") == 0
    (kept,) = json.loads((tmp_path / "judged.jsonl").read_text())["suites"]
    assert "add(2, 3)" in kept


def test_a_host_that_fails_is_no_row_without_suites(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: SandboxPool, crossing: Crossing) -> Future[Crossed]:
        future: Future[Crossed] = Future()
        future.set_result(Crossed(Outcome.HOST_ERROR, reason="no space"))
        return future

    monkeypatch.setattr(SandboxPool, "submit_crossing", fail)
    assert suites(files, tmp_path / "judged.jsonl") == 3 and not (tmp_path / "judged.jsonl").exists()
    assert "'a' could not be run on each other's tests: no space" in capsys.readouterr().err


@pytest.mark.parametrize("alike", ["codes", "suites", "nothing"])
def test_two_completions_that_agree_are_not_enough(alike: str) -> None:
    """At 0.95, for which it takes three; at the default they just are, unless a third one is against them."""
    default = _parser().get_default("least")
    for count, least, all_kept in ((2, 0.95, False), (3, 0.95, True), (4, 0.95, True), (2, default, True)):
        kept = all_kept * (1 if alike == "suites" else count)
        same, apart = np.zeros(count, dtype=np.int64), np.arange(count)
        passes = np.diag(np.full(count, 1.0)) if alike == "codes" else np.ones((count, count))
        passes[passes == 0] = np.nan  # what a completion makes of its copy's suite is not run
        ids = {"codes": (same, apart), "suites": (apart, same), "nothing": (apart, apart)}[alike]
        assert len(chosen_suites(PassMatrix(passes, apart, *ids), most=4, least=least)) == kept
    one_against = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert chosen_suites(PassMatrix(one_against, np.arange(3)), most=4, least=default) == []


def test_the_shipped_rows_are_those_of_training_and_each_is_judged() -> None:
    prompts = (json.loads(line) for line in (TASKS / "train.jsonl").read_text().splitlines())
    rows = {row["task_id"]: row for row in prompts}
    judged = [json.loads(line) for line in (TASKS / "judged-train.jsonl").read_text().splitlines()]
    manifest = json.loads((TASKS / "judged-train.jsonl.manifest.json").read_text())
    assert [len(judged), sum(len(row["suites"]) for row in judged)] == [manifest["rows"], manifest["suites"]]
    for row in judged:
        programs = row.pop("suites")
        assert row == rows[row["task_id"]] and 1 <= len(programs) <= 4
        assert row["gold_tests"] not in programs and len(set(programs)) == len(programs)
    drawn = [json.loads(line)["suites"] for line in (TASKS / "judged-train.jsonl").read_text().splitlines()[::50]]
    assert all(suite_of(program) is not None for programs in drawn for program in programs)
