"""The benchmark runs end to end with TRL itself, its turns cannot cheat, and its figures are arithmetic of steps."""

import json
import time
from pathlib import Path

import pytest

from bench.figures import compared, projection, rates, row, table
from bench.rewarding import trl_rewards, unique, unique_batches
from bench.settings import trl_passes
from bench.turns import Contender, ContenderFailed, Step, Turns
from bench_throughput import RANDOM_TINY, arguments, contenders, main, take_turns
from grpo_rust.memory_estimate import model_shape
from grpo_rust.time_estimate import read_rates
from rewards.rust.parse import extract_code

pytestmark = pytest.mark.alone

COMPLETION = "Here:\n```rust\nfn one() -> u8 {\n    1\n}\n```\n"


SMALL = ["--turns", "1", "--steps", "1", "--prompts", "1", "--group", "2", "--max-tokens", "60"]


def test_both_sides_train_on_a_reward_that_costs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    assert main([*SMALL, "--only", "trivial", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    for side in ("trl", "ours"):
        row = figures["trivial"][side]
        assert row["tokens_per_s"] > 0 and row["decode_s"] > 0 and row["train_s"] > 0 and row["peak_mb"] > 300
        assert 1 <= row["tokens_per_completion"] <= 60 and row["parameters"] == 3_213_824
    assert read_rates(file, "hf", dtype="float32", completions_per_step=2).sampled_tokens_per_s > 10
    assert "| trivial | ours |" in capsys.readouterr().out


@pytest.mark.slow
def test_both_sides_train_and_the_file_holds_what_is_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert main([*SMALL, "--only", "cargo", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    for name in ("cargo", "cargo_ahead"):
        for side in ("trl", "ours"):
            row = figures[name][side]
            assert row["tokens_per_s"] > 0 and row["step_s"] > 0 and row["decode_s"] > 0 and row["train_s"] > 0
            assert 1 <= row["tokens_per_completion"] <= 60
            assert row["parameters"] == 3_213_824 and row["peak_mb"] > 300 and 0 < row["mfu"] < 1
        ratio = figures[name]["ours"]["tokens_per_s"] / figures[name]["trl"]["tokens_per_s"]
        assert figures[name]["ratio"] == pytest.approx(ratio)
    assert figures["cargo"]["trl"]["wait_rewards_s"] > 0.2, "three cargo commands for each of two completions"
    assert set(figures["projection"]["our_step"]["hours"]) == {"trl", "ours", "ahead"}
    assert "published_step" not in figures["projection"], "it was not measured"
    assert figures["work"]["prompts"] == 1
    assert read_rates(file, "hf", dtype="float32", completions_per_step=2).sampled_tokens_per_s > 10
    assert "| cargo_ahead | ours |" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.long
def test_our_side_is_measured_alone_with_random_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "figures.json"
    words = ["--vs", "none", "--random-init", "random-tiny", "--dtype", "bfloat16", "--only", "trivial,published_step"]
    together: list[list[str]] = []

    def noted(sides: dict[str, object], shared: object, **turns: int) -> dict[str, dict[str, float]]:
        together.append(list(sides))
        return take_turns(sides, shared, **turns)

    monkeypatch.setattr("bench_throughput.take_turns", noted)
    assert main([*SMALL, *words, "--json", str(file)]) == 0
    assert together == [["ours"], ["ours"], ["ahead"]], "one after the other"
    figures = json.loads(file.read_text())
    assert set(figures["trivial"]) == {"ours"} and figures["work"]["model"] == "random-tiny"
    assert figures["rates"]["hf"][0]["parameters"] == figures["trivial"]["ours"]["parameters"] < 1_000_000


def test_who_is_compared_with_whom() -> None:
    def sides(*words: str) -> dict[str, dict[str, object]]:
        options = arguments(words)
        return {side: settings for side, (_, settings) in contenders(options.only, options).items()}

    assert sides("--only", "cargo") == {
        "trl": {"rewards": "published"},
        "ours": {"rewards": "cargo", "engine": "hf"},
        "ahead": {"rewards": "cargo", "engine": "hf", "overlap": 1},
    }
    assert sides("--only", "published_step", "--engine", "vllm")["vllm"] == {
        "rewards": "cargo", "engine": "vllm", "overlap": 1
    }  # fmt: skip
    assert set(sides("--only", "cargo", "--vs", "none")) == {"ours", "ahead"}
    assert set(sides("--only", "cargo", "--vs", "none", "--engine", "vllm", "--sides", "vllm")) == {"vllm"}
    assert set(sides("--only", "cargo", "--sides", "ahead")) == {"trl", "ahead"}
    assert sides("--only", "trivial") == {"trl": {"rewards": "trivial"}, "ours": {"rewards": "trivial", "engine": "hf"}}
    assert sides("--only", "trl_with_our_rewards") == {"trl": {"rewards": "published"}, "ours": {"rewards": "ours"}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "cargo,magic"], "no such comparison: magic"),
        (["--sides", "vllm"], "cannot measure vllm; there are ours, ahead (vllm: --engine vllm)"),
        (["--lora-rank", "8"], "needs --vs none"),
    ],
)
def test_wrong_words_are_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert said in capsys.readouterr().err


def test_adapters_are_trained_in_place_of_all_weights(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = ["--vs", "none", "--random-init", "random-tiny", "--only", "trivial", "--lora-rank", "4"]
    assert main([*SMALL, *words, "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    assert figures["trivial"]["ours"]["lora_rank"] == figures["rates"]["hf"][0]["lora_rank"] == 4
    assert figures["trivial"]["ours"]["parameters"] == model_shape(RANDOM_TINY).parameters, "adapters not counted"
    read = read_rates(file, "hf", dtype="float32", completions_per_step=2)
    assert read.lora_rank == 4 and figures["work"]["lora_rank"] == 4


STEPS = [
    Step(9.0, 1, 1, {"train": 5.0, "decode": 1.0}),
    Step(1.0, 30, 3, {"train": 0.5, "decode": 0.25}),
    Step(3.0, 50, 5, {"train": 1.5, "decode": 0.75}),
]
FACTS = {"parameters": 1e9, "matmul_tflops": 2.0, "peak_mb": 7.0}


def test_figures_are_those_of_all_steps_but_the_first() -> None:
    figures = row(STEPS, FACTS)
    assert figures["first_step_s"] == 9.0 and figures["step_s"] == 2.0 and figures["peak_mb"] == 7.0
    assert (
        figures["tokens_per_s"] == 20.0
        and figures["completions_per_s"] == 2.0
        and figures["tokens_per_completion"] == 10.0
    )
    assert figures["train_s"] == 1.0 and figures["tokens_per_step"] == 40
    assert figures["train_tflops"] == pytest.approx(0.24), "6 * 1e9 parameters * 40 tokens in 1 s"
    assert figures["mfu"] == pytest.approx(0.12)
    assert "mfu" not in row(STEPS, {"peak_mb": 7.0})
    assert row(STEPS, {**FACTS, "lora_rank": 4})["mfu"] == pytest.approx(0.08), "frozen weights have no gradient"


def test_hours_and_rates_come_from_what_was_measured() -> None:
    ours = row(STEPS, FACTS)
    rows = {
        "trl": {**ours, "completions_per_s": 1.0, "tokens_per_s": 5.0},
        "ours": ours,
        "vllm": {**ours, "decode_s": 0.1},
    }
    figures = {"cargo": compared(rows, "ours"), "cargo_vllm": compared(rows, "vllm"), "trivial": compared(rows, "ours")}
    assert figures["cargo"]["ratio"] == 4.0
    projected = projection(figures, completions_per_step=128)
    assert "published_step" not in projected and projected["our_step"]["completions_per_step"] == 128
    hours = projected["our_step"]["hours"]
    assert hours["trl"] == pytest.approx(60_000 / 3600) and hours["ours"] == hours["vllm"] == pytest.approx(
        30_000 / 3600
    )
    both = projection({**figures, "published_step": figures["cargo"]}, completions_per_step=128)
    assert both["published_step"] == {"completions_per_step": 16, "hours": {"trl": hours["trl"], "ours": hours["ours"]}}
    found = rates(figures, device="here", dtype="float32")
    assert found["hf"][0] == {
        "device": "here",
        "dtype": "float32",
        "parameters": 1_000_000_000,
        "lora_rank": 0,
        "completions_per_step": 4,
        "sampled_tokens_per_s": 80.0,
        "trained_tokens_per_s": 40.0,
        "tokens_per_completion": 10.0,
    }
    assert found["vllm"][0]["sampled_tokens_per_s"] == 400.0 and len(found["vllm"]) == 1
    shown = table({**figures, "projection": projected})
    assert shown.count("| trl |") == 2, "once for cargo, though two are compared with it"
    alone = {"cargo_vllm": figures["cargo_vllm"]}
    alone["projection"] = projection(alone, completions_per_step=128)
    assert set(alone["projection"]["our_step"]["hours"]) == {"trl", "vllm"} and table(alone).count("| trl |") == 1
    assert "| cargo_vllm | ours |" in shown and "60,000 completions, 128 a step, hours: trl 16.67" in shown


def test_a_batch_is_made_unique_once_for_all_functions_and_the_next_anew() -> None:
    graded: list[str] = []

    def recording(*, completions: list[list[dict[str, str]]], **_: object) -> list[float]:
        graded.append(completions[0][0]["content"])
        return [0.0]

    functions = unique_batches([recording] * 3)
    for _ in range(2):
        batch = [[{"role": "assistant", "content": COMPLETION}]]
        for function in functions:
            function(completions=batch)
    assert len(graded) == 6 and len(set(graded[:3])) == len(set(graded[3:])) == 1 and graded[0] != graded[3]


def test_ours_for_trl_are_the_published_three_by_name() -> None:
    names = [function.__name__ for function in trl_rewards("ours")]
    assert names == ["cargo_build_reward_func", "cargo_clippy_reward_func", "cargo_test_reward_func"]


def test_trl_trains_in_passes_that_suit_it() -> None:
    assert trl_passes(128) == {"per_device_train_batch_size": 16, "gradient_accumulation_steps": 8}
    assert trl_passes(16) == {"per_device_train_batch_size": 16, "gradient_accumulation_steps": 1}
    assert trl_passes(20) == {"per_device_train_batch_size": 10, "gradient_accumulation_steps": 2}


def test_a_unique_completion_means_the_same_and_never_comes_twice() -> None:
    first, second = unique(COMPLETION), unique(COMPLETION)
    assert first != second
    code = extract_code(first)
    assert code is not None and code.startswith("fn one() -> u8 {\n    1\n}") and code.splitlines()[-1].startswith("//")
    assert unique("no code") == "no code"


def fake_training(turns: Turns, *, rest_s: float) -> None:
    turns.settle = lambda: time.sleep(rest_s)
    turns.facts = {"parameters": 5.0}
    held = bytearray(200_000_000)
    held.clear()
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
    assert contender.facts["parameters"] == 5.0 and 200 < contender.facts["peak_mb"] < 700, "what it had, not has"
    assert 0.5 < steps[1].phases["settle"] < 0.6 and steps[0].phases["settle"] < 0.01
    assert len(steps) == 2 and 0.04 < steps[0].seconds < 0.25 and 0.5 < steps[1].seconds < 0.8


def test_a_contender_that_fails_says_why() -> None:
    with pytest.raises(ContenderFailed, match="out of luck"):
        Contender(failing_training)
