"""Processes that are killed: trainer, sandbox workers, programs, engine. The run ends as if nothing had been."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from faults_processes import is_engine, is_program, is_worker
from training import EQUAL, SMALL, Tally, Training, children, differences, send, wait_for

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults]
PAGED = ("sampling.engine=paged", "rollout.overlap=1")


@pytest.mark.long
def test_a_trainer_killed_at_random_moments(undisturbed: Callable[..., Path], tmp_path: Path, tally: Tally) -> None:
    """While it loads, in a step, between steps. What is killed before its first checkpoint has to begin again."""
    generator, kills, done = random.Random(20), 20, 0
    for number in count():
        training = Training(tmp_path / f"run{number}", SMALL)

        def later(process: subprocess.Popen[str], training: Training = training) -> None:
            before = training.steps_done
            if generator.random() < 0.7:
                wait_for(lambda: training.steps_done > before, process)
            time.sleep(generator.uniform(0, 2))

        while done < kills and training.run_killed(later) and training.has_checkpoint:
            done += 1
        if training.has_checkpoint:
            training.finish()
            assert differences(undisturbed(), training.path) == []
            if done == kills:
                break
    tally("kill -9 of the trainer at a random moment", tries=kills, seen="nothing", kept=EQUAL)


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.long)])
def test_a_trainer_killed_while_it_writes_a_checkpoint(
    kills: int, undisturbed: Callable[..., Path], tmp_path: Path, tally: Tally
) -> None:
    """Only a kill that leaves a folder behind was inside the write."""
    done = 0
    for number in count():
        training = Training(tmp_path / f"run{number}", SMALL)
        folder = training.path / "checkpoints"

        def unfinished(folder: Path = folder) -> set[str]:
            return {path.name for path in folder.glob(".unfinished-step-*")}

        def writing(process: subprocess.Popen[str], folder: Path = folder) -> None:
            before = unfinished(folder)
            wait_for(lambda: unfinished(folder) - before and any(folder.glob("step-*")), process, poll_s=0.001)

        while done < kills and training.run_killed(writing):
            done += bool(unfinished())
        training.finish()
        assert differences(undisturbed(), training.path) == []
        assert not unfinished()
        if done == kills:
            break
    tally("kill -9 of the trainer inside a checkpoint's write", tries=kills, seen="nothing", kept=EQUAL)


@pytest.mark.parametrize(
    ("victims", "settings", "fault", "seen"),
    [
        (is_worker, (), "kill -9 of a sandbox worker", "nothing: another one grades its programs"),
        pytest.param(
            is_program,
            (),
            "kill -9 of the launcher, or of a compiler or test binary",
            "nothing: graded again",
            marks=pytest.mark.long,
        ),
        pytest.param(
            is_engine,
            PAGED,
            "kill -9 of the engine's process",
            "`was killed by SIGKILL ... starting the engine again`",
            marks=pytest.mark.long,
        ),
    ],
    ids=["worker", "program", "engine"],
)
def test_others_killed_at_random_moments(
    victims: Callable[[int], bool],
    settings: tuple[str, ...],
    fault: str,
    seen: str,
    undisturbed: Callable[..., Path],
    tmp_path: Path,
    tally: Tally,
) -> None:
    training, generator = Training(tmp_path / "run", (*SMALL, *settings)), random.Random(fault)
    process = training.start()
    kills = 0

    def kill_one() -> int:
        return send([pid for pid in children(process.pid) if victims(pid)][:1], signal.SIGKILL)

    for step in (1, 3, 5):  # an engine that dies twice in one batch ends the run
        wait_for(lambda step=step: training.steps_done >= step, process)
        time.sleep(generator.uniform(0, 1))
        kills += wait_for(kill_one, process, poll_s=0.002)  # a program lives for a tenth of a second
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert kills, "none was hit"
    assert differences(undisturbed(training.settings), training.path) == []
    tally(fault, tries=kills, seen=seen, kept=EQUAL)
