"""Processes that are killed: trainer, sandbox workers, programs, engine. The run ends as if nothing had been."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults_processes import is_engine, is_program, is_worker
from training import EQUAL, SMALL, Tally, Training, children, differences, send, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.faults]
PAGED = ("sampling.engine=paged", "rollout.overlap=1")


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_trainer_killed_at_random_moments(kills: int, whole: Path, tmp_path: Path, tally: Tally) -> None:
    killed, generator = Training(tmp_path / "run", SMALL), random.Random(kills)
    for _ in range(kills):
        if killed.steps_done == 6:  # a kill that came after the last step: begin again
            killed = Training(tmp_path / f"run{_}", SMALL)
        before, delay = killed.steps_done, generator.uniform(0, 3)

        def later(process: subprocess.Popen[str], before: int = before, delay: float = delay) -> None:
            wait_for(lambda: killed.has_checkpoint and killed.steps_done > before or delay > 2.5, process)
            time.sleep(delay)

        killed.run_killed(later)
        if not killed.has_checkpoint:
            killed = Training(tmp_path / f"run{_}", SMALL)
    killed.finish()
    assert differences(whole, killed.path) == []
    tally("kill -9 of the trainer at a random moment", tries=kills, seen="nothing", kept=EQUAL)


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.long)])
def test_a_trainer_killed_while_it_writes_a_checkpoint(kills: int, whole: Path, tmp_path: Path, tally: Tally) -> None:
    done = 0
    while done < kills:
        killed = Training(tmp_path / f"run{done}", SMALL)
        for _ in range(min(5, kills - done)):
            folder = killed.path / "checkpoints"

            def writing(process: subprocess.Popen[str], folder: Path = folder) -> None:
                names = {path.name for path in folder.glob(".unfinished-*")}
                wait_for(
                    lambda: {path.name for path in folder.glob(".unfinished-*")} - names and any(folder.glob("step-*")),
                    process,
                    poll_s=0.001,
                )

            killed.run_killed(writing)
            done += 1
        killed.finish()
        assert differences(whole, killed.path) == []
        assert not list((killed.path / "checkpoints").glob(".unfinished-*"))
    tally("kill -9 of the trainer inside a checkpoint's write", tries=kills, seen="nothing", kept=EQUAL)


@pytest.mark.parametrize(
    ("victims", "settings", "fault", "seen"),
    [
        (is_worker, (), "kill -9 of a sandbox worker", "nothing: another one grades its programs"),
        (is_program, (), "kill -9 of the launcher, or of a compiler or test binary", "nothing: graded again"),
        (is_engine, PAGED, "kill -9 of the engine's process", "`was killed by SIGKILL ... starting the engine again`"),
    ],
    ids=["worker", "program", "engine"],
)
def test_others_killed_at_random_moments(
    victims: Callable[[int], bool],
    settings: tuple[str, ...],
    fault: str,
    seen: str,
    whole: Path,
    tmp_path: Path,
    tally: Tally,
) -> None:
    if settings:
        Training(tmp_path / "whole", (*SMALL, *settings)).finish()
        whole = tmp_path / "whole"
    training, generator = Training(tmp_path / "run", (*SMALL, *settings)), random.Random(fault)
    process = training.start()
    kills = 0
    for step in (1, 3, 5):  # an engine that dies twice in one batch ends the run
        wait_for(lambda step=step: training.steps_done >= step, process)
        time.sleep(generator.uniform(0, 1))
        kills += send([pid for pid in children(process.pid) if victims(pid)][:1], signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert kills, "none was hit"
    assert differences(whole, training.path) == []
    tally(fault, tries=kills, seen=seen, kept=EQUAL)
