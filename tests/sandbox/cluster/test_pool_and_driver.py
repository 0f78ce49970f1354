"""The pool's side: one result for each task whatever its driver does, said by a driver that is written by hand."""

from __future__ import annotations

import importlib.util
import os
import queue
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from ray_nodes import FIRST
from sandbox import ClusterError, Limits, Outcome, PoolClosed, Verdict
from sandbox.cluster import ray_pool
from sandbox.cluster.driver_process import DriverProcess
from sandbox.cluster.messages import Cancel, Close, Connected, Done, Failed, NodeSettings, Opening, RunTask, Standing
from sandbox.cluster.ray_pool import RayPool
from sandbox.storage import code_hash

PASSED = Verdict(Outcome.PASSED)
OPENING = Opening("", NodeSettings(1, Limits(), "batch", "auto", 0), "c0de", None)
ENDS = object()
WELL = (Connected("here:1"), Standing(FIRST, 1, 2, 0.0))


class HandDriver:
    """A driver that says what a test has it say."""

    made: list[HandDriver] = []
    greeting: tuple[Any, ...] = WELL

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.sent: list[Any] = []
        self.says: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.made.append(self)
        for said in self.greeting:
            self.says.put(said)

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def messages(self) -> Iterator[Any]:
        while True:
            try:
                said = self.says.get(timeout=0.02)
            except queue.Empty:
                said = None
            if said is ENDS:
                return
            yield said

    def close(self, patience_s: float = 0.0) -> None:
        self.send(Close())
        self.says.put(ENDS)

    def end(self) -> str:
        self.close()
        return "killed"

    def tasks(self) -> dict[str, int]:
        """The numbers of the programs that it was sent."""
        return {message.task.source: message.number for message in self.sent if isinstance(message, RunTask)}


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Ray, no process, and no long pause."""
    monkeypatch.setattr(ray_pool, "DriverProcess", HandDriver)
    monkeypatch.setattr(ray_pool, "check_address", lambda address: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(ray_pool, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(HandDriver, "made", [])


@pytest.fixture
def pool() -> Iterator[RayPool]:
    with RayPool("here:1") as pool:
        yield pool


def eventually(holds: Callable[[], Any]) -> None:
    until = time.monotonic() + 10.0
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def result(future: Future[Verdict]) -> Verdict:
    return future.result(timeout=10)


def test_a_result_goes_to_its_task_and_is_kept(pool: RayPool) -> None:
    [driver] = HandDriver.made
    first, second = pool.submit("one"), pool.submit("two")
    assert pool.submit("one") is first and len(driver.sent) == 2 and pool.unfinished == 2
    driver.says.put(Done(driver.tasks()["two"], Verdict(Outcome.BUILD_ERROR)))
    driver.says.put(Done(driver.tasks()["one"], PASSED))
    assert (result(first), result(second).outcome) == (PASSED, Outcome.BUILD_ERROR)
    assert pool.submit("one").done() and len(driver.sent) == 2 and pool.unfinished == 0
    assert (pool.jobs, pool.num_nodes, pool.backend, pool.url) == (2, 1, "batch", "Ray here:1")


def test_nodes_are_asked_for_the_code_and_the_limits_that_verdicts_are_kept_under() -> None:
    with RayPool("here:1", limits=Limits(memory_mb=512)) as pool:
        [driver] = HandDriver.made
        assert driver.opening.code == code_hash()
        assert driver.opening.settings.limits == pool.limits == Limits(memory_mb=512) != FIRST.limits


def test_the_first_of_two_results_counts(pool: RayPool) -> None:
    [driver] = HandDriver.made
    future = pool.submit("one")
    for found in (PASSED, Verdict(Outcome.TEST_FAILED)):
        driver.says.put(Done(driver.tasks()["one"], found))
    driver.says.put(Done(12_345, PASSED))
    assert result(future) == PASSED and pool.submit("one").result() == PASSED


def test_a_failure_of_the_host_is_not_kept(pool: RayPool) -> None:
    [driver] = HandDriver.made
    future = pool.submit("one")
    driver.says.put(Done(driver.tasks()["one"], Verdict(Outcome.HOST_ERROR, reason="no disk")))
    assert result(future).outcome is Outcome.HOST_ERROR
    assert not pool.submit("one").done()


def test_what_a_lost_driver_had_is_sent_to_the_next_one(pool: RayPool) -> None:
    first = HandDriver.made[0]
    futures = {source: pool.submit(source) for source in ("one", "two", "three")}
    first.says.put(Standing(FIRST, 1, 2, 5.0))
    first.says.put(Done(first.tasks()["two"], PASSED))
    first.says.put(ENDS)
    eventually(lambda: len(HandDriver.made) == 2 and len(HandDriver.made[1].tasks()) == 2)
    second = HandDriver.made[1]
    assert second.tasks().keys() == {"one", "three"} and second.opening.first == FIRST
    for number in second.tasks().values():
        second.says.put(Done(number, PASSED))
    second.says.put(Standing(FIRST, 1, 2, 1.5))
    assert all(result(future) == PASSED for future in futures.values())
    eventually(lambda: pool.busy_s == 6.5)


def test_a_driver_that_cannot_be_started_is_tried_again(pool: RayPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full for a while, or there is no room for a process."""
    refusals = iter(range(3))

    def start(opening: Opening) -> HandDriver:
        if next(refusals, None) is not None:
            raise OSError(28, "No space left on device")
        return HandDriver(opening)

    monkeypatch.setattr(ray_pool, "DriverProcess", start)
    future = pool.submit("one")
    HandDriver.made[0].says.put(ENDS)
    eventually(lambda: len(HandDriver.made) == 2 and HandDriver.made[1].tasks())
    HandDriver.made[1].says.put(Done(HandDriver.made[1].tasks()["one"], PASSED))
    assert result(future) == PASSED and next(refusals, None) is None


