"""What torchrun tells a process: read without torch, and refused where a part of it is missing."""

import pytest

from grpo.distributed.place import RankPlace, place_of
from grpo.errors import BadInput

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
