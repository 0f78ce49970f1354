"""A reward function of the user's that breaks during a run is named, and nothing is learned; repaired, it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training import SMALL, Tally, Training, differences

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults]
REWARD = """
import pathlib, time

broken = pathlib.Path(__file__).with_name("broken")
batches = 0

def short_code(completions, **columns):
    global batches
    batches += 1
    scores = [1.0 / (1 + len(completion[0]["content"])) for completion in completions]
    mode = broken.read_text() if broken.exists() and batches == 3 else ""
    if mode == "raises":
        raise KeyError("no such column")
    if mode == "hangs":
        time.sleep(3600)
    return {"short": scores[1:], "one number": 0.5, "nan": [float("nan")] * len(scores)}.get(mode, scores)
"""
SAID = {
    "raises": "KeyError: 'no such column'",
    "hangs": "did not return within 3 s",
    "short": "returned 3 scores",
    "one number": "returned 0.5 (float)",
    "nan": "returned nan (float)",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Those of a run with a reward function of its own, in a file that is there for all tests."""
    file = tmp_path_factory.mktemp("rewards") / "mine.py"
    file.write_text(REWARD)
    return (*SMALL, f'rewards.weights."{file}:short_code"=0.5', "rewards.function_s=3")


@pytest.mark.parametrize(
    "mode", ["one number", *(pytest.param(mode, marks=pytest.mark.long) for mode in SAID if mode != "one number")]
)
def test_a_reward_function_that_breaks(
    mode: str, settings: tuple[str, ...], undisturbed: Callable[..., Path], tmp_path: Path, tally: Tally
) -> None:
    training = Training(tmp_path / "run", settings)
    broken = Path(settings[-2].split('"')[1].split(":")[0]).with_name("broken")
    broken.write_text(mode)
    try:
        code, output = training.run()
    finally:
        broken.unlink()
    assert code == 2 and "short_code failed" in output and SAID[mode] in output, output
    assert training.steps_done == 2, "nothing is learned from the batch that has no scores"
    training.finish()
    assert differences(undisturbed(settings), training.path) == []
    seen = "its name, what it gave and what is wanted; exit code 2"
    kept = "all until the last checkpoint: repaired, the run ends with the bits of the undisturbed one"
    tally("a reward function that raises, hangs, gives too few, one number or NaN", tries=1, seen=seen, kept=kept)
