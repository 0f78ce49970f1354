"""A real run that stops itself, the script that makes its step again, and that watching a run changes no bit of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import replay
from test_train import SMALL, TrainHere, lines

pytestmark = pytest.mark.slow


@pytest.fixture
def stopped(tmp_path: Path, train_here: TrainHere) -> Iterator[tuple[Path, str]]:
    """A run whose second minibatch has a ratio above 1, which the recipe forbids; what it said."""
    path = tmp_path / "run"
    settings = ["train.num_minibatches=2", "watch.max_ratio=1", "train.warmup_fraction=0", "eval.prompts=0"]
    done = train_here(*SMALL, "sampling.group_size=6", *settings, "train.max_steps=3", f"run.dir={path}")
    assert done.returncode == 3, done.stderr
    yield path, done.stdout + done.stderr


def test_a_stopped_step_is_made_again_to_the_same_bits(
    stopped: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, said = stopped
    [dump] = (path / "dumps").iterdir()
    assert "largest importance ratio" in said and "Traceback" not in said
    assert f"python scripts/replay.py {dump}" in said
    assert re.search(r"rehearsed the longest micro-batch: \d+ completions, [\d,]+ tokens, \d+\.\d s", said)
    assert replay.main([str(dump)]) == 0
    shown = capsys.readouterr().out
    record = json.loads((dump / "batch.json").read_text())
    assert f"gradient norm {record['update']['grad_norm']!r}" in shown and "the same numbers as the dump's" in shown
    worst = max(part["ratio_max"] for part in record["update"]["micro_batches"])
    assert f"largest ratio {worst:.6g}" in shown and re.search(r"completion s\d+-p0\d-c\d: ", shown)
    assert "gradient of model." in shown

    assert replay.main([str(dump), "loss.clip_high=0.0", "loss.name=cispo"]) == 1
    assert "different: micro-batch 0, " in capsys.readouterr().out


def test_a_run_with_a_rehearsal_and_a_watch_ends_with_the_bits_of_one_without(
    tmp_path: Path, train_here: TrainHere
) -> None:
    weights = []
    for watches in ("true", "false"):
        path = tmp_path / watches
        settings = [*SMALL, "train.max_steps=2", "eval.prompts=0", f"watch.enabled={watches}", f"run.dir={path}"]
        done = train_here(*settings)
        assert done.returncode == 0, done.stderr
        assert ("rehearsed" in done.stdout + done.stderr) == (watches == "true")
        steps = lines(path / "metrics.jsonl")
        assert all(("memory/trainer" in step) == (watches == "true") for step in steps)
        weights.append((path / "checkpoints" / "step-000002" / "model.safetensors").read_bytes())
        if watches == "true":
            assert all(step["memory/trainer"] > 100 and step["memory/workers"] > 10 for step in steps)
    assert weights[0] == weights[1]


def test_what_is_no_dump_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(tmp_path)]) == 2
    assert "give a directory below RUN/dumps" in capsys.readouterr().err
