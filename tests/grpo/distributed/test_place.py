"""What torchrun tells a process: read without torch, and refused where a part of it is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grpo.distributed.place import RankPlace, place_of
from grpo.errors import BadInput

ROOT = Path(__file__).resolve().parents[3]
SET = {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_a_process_that_torchrun_started_knows_its_place() -> None:
    assert place_of(SET) == RankPlace(rank=3, size=4, local_rank=1)


@pytest.mark.parametrize("environment", [{}, {"WORLD_SIZE": "1"}, SET | {"WORLD_SIZE": "1"}])
def test_one_process_is_no_rank(environment: dict[str, str]) -> None:
    assert place_of(environment) is None


def test_several_ranks_without_a_master_are_refused() -> None:
    with pytest.raises(BadInput, match=r"WORLD_SIZE is 2, but RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT is not set"):
        place_of({"WORLD_SIZE": "2"})


@pytest.mark.parametrize("wrong", [{"WORLD_SIZE": "two"}, {"RANK": "x"}, {"RANK": "4"}, {"LOCAL_RANK": "-1"}])
def test_a_place_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        place_of(SET | wrong)


def test_a_child_that_is_no_rank_has_nothing_of_torchruns(tmp_path: Path) -> None:
    """Of a real torchrun: what its process has, and its child has not, beside what is there without torchrun."""
    program = tmp_path / "program.py"
    program.write_text(
        "import json, os\n"
        "from grpo.distributed.place import outside_ranks, without_place\n"
        "found = dict(os.environ)\n"
        "if not (pid := os.fork()):\n"
        "    assert outside_ranks(lambda: dict(os.environ)) == without_place(found)\n"
        "    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "print(json.dumps([sorted(found), sorted(without_place(found))]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "1"]
    done = subprocess.run([*launcher, str(program)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found, left = json.loads(done.stdout)
    assert {"RANK", "ROLE_NAME", "TORCHELASTIC_USE_AGENT_STORE"} < set(found)
    theirs = {name for name in set(left) - set(environment) if not name.startswith("TORCH_NCCL")}
    assert theirs <= {"LC_CTYPE"}, theirs  # of Python itself
