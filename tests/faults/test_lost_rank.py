"""A rank that is killed: torchrun starts all ranks anew, and the run ends with the weights of one that lost none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training import Tally

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults, pytest.mark.long]
ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "train.prompts_per_step=2",
    "sampling.group_size=4",
    "sampling.max_completion_tokens=48",
    "train.max_steps=3",
    "checkpoint.every=1",
    "eval.prompts=0",
    "watch.enabled=false",
]
LIMIT_S = 1500


def start(run: Path, *options: str, settings: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """A training on two ranks."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "scripts")))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *options]
    command = [*launcher, "scripts/train.py", "--plain", *SMALL, *settings, f"run.dir={run}"]
    with open(run.with_suffix(".log"), "wb") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, stdout=log, stderr=log, start_new_session=True
        )


def rank_of(launcher: int, number: int) -> int:
    """The process of a rank, a child of torchrun."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    wanted = f"RANK={number}".encode()
    (pid,) = (pid for pid in children if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    return int(pid)


def wait_for_a_checkpoint(run: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the first one is there."""
    while not (run / "checkpoints" / "step-000001").exists():
        assert process.poll() is None, run.with_suffix(".log").read_text()
        time.sleep(0.1)


def kill_rank(run: Path, process: subprocess.Popen[bytes], number: int) -> None:
    """Kill a rank once the first checkpoint is there."""
    wait_for_a_checkpoint(run, process)
    os.kill(rank_of(process.pid, number), signal.SIGKILL)


def ended(run: Path, process: subprocess.Popen[bytes]) -> int:
    """The exit code; a run that hangs is killed with all of its session."""
    try:
        return process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"the run hangs:\n{run.with_suffix('.log').read_text()}")


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs ended with the same bits."""
    found, wanted = (load_file(run / "checkpoints" / "step-000003" / "model.safetensors") for run in (one, other))
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_sigterm_to_torchrun_saves_and_the_run_goes_on_to_the_same_bits(tmp_path: Path, tally: Tally) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert ended(whole, start(whole)) == 0
    process = start(stopped)
    wait_for_a_checkpoint(stopped, process)
    process.terminate()
    assert ended(stopped, process) != 75, "torchrun would take it for a failure"
    saved = sorted(path.name for path in (stopped / "checkpoints").iterdir())
    assert saved[-1] in ("step-000001", "step-000002"), f"{saved}\n{stopped.with_suffix('.log').read_text()}"
    assert ended(stopped, start(stopped, settings=["run.resume=true"])) == 0, stopped.with_suffix(".log").read_text()
    assert same_weights(stopped, whole)
    tally(
        "SIGTERM to torchrun",
        tries=1,
        seen="that its step is to be the last",
        kept="all: saved, and resumed to the same bits",
    )


def test_a_signal_that_only_another_rank_gets_saves_too(tmp_path: Path, tally: Tally) -> None:
    """As on a machine that is to be preempted while rank 0 is on another one."""
    run = tmp_path / "run"
    process = start(run, settings=["train.max_steps=100"])
    wait_for_a_checkpoint(run, process)
    os.kill(rank_of(process.pid, 1), signal.SIGTERM)
    assert ended(run, process) == 0, run.with_suffix(".log").read_text()
    assert "stopped after" in run.with_suffix(".log").read_text()
    tally("SIGTERM to rank 1 alone", tries=1, seen="that its step is to be the last", kept="all: saved")


@pytest.mark.parametrize("number", [0, 1])
def test_a_rank_that_freezes_does_not_hold_the_others(tmp_path: Path, number: int, tally: Tally) -> None:
    run = tmp_path / "run"
    process = start(run, settings=["train.max_steps=100"])
    wait_for_a_checkpoint(run, process)
    os.kill(rank_of(process.pid, number), signal.SIGSTOP)
    assert ended(run, process) != 0
    said = (run / "rank-1.log").read_text() if number == 0 else run.with_suffix(".log").read_text()
    assert f"rank {number} has given no sign of life for" in said
    tally("SIGSTOP of one of two ranks", tries=1, seen="by the other rank, which ends", kept="its checkpoints")


@pytest.mark.parametrize("number", [0, 1])
def test_a_run_that_loses_a_rank_ends_with_the_same_bits(tmp_path: Path, number: int, tally: Tally) -> None:
    whole, harmed = tmp_path / "whole", tmp_path / "harmed"
    undisturbed = start(whole)
    assert ended(whole, undisturbed) == 0
    disturbed = start(harmed, "--max-restarts=1")
    kill_rank(harmed, disturbed, number)
    assert ended(harmed, disturbed) == 0, harmed.with_suffix(".log").read_text()
    assert same_weights(harmed, whole)
    seen = "that a rank is lost; torchrun starts all anew"
    tally("kill -9 of one of two ranks", tries=1, seen=seen, kept="all: the weights of the undisturbed run")


def test_without_restarts_a_lost_rank_ends_the_run_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(run)
    kill_rank(run, process, 1)
    assert ended(run, process) != 0
    assert "rank 0 has lost another rank" in run.with_suffix(".log").read_text()
    again = start(run)
    assert ended(run, again) != 0  # the directory is there: it is not begun anew without being asked
    assert "run.resume=true" in run.with_suffix(".log").read_text()
