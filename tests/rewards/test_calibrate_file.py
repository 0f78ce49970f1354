"""`python -m rewards calibrate`: a recipe's settings from graded completions on disk."""

from __future__ import annotations

import contextlib
import json
import math
import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

import rewards.__main__
from completions import ADD, fenced, module, passed
from rewards.cross.calibrate_file import read_groups
from rewards.cross.result import CrossSettings
from rewards.matrix.calibrated import Calibration
from rewards.rust.parse import extract_code


def line(task: str, text: str, gold: float | None, *, has_code: bool = True) -> str:
    verdict = passed().to_json() | {"code": extract_code(text), "gold": {}} if has_code else {"code": None}
    checks = {"gold": gold, "test_strict": float(has_code)}
    return json.dumps({"task_id": task, "text": text, "verdict": verdict, "checks": checks}) + "\n"


def program(number: int, sign: str) -> str:
    code = ADD.replace("a + b", f"a {sign} b + {number} - {number}")
    return fenced(code + module(f"assert_eq!(add({number}, 3), {number + 3 if sign == '+' else number - 3});"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two groups of three right programs and a wrong one that agrees with itself."""
    path = tmp_path / "completions.jsonl"
    lines = [line(task, program(n, "-" if n == 3 else "+"), float(n != 3)) for task in "ab" for n in range(4)]
    path.write_text("".join([*lines, line("a", "no code", 0.0, has_code=False)]))
    return path


def test_the_settings_are_those_of_the_groups(pool, file, monkeypatch, capsys):
    monkeypatch.setattr(rewards.__main__, "SandboxPool", lambda jobs, isolation: contextlib.nullcontext(pool))
    assert rewards.__main__.main(["calibrate", str(file)]) == 0
    printed, warned = capsys.readouterr()
    assert not warned and printed.startswith(
        f"# fitted to 2 groups of {file}, 6 right codes and 2 wrong codes that some suite was run"
    )
    numbers = tomllib.loads(printed)["rewards"]["cross"]
    found = CrossSettings.of(numbers).calibration
    assert 0.6 < found.code_right < 0.8 and found.wrong_passes_right < 0.2, "three of four are right, and told apart"
    separations = re.findall(r"#   (\S.*?) +(\S+)$", printed, re.M)
    assert dict(separations) == {
        "cross_agreement": "1.00",
        "cross_consensus": "1.00",
        "cross_calibrated": "1.00",
        "own tests, strict": "0.50",
    }, "all pass their own tests"


@pytest.mark.parametrize(
    ("sign", "gold", "counts", "said", "kept"),
    [
        (
            "+",
            1.0,
            "3 right codes and 0 wrong codes",
            "on a code known to be wrong, so wrong_passes_right and",
            ["wrong_passes_right", "wrong_passes_wrong"],
        ),
        (
            "-",
            0.0,
            "0 right codes and 3 wrong codes",
            "on a code known to be right, so right_passes_wrong stays",
            ["right_passes_wrong"],
        ),
    ],
)
def test_parameters_that_nothing_is_known_of_are_named(
    sign, gold, counts, said, kept, pool, tmp_path, monkeypatch, capsys
):
    """A code of the other kind that does not build counts for nothing."""
    monkeypatch.setattr(rewards.__main__, "SandboxPool", lambda jobs, isolation: contextlib.nullcontext(pool))
    path = tmp_path / "x.jsonl"
    lines = [line("a", program(n, sign), gold) for n in range(3)]
    path.write_text("".join([*lines, line("a", "no code", 1 - gold, has_code=False)]))
    assert rewards.__main__.main(["calibrate", str(path)]) == 0
    printed = capsys.readouterr()
    assert f", {counts} that some suite was run on" in printed.out and printed.err.count("\n") == 1
    assert f"rewards: no suite was run {said}" in printed.err
    numbers = tomllib.loads(printed.out)["rewards"]["cross"]
    assert {name for name, value in asdict(Calibration()).items() if numbers[name] == value} == {"flake", *kept}


def test_groups_are_completions_of_a_prompt_in_a_step(file):
    (_, _, first), (name, _, second) = read_groups(file)
    assert [len(first), len(second)] == [5, 4] and name == "b" and first[4].completion.verdict is None
    assert [one.gold for one in second] == [1, 1, 1, 0]


def test_other_tasks_are_left_out_and_the_graded_block_counts(tmp_path):
    path, text = tmp_path / "x.jsonl", "```rust\nfn f() {}\n```\nor\n" + program(0, "+")
    rows = [json.loads(line("a", text, 1.0)) for _ in range(2)]
    rows[0]["verdict"]["code"] = extract_code(text, "last")
    rows[1]["verdict"] |= {"task": "patch", "code": "no function"}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ((_, _, (only,)),) = read_groups(path)
    assert only.completion.code == extract_code(text, "last") != extract_code(text)


@pytest.mark.parametrize(
    "text", ["[]\n", "{}\n", "no json\n", '{"text": 1, "checks": {}, "verdict": {"outcome": "none"}}\n']
)
def test_a_line_that_is_no_completion_is_named(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(line("a", "no code", None, has_code=False) + "\n" + text)
    with pytest.raises(ValueError, match="x.jsonl, line 3: no graded completion"):
        list(read_groups(path))


def test_without_gold_results_there_is_nothing_to_fit(pool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rewards.__main__, "SandboxPool", lambda jobs, isolation: contextlib.nullcontext(pool))
    path = tmp_path / "x.jsonl"
    path.write_text(line("a", program(0, "+"), None))
    assert rewards.__main__.main(["calibrate", str(path)]) == 2
    assert "no completion with a gold result" in capsys.readouterr().err
    assert math.isnan(next(read_groups(path)).completions[0].gold)
