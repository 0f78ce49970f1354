"""Evaluating a checkpoint: graded completions in a file, rates on the terminal, and refusals that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eval_model import main

ROOT = Path(__file__).resolve().parents[2]


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
        (["--out", __file__], "exists already"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert message in capsys.readouterr().err
