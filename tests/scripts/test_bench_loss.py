"""The benchmark writes the file it promises, on real runs of a small size, and compares like with like."""

import json
from pathlib import Path

import pytest

from bench.loss.heads import VARIANTS, HeadProblem, max_error
from bench.loss.steps import draw_samples
from bench_loss import main

pytestmark = pytest.mark.alone

pytest.importorskip("trl", reason="the benchmark runs TRL's own code")
AGREE = 1e-4  # relative, of gradient norms in fp32
SMALL = ["--tokens=64", "--vocabulary=2048", "--hidden=64", "--repeats=2", "--prompts=2"]
SMALL_STEP = ["--step-hidden=64", "--step-layers=1", "--step-vocabulary=256", "--threads=1"]


def test_all_layouts_compute_one_gradient(tmp_path: Path) -> None:
    assert main([*SMALL, *SMALL_STEP, "--only", "step", "--json", str(tmp_path / "loss.json")]) == 0
    steps = json.loads((tmp_path / "loss.json").read_text())["step"]
    assert list(steps) == ["trl_padded", "sorted_padded", "packed", "shared"]
    norms = [row["gradient"] for row in steps.values()]
    assert max(norms) - min(norms) < AGREE * max(norms)


@pytest.mark.slow
def test_the_file_holds_what_the_script_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, *SMALL_STEP, "--json", str(tmp_path / "loss.json")]) == 0
    figures = json.loads((tmp_path / "loss.json").read_text())
    assert set(figures) == {"logprobs", "step"} and set(figures["logprobs"]) == {"full", "trl", "ours"}
    for row in figures["logprobs"].values():
        assert row["seconds"] > 0 and row["peak_mb"] >= 0 and 0 < row["max_error"] < 1e-5
    steps = figures["step"]
    assert list(steps) == ["trl_padded", "sorted_padded", "packed", "shared"]
    assert all(row["tokens_per_s"] > 0 for row in steps.values())
    norms = [row["gradient"] for row in steps.values()]
    assert max(norms) - min(norms) < AGREE * max(norms), "all layouts compute one gradient"
    computed = [row["computed_tokens"] for row in steps.values()]
    assert computed == sorted(computed, reverse=True) and computed[2] < computed[1]
    assert "| ours |" in capsys.readouterr().out


def test_an_error_is_seen() -> None:
    def wrong(hidden, weight, token_ids, entropy_grad):  # type: ignore[no-untyped-def]
        return VARIANTS["ours"](hidden, weight * (1 + 1e-3), token_ids, entropy_grad)

    problem = HeadProblem(8, 16, 64, "cpu", entropy_grad=True)
    assert max_error(wrong, problem) > 100 * max_error(VARIANTS["ours"], problem)


def test_lengths_are_like_real_ones() -> None:
    samples = draw_samples(prompts=200, group=8, prompt_mean=150, completion_mean=200, vocabulary=10)
    lengths = [len(sample.completion_ids) for sample in samples]
    mean = sum(lengths) / len(lengths)
    assert 180 < mean < 205 and 780 <= max(lengths) <= 800 and len({s.prompt_ids for s in samples}) == 200