def test_a_driver_that_cannot_be_started_at_first_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(opening: Opening) -> HandDriver:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ray_pool, "DriverProcess", start)
    with pytest.raises(ClusterError, match="could not be started: .*No space left"):
        RayPool("here:1")


def test_a_cancelled_task_gets_what_its_node_says_of_it(pool: RayPool) -> None:
    [driver] = HandDriver.made
    future = pool.submit("one")
    pool.cancel(future, "too late")
    pool.cancel(future, "twice")
    number = driver.tasks()["one"]
    assert driver.sent[1:] == [Cancel(number, "too late")]
    again = pool.submit("one")
    assert again is not future, "whoever asks again is not told what was cancelled"
    driver.says.put(Done(number, Verdict(Outcome.TIMEOUT, reason="too late")))
    assert result(future).outcome is Outcome.TIMEOUT and not again.done()


def test_a_cancelled_task_waits_for_its_node_no_longer_than_some_seconds(
    pool: RayPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "CANCEL_S", 0.1)
    kept, given_up = pool.submit("one"), pool.submit("two")
    pool.cancel(given_up, "too late")
    assert result(given_up).reason == "too late; its node did not say how far it came"
    assert not kept.done() and pool.unfinished == 1


def test_what_was_cancelled_is_not_run_again_after_a_loss(pool: RayPool) -> None:
    future = pool.submit("one")
    pool.cancel(future, "too late")
    HandDriver.made[0].says.put(ENDS)
    assert result(future).outcome is Outcome.HOST_ERROR
    eventually(lambda: len(HandDriver.made) == 2)
    assert HandDriver.made[1].tasks() == {}


def test_closing_cancels_and_refuses() -> None:
    with RayPool() as pool:
        future = pool.submit("one")
    with pytest.raises(CancelledError):
        future.result()
    with pytest.raises(PoolClosed):
        pool.submit("one")
    assert isinstance(HandDriver.made[0].sent[-1], Close)


def test_a_driver_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HandDriver, "greeting", (Failed("nothing answers"), ENDS))
    with pytest.raises(ClusterError, match="^nothing answers$"):
        RayPool("here:1")
    monkeypatch.setattr(HandDriver, "greeting", (ENDS,))
    with pytest.raises(ClusterError, match="the driver of Ray ended: killed"):
        RayPool("here:1")


def test_a_driver_that_is_not_started_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    before, failures = len(os.listdir("/proc/self/fd")), []
    for _ in range(3):
        with pytest.raises(FileNotFoundError) as failure:
            DriverProcess(OPENING)
        failures.append(failure)  # with it the driver that was not made is kept
    assert list(tmp_path.iterdir()) == [] and len(os.listdir("/proc/self/fd")) == before


def test_a_driver_that_ended_leaves_its_last_words_and_nothing_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ends = tmp_path / "ends"
    ends.write_text("#!/bin/sh\necho no room\n")
    ends.chmod(0o755)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(ends))
    before = len(os.listdir("/proc/self/fd"))
    driver = DriverProcess(OPENING)
    assert [said for said in driver.messages() if said is not None] == []
    assert driver.end() == "no room"
    assert list(tmp_path.iterdir()) == [ends] and len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("of", "closed"), [("the driver itself", 1), ("Ray, which is gone", 0)])
def test_the_pools_of_nodes_are_closed_whatever_ends_the_driver_but_the_end_of_ray(
    of: str, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from sandbox.cluster import driver as drivers

    class HandNodes:
        closed = 0

        def __init__(self, *_: object, **__: object) -> None: ...

        def close(self) -> None:
            HandNodes.closed += 1

    def fails() -> None:
        raise RuntimeError(f"an error of {of}")

    monkeypatch.setattr(drivers, "Nodes", HandNodes)
    monkeypatch.setattr(drivers.ray, "nodes", fails if "Ray" in of else lambda: time.sleep(60))
    ours, theirs = Pipe()
    with ours, theirs:
        driver = drivers.Driver(theirs, OPENING)
        if "Ray" not in of:
            driver._events.put(fails)
        with pytest.raises(RuntimeError, match=of):
            driver.run()
    assert HandNodes.closed == closed


def test_what_is_no_ray_and_what_has_no_node_is_said_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_pool, "CONNECT_S", 0.1)
    monkeypatch.setattr(ray_pool, "NODE_S", 0.1)
    monkeypatch.setattr(HandDriver, "greeting", ())
    with pytest.raises(ClusterError, match="Ray at here:1 did not answer within 0.1 s"):
        RayPool("here:1")
    monkeypatch.setattr(HandDriver, "greeting", WELL[:1])
    with pytest.raises(ClusterError, match="no node of Ray at here:1 could grade within 0.1 s"):
        RayPool("here:1")


def test_an_address_where_nobody_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(ClusterError, match=r"nothing answers at 127.0.0.1:1 \(.*refused\): start Ray there, or give"):
        RayPool("127.0.0.1:1")
    for address in ("elsewhere", "http://here:1", "here:port", "ray://here"):
        with pytest.raises(ClusterError, match=f"'{address}' is no address of Ray"):
            RayPool(address)
    assert HandDriver.made == []


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r'pip install "grpo-rust\[ray\]"'):
        RayPool()


def test_bad_questions_are_refused_as_by_a_local_pool(pool: RayPool) -> None:
    with pytest.raises(ValueError, match="phases are"):
        pool.submit("one", phases=("build", "none"))
    with pytest.raises(ValueError, match="the backend is 'direct'"):
        pool.submit("one", backend="direct")
