"""Checkpoints of ranks that do not see the same files: none is taken for whole, and all ranks go on."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.places import STATE, checkpoint_path, find_checkpoints
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.distributed import moments
from grpo.distributed.following import follow, orders_of
from grpo.distributed.moments import shards_of, wait_for_shards
from grpo.distributed.team import Team
from grpo.distributed.updater import SharedUpdater
from grpo.errors import HostFailed
from rank_cases import Case, batch, make_updater
from rank_processes import on_ranks

OWN = Path("own")  # a folder of which each rank has one of its own
SHARD = "shard-0000{}-model-00001-of-00001.safetensors"


def conduct(team: Team, root: Path) -> list[str]:
    """What a rank is told of harmed checkpoints: rank 0 by errors, the other for its log. A whole one stays in root."""
    (root / str(team.place.rank)).mkdir()
    os.chdir(root / str(team.place.rank))
    moments.SEEN_S = 0.5
    updater, said = make_updater(Case(), team), []
    assert isinstance(updater, SharedUpdater)
    if not team.leads:
        follow(team, lambda: orders_of(updater), say=said.append)
        return said
    updater.update(batch(1))
    snapshot = take_snapshot(updater, step=1, progress={}, texts={})
    whole = write_checkpoint(root, snapshot)
    shutil.copytree(whole, checkpoint_path(OWN, 2))
    (root / "taken" / SHARD.format(2)).mkdir(parents=True)
    tries: list[Callable[[], object]] = [
        lambda: updater.write_moments(root / "taken"),
        lambda: write_checkpoint(OWN, snapshot),
        lambda: load_trainer_state(checkpoint_path(OWN, 2), updater),
        lambda: load_trainer_state(whole, updater),
    ]
    for harmed in tries:
        try:
            harmed()
            said.append("nothing")
        except (OSError, HostFailed) as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def said(root: Path) -> list[list[str]]:
    """What two ranks were told."""
    return on_ranks(2, conduct, root, ordered=False)


def test_a_disk_that_refuses_one_rank_ends_no_rank(said: list[list[str]]) -> None:
    assert said[0][0].startswith("OSError: rank 1: ") and said[1][0].startswith("write_moments: rank 1: ")
    assert said[0][-1] == "nothing"  # both ranks made the last order


def test_a_checkpoint_whose_shards_rank_zero_does_not_see_is_none(said: list[list[str]], root: Path) -> None:
    assert f"OSError: rank 0 does not see {SHARD.format(2)} of rank 1 in" in said[0][1]
    assert said[1][1].startswith("write_moments: rank 0: rank 0 does not see")
    assert list(find_checkpoints(root / "0" / OWN)) == [2]  # the copy that was there


def test_a_state_that_one_rank_cannot_read_is_loaded_by_none(said: list[list[str]]) -> None:
    assert said[0][2].startswith(f"RankFailed: rank 1: {checkpoint_path(OWN, 2) / STATE} cannot be read")
    assert said[1][2:] == [f"load_trainer_state: {said[0][2].removeprefix('RankFailed: rank 1: ')}"]


@pytest.mark.parametrize("number", [1, 2])
def test_moments_without_the_file_of_a_rank_are_refused(
    said: list[list[str]], root: Path, tmp_path: Path, number: int
) -> None:
    """As where the checksums do not list it."""
    harmed = Path(shutil.copytree(checkpoint_path(root, 1), tmp_path / "harmed"))
    load_trainer_state(harmed, make_updater(Case(), None))
    (harmed / STATE / SHARD.format(number)).unlink()
    with pytest.raises(CheckpointError, match="the file of a rank is missing"):
        load_trainer_state(harmed, make_updater(Case(), None))


def test_rank_zero_waits_until_a_late_file_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "SEEN_S", 20.0)
    file = tmp_path / SHARD.format(2)
    file.write_bytes(b"half")

    def arrive() -> None:
        time.sleep(0.3)
        file.write_bytes(b"half and half")

    thread = threading.Thread(target=arrive)
    thread.start()
    wait_for_shards(tmp_path, [{}, {file.name: 13}])
    assert shards_of(tmp_path, 1) == {file.name: 13} and shards_of(tmp_path, 0) == {}
    thread.join()
