"""Several ranks make the update of one process: loss, gradients, weights, metrics, also where a rank is idle."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from golden import TRACE
from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.places import checkpoint_path
from rank_cases import CASES, Case, checkpoint_case, measured, run_cases, trace
from rank_processes import on_ranks

TOLERANCE = 1e-6  # float32: sums in another order
GOLDEN = 1e-5  # the batch is cut in another way, and the head's sums are float32: one process, so cut, is 4e-6 off
ROUNDED = 1e-2  # bfloat16 has 8 bits
MOVED = 1e-4  # weights after three steps of 1e-3: Adam divides by a gradient's size, and rounding by rounding is any


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    torch.set_num_threads(1)
    return {name: measured(case) for name, case in CASES.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two ranks write a checkpoint."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="module")
def two(root: Path) -> list[dict[str, Any]]:
    return on_ranks(2, run_cases, list(CASES), root)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return on_ranks(4, run_cases, list(CASES), tmp_path_factory.mktemp("four"))


def far(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, relative to the largest number where that is above 1."""
    return float((found - expected).abs().max() / max(1.0, float(expected.abs().max())))


def compare(found: dict[str, Any], expected: dict[str, Any], tolerance: float = TOLERANCE) -> None:
    assert math.isclose(found["loss"], expected["loss"], rel_tol=tolerance, abs_tol=tolerance)
    assert found["gradients"].keys() == expected["gradients"].keys() and found["gradients"]
    for name, gradient in expected["gradients"].items():
        assert far(found["gradients"][name], gradient) < tolerance, name
    for line, wanted in zip(found["metrics"], expected["metrics"], strict=True):
        assert line.keys() == wanted.keys()
        near = {"rel_tol": 10 * tolerance, "abs_tol": 10 * tolerance}
        assert all(math.isclose(line[key], wanted[key], **near) for key in wanted), line
    assert far(found["penalties"], expected["penalties"]) < tolerance


@pytest.mark.parametrize("name", CASES)
def test_two_ranks_are_one(name: str, alone: dict[str, Any], two: list[dict[str, Any]]) -> None:
    for rank in two:
        compare(rank[name], alone[name], TOLERANCE if CASES[name].dtype == torch.float32 else ROUNDED)
    weights, wanted = two[0][name]["weights"], alone[name]["weights"]
    assert list(weights) == list(wanted) and not two[1][name]["weights"]
    assert max(far(weights[key].float(), wanted[key].float()) for key in wanted) < MOVED + ROUNDED * (
        CASES[name].dtype != torch.float32
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_four_ranks_are_one(name: str, alone: dict[str, Any], four: list[dict[str, Any]]) -> None:
    for rank in four:
        compare(rank[name], alone[name], TOLERANCE if CASES[name].dtype == torch.float32 else ROUNDED)


def test_gradients_of_other_weights_would_be_noticed(alone: dict[str, Any]) -> None:
    changed = alone["plain"] | {"gradients": {k: v + 2 * TOLERANCE for k, v in alone["plain"]["gradients"].items()}}
    with pytest.raises(AssertionError):
        compare(changed, alone["plain"])


def test_all_ranks_have_the_same_metrics_to_the_bit(two: list[dict[str, Any]]) -> None:
    assert all(two[0][name]["metrics"] == two[1][name]["metrics"] for name in CASES)


def test_a_step_that_one_rank_refuses_is_made_by_none(two: list[dict[str, Any]]) -> None:
    assert two[0]["refused"][0] == "True, no more steps" and two[1]["refused"][0] == "True, rank 0: no more steps"
    assert all(rank["refused"][1].startswith("True, update 0: the loss is nan") for rank in two)


def test_rank_0_holds_the_whole_model_once_in_the_dtype_of_what_it_gathers_for(two: list[dict[str, Any]]) -> None:
    handed, snapshot = two[0]["bytes"]
    assert 2 <= handed < 4, "bfloat16 and one weight in float32"
    assert 4 <= snapshot < 6, "float32, and no copy of it"


def test_every_rank_rehearses_a_whole_micro_batch(two: list[dict[str, Any]]) -> None:
    assert two[0]["rehearsed"] == two[1]["rehearsed"] == [28, 28]  # a prompt of 4 tokens, 9 + 3 + 12 of completions


def test_one_process_goes_on_from_the_checkpoint_of_two_ranks(two: Any, root: Path, tmp_path: Path) -> None:
    checkpoint_case(None, Case(), tmp_path, None, 1)
    theirs, ours = checkpoint_path(root, 1), checkpoint_path(tmp_path, 1)
    assert find_damage(theirs) == "" and not (theirs / "trainer_state" / "optimizer.safetensors").exists()
    found, wanted = (checkpoint_case(None, Case(), tmp_path / "next", path, 2) for path in (theirs, ours))
    assert all(math.isclose(found[key], wanted[key], rel_tol=1e-5, abs_tol=1e-5) for key in wanted)
    next((theirs / "trainer_state").glob("shard-00002-*")).unlink()
    assert "shard-00002-model-00001-of-00001.safetensors is missing" in find_damage(theirs)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.long), 4])
def test_ranks_make_the_golden_trace(ranks: int) -> None:
    expected = json.loads(TRACE.read_text())
    for found in on_ranks(ranks, trace):
        for line, wanted in zip(found, expected, strict=True):
            assert {
                k: v for k, v in line.items() if not math.isclose(v, wanted[k], rel_tol=GOLDEN, abs_tol=1e-12)
            } == {}
