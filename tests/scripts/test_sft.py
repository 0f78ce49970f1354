"""Supervised fine-tuning as its user runs it: what it reads, what it writes, stopping and going on."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import load_file

import sft
from grpo_rust.cli import ExitCode

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("train.threads=1", "train.prompts_per_step=4", "eval.prompts=0", "checkpoint.every=1")
CODE = "pub fn add(x: i64) -> i64 {\n    x + 1\n}"
TESTS = ["assert_eq!(add(1), 2);"]
PUBLISHED = {"rust_prompt": "Add one.", "rust_code": CODE}
PLAIN = [{"prompt": f"Add {n}.", "completion": f"```rust\n{CODE}\n// {n}\n```"} for n in range(6)]
Sft = Callable[..., int]


@pytest.fixture
def sft_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sft]:
    """`scripts/sft.py` as a function of its arguments, without Rust; handlers and threads are put back."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "/nowhere")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    threads = torch.get_num_threads()
    yield lambda *arguments: sft.main([*SMALL, *arguments])
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss/total"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_the_published_columns_of_a_parquet_file_and_of_json_train_alike(sft_here: Sft, tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([{**PUBLISHED, "rust_test_list": TESTS}] * 4)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    jsonl(tmp_path / "rows.jsonl", [{**PUBLISHED, "rust_test_list": json.dumps(TESTS)}] * 4)
    found = []
    for name in ("rows.parquet", "rows.jsonl"):
        run = tmp_path / f"run-{name}"
        assert sft_here(f"data.train={tmp_path / name}", "train.max_steps=3", f"run.dir={run}") == ExitCode.DONE
        found.append(losses(run))
        page = (run / "report.html").read_text()
        assert "4 demonstrations a step" in page and "completions a step" not in page
        assert json.loads((run / "summary.json").read_text())["steps"] == 3
    assert found[0] == found[1] and len(found[0]) == 3 and found[0][2] < found[0][0]


@pytest.mark.parametrize("adapted", [(), ("lora.rank=2",)])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    sft_here: Sft, tmp_path: Path, adapted: tuple[str, ...]
) -> None:
    data = (f"data.train={jsonl(tmp_path / 'rows.jsonl', PLAIN)}", "checkpoint.keep=9", *adapted)
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert sft_here(*data, "train.max_steps=4", f"run.dir={whole}") == ExitCode.DONE
    assert sft_here(*data, "train.max_steps=4", f"run.dir={parted}") == ExitCode.DONE
    for step in (3, 4):  # as a run that was killed after step 2, and had logged a third
        for file in sorted((parted / "checkpoints" / f"step-{step:06}").rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        (parted / "checkpoints" / f"step-{step:06}").rmdir()
    assert sft.main(["run.resume=true", f"run.dir={parted}"]) == ExitCode.DONE
    assert losses(whole) == losses(parted)
    ends = [load_file(run / "checkpoints" / "step-000004" / "model.safetensors") for run in (whole, parted)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "a", "answer": "b"}, "one must be named prompt or rust_prompt"),
        ({"prompt": "a", "completion": " "}, "demonstrates nothing"),
        ({**PUBLISHED, "rust_test_list": None}, "demonstrates nothing"),
        ({"prompt": "a", "completion": "fn a() {}\n" * 500}, "raise the limit"),
    ],
)
def test_rows_that_demonstrate_nothing_are_refused_before_there_is_a_run(
    sft_here: Sft, tmp_path: Path, row: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = jsonl(tmp_path / "rows.jsonl", [row])
    assert sft_here(f"data.train={data}", f"run.dir={tmp_path / 'run'}") == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err and not (tmp_path / "run").exists()
