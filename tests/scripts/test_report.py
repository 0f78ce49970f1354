"""scripts/report.py: writes the page and prints its path; bad input is one clear line and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from report import main

ROOT = Path(__file__).resolve().parents[2]


def test_it_writes_the_page_and_prints_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "reward/mean": 2.5}\n')
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert "weighted sum" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_directory_without_metrics_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "metrics.jsonl" in captured.err and "runs/<name>" in captured.err


def test_a_missing_directory_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none\x1b[31m")]) == 2
    assert "not a directory" in (error := capsys.readouterr().err)
    assert "\x1b" not in error


def test_a_page_that_cannot_be_written_is_the_hosts_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metrics.jsonl").touch()
    (tmp_path / "report.html").mkdir()
    assert main([str(tmp_path)]) == 3
    assert "report.html" in capsys.readouterr().err
    assert not (tmp_path / "report.html.part").exists()


def test_it_runs_as_a_command_without_torch(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").touch()
    (tmp_path / "torch.py").write_text("raise ImportError('the report must not need torch')")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = [sys.executable, str(ROOT / "scripts" / "report.py"), str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "report.html").is_file()
