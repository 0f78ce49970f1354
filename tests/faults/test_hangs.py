"""Processes that hang without dying (SIGSTOP): each is noticed, shown and replaced, and the run has the same bits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults_processes import is_engine, is_worker
from training import SMALL, Tally, Training, children, differences, send, wait_for

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults, pytest.mark.long]
PAGED = ("sampling.engine=paged", "rollout.overlap=1", "sampling.stuck_after_s=6")


@pytest.mark.parametrize(
    ("victims", "settings", "fault", "seen", "said"),
    [
        (is_worker, (), "a sandbox worker that hangs", "its state, and that it was killed", "hangs"),
        (
            is_engine,
            PAGED,
            "an engine that hangs",
            "its state, and that it is started again",
            "starting the engine again",
        ),
    ],
    ids=["worker", "engine"],
)
def test_what_hangs_is_replaced(
    victims: Callable[[int], bool],
    settings: tuple[str, ...],
    fault: str,
    seen: str,
    said: str,
    undisturbed: Callable[..., Path],
    tmp_path: Path,
    tally: Tally,
) -> None:
    training = Training(tmp_path / "run", (*SMALL, *settings))
    process = training.start()
    wait_for(lambda: training.steps_done, process)
    assert send([pid for pid in children(process.pid) if victims(pid)][:1], signal.SIGSTOP)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert said in output
    assert differences(undisturbed(training.settings), training.path) == []
    tally(fault, tries=1, seen=seen, kept="all: the run goes on by itself, with the bits of the undisturbed one")


def test_a_run_that_was_suspended_goes_on_as_if_nothing_had_been(
    undisturbed: Callable[..., Path], tmp_path: Path, tally: Tally
) -> None:
    training = Training(tmp_path / "run", SMALL)
    process = training.start()
    wait_for(lambda: training.steps_done, process)
    everyone = [process.pid, *children(process.pid)]
    send(everyone, signal.SIGSTOP)
    time.sleep(20)
    send(everyone, signal.SIGCONT)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert differences(undisturbed(), training.path) == []
    tally("the whole run suspended for 20 s", tries=1, seen="nothing", kept="all")
