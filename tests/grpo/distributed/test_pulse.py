"""Signs of life, and a request to stop, through a real store."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from torch.distributed import PrefixStore, TCPStore

from grpo.distributed.pulse import Pulse

FAST = {"every_s": 0.02, "patience_s": 0.3}


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def stores() -> tuple[PrefixStore, PrefixStore]:
    """That of rank 0, and another rank's."""
    host = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=5))
    other = TCPStore("127.0.0.1", host.port, is_master=False, wait_for_workers=False, timeout=timedelta(seconds=5))
    return PrefixStore("start-0", host), PrefixStore("start-0", other)


def test_a_rank_is_content_while_rank_zero_beats_and_lost_when_it_stops(stores) -> None:
    lost: list[str] = []
    first = Pulse(stores[0], rank=0, size=2, on_lost=print, **FAST)
    other = Pulse(stores[1], rank=1, size=2, on_lost=lost.append, **FAST)
    time.sleep(1.0)
    assert not lost
    first.close()
    eventually(lambda: bool(lost))
    assert lost[0].startswith("rank 0 has given no sign of life for ")
    other.close()


@pytest.mark.parametrize("number", [1, 2])
def test_rank_zero_hears_every_other_rank(stores, number: int) -> None:
    lost: list[str] = []
    first = Pulse(stores[0], rank=0, size=3, on_lost=lost.append, **FAST)
    others = [Pulse(stores[1], rank=rank, size=3, on_lost=print, **FAST) for rank in (1, 2)]
    time.sleep(1.0)
    assert not lost
    others.pop(number - 1).close()
    eventually(lambda: bool(lost))
    assert lost[0].startswith(f"rank {number} has given no sign of life for ") and lost[0].endswith(": rank 0 ends")
    for one in (first, *others):
        one.close()


def test_rank_zero_that_never_begins_is_lost_as_well(stores) -> None:
    lost: list[str] = []
    pulse = Pulse(stores[1], rank=1, size=2, on_lost=lost.append, **FAST)
    eventually(lambda: bool(lost))
    pulse.close()


class Silent:
    """A store whose machine is gone without a word: a call never comes back."""

    def set(self, key: str, value: str) -> None:
        time.sleep(3600)

    def check(self, keys: list[str]) -> bool:
        time.sleep(3600)
        return False


def test_a_store_that_never_answers_is_silence_too() -> None:
    lost: list[str] = []
    pulse = Pulse(Silent(), rank=1, size=2, on_lost=lost.append, **FAST)  # type: ignore[arg-type]
    eventually(lambda: bool(lost))
    pulse.close()


def test_rank_zero_learns_that_another_one_is_asked_to_stop(stores) -> None:
    first, other = Pulse(stores[0], rank=0, size=2, on_lost=print, **FAST), Pulse(
        stores[1], rank=1, size=2, on_lost=print, **FAST
    )
    time.sleep(0.1)
    assert not first.stop_asked
    other.ask_to_stop()
    eventually(lambda: first.stop_asked)
    for one in (first, other):
        one.close()


def test_a_pulse_that_is_closed_calls_nobody(stores) -> None:
    lost: list[str] = []
    Pulse(stores[1], rank=1, size=2, on_lost=lost.append, **FAST).close()
    time.sleep(0.5)
    assert not lost
