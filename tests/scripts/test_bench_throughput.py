"""The benchmark runs end to end with TRL itself, its turns cannot cheat, and its figures are arithmetic of steps."""

import json
import time
from pathlib import Path

import pytest

from bench_throughput import main, projection, row
from rewards.rust import extract_code
from throughput.rewarding import unique
from throughput.turns import Contender, Failed, Step, Turns

ANSWER = "Here:\n```rust\nfn one() -> u8 {\n    1\n}\n```\n"


def test_both_sides_train_and_the_file_holds_what_is_promised(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = ["--turns", "1", "--steps", "1", "--prompts", "1", "--group", "2", "--max-tokens", "60"]
    assert main([*words, "--only", "cargo", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    cargo = figures["cargo"]
    for side in ("trl", "ours"):
        assert cargo[side]["tokens_per_s"] > 0 and cargo[side]["step_s"] > 0
        assert cargo[side]["decode_s"] > 0 and cargo[side]["train_s"] > 0
        assert 1 <= cargo[side]["tokens_per_answer"] <= 60
    assert cargo["trl"]["wait_rewards_s"] > 0.2, "three cargo commands for each of two answers"
    assert cargo["ratio"] == pytest.approx(cargo["ours"]["tokens_per_s"] / cargo["trl"]["tokens_per_s"])
    assert figures["projection"]["hours"]["cargo"]["ours"] > 0
    assert figures["work"]["prompts"] == 1


def test_wrong_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "cargo,magic"])
    assert "no such comparison: magic" in capsys.readouterr().err


def test_figures_are_those_of_all_steps_but_the_first() -> None:
    steps = [Step(9.0, 1, 1, {"train": 5.0}), Step(1.0, 30, 3, {"train": 0.5}), Step(3.0, 50, 5, {"train": 1.5})]
    figures = row(steps, peak_mb=7.0)
    assert figures["first_step_s"] == 9.0 and figures["step_s"] == 2.0
    assert figures["tokens_per_s"] == 20.0 and figures["answers_per_s"] == 2.0 and figures["tokens_per_answer"] == 10.0
    assert figures["train_s"] == 1.0
    hours = projection({"cargo": {"trl": {"answers_per_s": 1.0}, "ours": {"answers_per_s": 2.0}}}, 16)["hours"]["cargo"]
    assert hours["trl"] == pytest.approx(60_000 / 3600) and hours["ours"] == pytest.approx(hours["trl"] / 2)


def test_a_unique_answer_means_the_same_and_never_comes_twice() -> None:
    first, second = unique(ANSWER), unique(ANSWER)
    assert first != second
    code = extract_code(first)
    assert code is not None and code.startswith("fn one() -> u8 {\n    1\n}") and code.splitlines()[-1].startswith("//")
    assert unique("no code") == "no code"


def fake_training(turns: Turns, *, rest_s: float) -> None:
    turns.settle = lambda: time.sleep(rest_s)
    turns.begin()
    while True:
        time.sleep(0.05)
        turns.finish(10, 2, {"train": 0.05})


def failing_training(turns: Turns) -> None:
    raise RuntimeError("out of luck")


def test_a_turn_lasts_until_nothing_runs() -> None:
    contender = Contender(fake_training, rest_s=0.5)
    time.sleep(0.3)  # another's turn
    steps = contender.steps(2)
    contender.close()
    assert len(steps) == 2 and 0.04 < steps[0].seconds < 0.25 and 0.5 < steps[1].seconds < 0.75


def test_a_contender_that_fails_says_why() -> None:
    with pytest.raises(Failed, match="out of luck"):
        Contender(failing_training)
