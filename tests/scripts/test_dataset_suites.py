"""`make_dataset.py suites`: what a model wrote before its training judges its completions in training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from completions import ADD, fenced, module, passed
from make_dataset import main

RIGHT, WRONG = module("assert_eq!(add(2, 3), 5);"), module("assert_eq!(add(2, 3), -1);")
OTHER = module("assert_eq!(add(1, 1), 2);")


def completion(task: str, code: str, suite: str, gold: float | None, step: int = 0) -> str:
    row = {"task_id": task, "step": step, "text": fenced(code + suite), "verdict": passed().to_json()}
    return json.dumps({**row, "checks": {"gold": gold, "test_strict": 1.0}}) + "\n"


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
    assert suites(files, out) == 0
    first, second, third = map(json.loads, out.read_text().splitlines())
    assert first["prompt"] == "Write add a." and first["level"] == 1, "other columns stay"
    assert sorted("2, 3" in text for text in first["suites"]) == [False, True], "equal ones once, the wrong one not"
    assert len(second["suites"]) == 1 and third["suites"] == []
    printed = capsys.readouterr().out
    assert "3 suites kept; 1 of 3 rows have none" in printed and "right codes pass 100.0% of" in printed
    assert "wrong codes pass 0.0% of 2" in printed
    manifest = json.loads((tmp_path / "judged.jsonl.manifest.json").read_text())
    assert manifest["suites"] == 3 and manifest["rows_without"] == 1
    assert suites(files, tmp_path / "one.jsonl", "--most", "1") == 0
    assert len(json.loads((tmp_path / "one.jsonl").read_text().splitlines()[0])["suites"]) == 1
    assert suites(files, tmp_path / "none.jsonl", "--least", "1") == 1 and not (tmp_path / "none.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (completion("z", ADD, RIGHT, 1.0), "no row of the sources is called 'z'"),
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
