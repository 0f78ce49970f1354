"""Ranks that meet in a real store: in starts that torchrun began at different times, and where one of them refuses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from torch.distributed import Store, TCPStore

from grpo.distributed import meeting
from grpo.distributed.meeting import RankFailed, RankLost, meet_in
from grpo.distributed.place import RankPlace
from grpo.errors import BadInput, GrpoError, HostFailed
from torchruns import two_torchruns

LIMIT_S = 20.0


class Meetings:
    """Ranks in threads, each with a connection of its own to one store."""

    def __init__(self) -> None:
        self._host = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=5))
        self._threads = ThreadPoolExecutor(8)
        self.said: list[str] = []

    def come(
        self, rank: int, *, size: int = 2, limit_s: float = LIMIT_S, problem: Exception | None = None
    ) -> Future[Store]:
        """What a process of a rank gets."""
        store = TCPStore("127.0.0.1", self._host.port, is_master=False, timeout=timedelta(seconds=5))
        place = RankPlace(rank, size, rank)
        return self._threads.submit(
            meet_in, store, place, limit_s=limit_s, problem=problem, say=lambda text: self.said.append(text)
        )


@pytest.fixture
def meetings() -> Meetings:
    return Meetings()


def meet_there(ranks: Sequence[Future[Store]]) -> None:
    """Check that what one writes the others read."""
    first, *others = (rank.result(LIMIT_S) for rank in ranks)
    first.set("seen", "by all")
    assert all(other.check(["seen"]) and other.get("seen") == b"by all" for other in others)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_ranks_meet_in_any_order(meetings: Meetings, order: tuple[int, ...]) -> None:
    ranks = {}
    for rank in order:
        ranks[rank] = meetings.come(rank, size=3)
        time.sleep(0.3)
    meet_there([ranks[rank] for rank in range(3)])


def test_a_rank_that_is_started_anew_waits_for_the_new_start_of_rank_zero(meetings: Meetings) -> None:
    meet_there([meetings.come(0), meetings.come(1)])
    late = meetings.come(1)  # the start of rank 0 that is over is still in the store
    time.sleep(0.5)
    assert not late.done()
    meet_there([meetings.come(0), late])


def test_a_rank_leaves_a_start_that_never_began(meetings: Meetings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "HEARD_S", 0.2)
    over = meetings.come(0, size=3, limit_s=0.2)
    assert isinstance(over.exception(LIMIT_S), RankLost)
    early = meetings.come(1, size=3)
    assert isinstance(early.exception(LIMIT_S), RankLost)  # it has read that nothing begins
    meet_there([meetings.come(rank, size=3) for rank in range(3)])


def test_a_rank_that_waits_in_a_start_goes_to_the_next_one(meetings: Meetings) -> None:
    meetings.come(0, size=3)  # its process is killed, and says nothing any more
    time.sleep(0.3)
    early = meetings.come(1, size=3)
    time.sleep(0.5)
    meet_there([meetings.come(0, size=3), early, meetings.come(2, size=3)])


def test_trainings_of_another_size_do_not_meet(meetings: Meetings) -> None:
    meet_there([meetings.come(rank, size=2) for rank in range(2)])
    fresh = meetings.come(2, size=3)
    time.sleep(0.5)
    assert not fresh.done()
    meet_there([*(meetings.come(rank, size=3) for rank in range(2)), fresh])


def test_what_rank_zero_refuses_ends_all_at_once(meetings: Meetings) -> None:
    began = time.monotonic()
    first = meetings.come(0, size=3, problem=BadInput("runs/one exists already"))
    others = [meetings.come(rank, size=3) for rank in (1, 2)]
    assert isinstance(first.exception(LIMIT_S), BadInput)
    for other in others:
        assert isinstance(error := other.exception(LIMIT_S), RankFailed) and str(error) == (
            "rank 0: runs/one exists already"
        )
        assert error.recurs
    assert time.monotonic() - began < LIMIT_S / 2


@pytest.mark.parametrize("kind", [BadInput, HostFailed])
def test_what_another_rank_refuses_ends_all_with_the_reason(meetings: Meetings, kind: type[GrpoError]) -> None:
    ranks = [meetings.come(0, size=3), meetings.come(1, size=3), meetings.come(2, size=3, problem=kind("1 GPU"))]
    errors = [rank.exception(LIMIT_S) for rank in ranks]
    assert [type(error) for error in errors] == [RankFailed, RankFailed, kind]
    assert [error.recurs for error in errors] == [kind is BadInput] * 3
    assert [str(error) for error in errors] == ["rank 2: 1 GPU", "rank 2: 1 GPU", "1 GPU"]


def test_rank_zero_says_whom_it_waits_for_and_names_those_in_the_end(
    meetings: Meetings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "NOTICE_S", 0.2)
    monkeypatch.setattr(meeting, "HEARD_S", 0.2)
    first, other = meetings.come(0, size=4, limit_s=1.0), meetings.come(2, size=4)
    for rank in (first, other):
        with pytest.raises(RankLost, match="rank 1, 3 of 4 ranks has not come within 1 s"):
            rank.result(LIMIT_S)
    assert meetings.said == ["ranks     rank 0 waits for rank 1, 3 of 4, at most 1 s"]


def test_a_rank_whose_rank_zero_never_comes_says_its_own_problem_too(meetings: Meetings) -> None:
    with pytest.raises(RankLost, match="rank 1 has waited 0 s for rank 0 to begin: .* It refuses, too: 1 GPU"):
        meetings.come(1, limit_s=0.2, problem=BadInput("1 GPU")).result(LIMIT_S)


PROGRAM = """
import os, sys
from pathlib import Path
from grpo.distributed.place import place_of
from grpo.distributed.team import Team

place, failed = place_of(), Path(sys.argv[1])
if place.rank and not failed.exists():
    failed.touch()
    sys.exit("fails once, before it meets rank 0")
team = Team(place, device="cpu", timeout_s=30)
counts = team.gather(os.environ["TORCHELASTIC_RESTART_COUNT"])
if team.leads:
    print("restarts", counts)
else:
    team.next_order()
team.close()
"""


@pytest.mark.slow
def test_ranks_of_two_torchruns_meet_though_one_has_restarted_more_often(tmp_path: Path) -> None:
    ended = two_torchruns(PROGRAM, tmp_path, ranks=(1, 1), limit_s=120)
    assert "restarts ['0', '1']" in ended[0][1], ended
    assert [code for code, _ in ended] == [0, 0], ended
