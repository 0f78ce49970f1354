"""Checkpoints of several ranks: ordinary directories that another number of ranks goes on from."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.places import checkpoint_path
from rank_cases import CASES, Case, checkpoint_case
from rank_processes import on_ranks

CASE = Case()


def alone(case: Case, root: Path, before: Path | None, step: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    return checkpoint_case(None, case, root, before, step)


def equal(one: Path, other: Path) -> bool:
    """Whether the weights of two checkpoints are equal up to the order of sums."""
    found, wanted = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    assert found.keys() == wanted.keys()
    return all(torch.allclose(found[name], wanted[name], rtol=0, atol=1e-4) for name in wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [pytest.param(CASE, id="all weights"), pytest.param(CASES["lora"], id="lora", marks=pytest.mark.long)],
)
def test_two_ranks_then_one_then_four_are_one_throughout(tmp_path: Path, case: Case) -> None:
    wanted, found = tmp_path / "wanted", tmp_path / "found"
    at = [checkpoint_path(found, step) for step in (1, 2, 3)]
    expected = [alone(case, wanted, checkpoint_path(wanted, k) if k else None, k + 1) for k in range(3)]
    lines = [
        on_ranks(2, checkpoint_case, case, found, None, 1)[0],
        alone(case, found, at[0], 2),
        on_ranks(4, checkpoint_case, case, found, at[1], 3)[0],
    ]
    for line, other in zip(lines, expected, strict=True):
        assert all(math.isclose(line[key], other[key], rel_tol=1e-5, abs_tol=1e-5) for key in other)
    for step, path in enumerate(at, start=1):
        assert find_damage(path) == ""
        assert equal(path, checkpoint_path(wanted, step))
    names = sorted(file.name for file in (at[2] / "trainer_state").glob("*.safetensors"))
    assert names == [f"shard-0000{rank}-model-00001-of-00001.safetensors" for rank in (1, 2, 3, 4)]
