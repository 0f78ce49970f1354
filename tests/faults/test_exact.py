"""Runs of one recipe are equal to the bit, disturbed or not: what the README promises, in the modes it promises it for.

A mode is how a batch is sampled (ahead or not, refilled or not), by which engine, what is trained, and on how many
threads. Every mode is run twice undisturbed and once with kills at random moments.
"""

from __future__ import annotations

import random
import subprocess
import time
from itertools import product
from pathlib import Path

import pytest

from training import EQUAL, SMALL, Tally, Training, differences, wait_for

pytestmark = pytest.mark.alone

KILLS = 2  # of every run
SAMPLING = {
    "on policy": (),
    "one ahead": ("rollout.overlap=1",),
    "two ahead": ("rollout.overlap=2",),
    "refilled": ("rollout.refill_rounds=2",),
}
ENGINES = {"hf": (), "paged": ("sampling.engine=paged",)}
TRAINED = {"all weights": (), "LoRA": ("lora.rank=4", "lora.alpha=8")}
THREADS = {"one thread": (), "two threads": ("train.threads=2",)}
OFTEN = ("two ahead", "paged", "LoRA", "two threads")  # holds most state; the others are for `make faults`


def modes() -> list[object]:
    """Half of all modes: all ways to sample, engines and kinds of training, each with one thread or two.

    Every two values meet in one of them. Those that are not run often are marked.
    """
    found = []
    for places in product(*(range(len(part)) for part in (SAMPLING, ENGINES, TRAINED, THREADS))):
        mode = tuple(
            list(part)[place] for part, place in zip((SAMPLING, ENGINES, TRAINED, THREADS), places, strict=True)
        )
        if mode == OFTEN:
            found.append(pytest.param(mode, id=", ".join(mode)))
        elif sum(places) % 2:
            found.append(pytest.param(mode, id=", ".join(mode), marks=pytest.mark.long))
    return found


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("mode", modes())
def test_a_run_has_the_same_bits_again_and_after_kills(mode: tuple[str, ...], tmp_path: Path, tally: Tally) -> None:
    parts = (SAMPLING, ENGINES, TRAINED, THREADS)
    settings = (*SMALL, *(setting for part, name in zip(parts, mode, strict=True) for setting in part[name]))
    whole, again, killed = (Training(tmp_path / name, settings) for name in ("whole", "again", "killed"))
    whole.finish()
    again.finish()
    assert differences(whole.path, again.path) == [], "two undisturbed runs"

    generator, kills = random.Random(str(mode)), 0
    for step in sorted(generator.sample(range(1, 5), KILLS)):

        def reached(process: subprocess.Popen[str], step: int = step) -> None:
            wait_for(lambda: killed.steps_done >= step and killed.has_checkpoint, process)
            time.sleep(generator.uniform(0, 1))

        kills += killed.run_killed(reached)
    assert kills, "all came too late"
    killed.finish()
    assert differences(whole.path, killed.path) == [], "killed and resumed"
    tally("kill -9 of the trainer at a random moment", tries=kills, seen="nothing", kept=EQUAL)
