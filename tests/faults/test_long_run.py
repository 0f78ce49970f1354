"""A day at speed: hundreds of steps, and every ten of them something goes wrong. It ends with the undisturbed bits."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from faults_processes import is_program, is_worker
from training import SMALL, STOPPED, Tally, Training, children, differences, send, wait_for

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults, pytest.mark.long]
EVERY = 10  # steps between two faults
Fault = Callable[[subprocess.Popen[str]], int]
SMALLEST = (
    *(setting for setting in SMALL if not setting.startswith(("train.max_steps", "checkpoint.every", "sampling.max"))),
    "sampling.max_completion_tokens=60",
    "checkpoint.every=5",
    "watch.max_zero_std_steps=1000",  # two groups of two are often equal: that is not what is tried here
)
FAULTS: dict[str, Fault] = {  # each returns whether it hit anything
    "kill -9 of the trainer": lambda process: send([process.pid], signal.SIGKILL),
    "SIGTERM": lambda process: send([process.pid], signal.SIGTERM),
    "Ctrl-C": lambda process: send([process.pid], signal.SIGINT),
    "kill -9 of a worker": lambda process: send(
        [pid for pid in children(process.pid) if is_worker(pid)][:1], signal.SIGKILL
    ),
    "kill -9 of a program": lambda process: send(
        [pid for pid in children(process.pid) if is_program(pid)][:1], signal.SIGKILL
    ),
    "suspended": lambda process: suspend([process.pid, *children(process.pid)]),
}
ENDS = ("kill -9 of the trainer", "SIGTERM", "Ctrl-C")  # the session


def suspend(pids: list[int]) -> int:
    send(pids, signal.SIGSTOP)
    time.sleep(2)
    return send(pids, signal.SIGCONT)


@pytest.mark.parametrize("steps", [30, 500])
def test_a_long_run_with_a_fault_every_ten_steps(
    steps: int, undisturbed: Callable[..., Path], tmp_path: Path, tally: Tally
) -> None:
    settings = (*SMALLEST, f"train.max_steps={steps}")
    harmed = Training(tmp_path / "harmed", settings)
    generator, done = random.Random(steps), Counter[str]()
    process = harmed.start()
    for step in range(EVERY, steps, EVERY):
        wait_for(lambda step=step: harmed.steps_done >= step, process)
        time.sleep(generator.uniform(0, 0.5))
        name = generator.choice(sorted(FAULTS))
        done[name] += bool(FAULTS[name](process))
        if name in ENDS:
            output, _ = process.communicate()
            assert process.returncode in (STOPPED, -signal.SIGKILL), output
            process = harmed.start()
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert differences(undisturbed(settings), harmed.path) == []
    kinds = ", ".join(f"{count} x {name}" for name, count in sorted(done.items()) if count)
    kept = "all: the bits of the undisturbed run"
    tally(f"{steps} steps with a random fault every {EVERY}", tries=done.total(), seen=kinds, kept=kept)
