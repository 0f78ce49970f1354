"""A program that only waits is stopped after `idle_s`, whatever else the machine does; one that sleeps less is not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox.grading.backends import BACKENDS
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.isolation.process_tree import LONGEST_STEP_S, IdleTime, cpu_seconds
from sandbox.limits import Limits
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

SPIN = ["sh", "-c", "while :; do :; done"]
DEADLOCKS = {
    "a lock taken twice": "let lock = std::sync::Mutex::new(1); let held = lock.lock().unwrap();"
    " assert_eq!(*held, *lock.lock().unwrap());",
    "a channel whose sender lives": "let (to, from) = std::sync::mpsc::channel::<i32>();"
    " assert_eq!(from.recv(), Ok(3)); drop(to);",
    "a thread that is parked": "std::thread::spawn(std::thread::park).join().unwrap(); assert_eq!(add(1, 2), 3);",
}


def sleep(milliseconds: int) -> str:
    return in_test(f"std::thread::sleep(std::time::Duration::from_millis({milliseconds})); assert_eq!(add(1, 2), 3);")


@contextmanager
def started(command: list[str]) -> Iterator[int]:
    """A process, which is killed at the end."""
    with subprocess.Popen(command) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def idle_after(pid: int, seconds: float) -> float:
    """The idle time of a process after some looks; the first look sees what starting it cost."""
    idle = IdleTime(time.monotonic())
    time.sleep(0.3)
    idle.look([pid], cpu_seconds([pid]), time.monotonic())
    idle.interrupt()
    found = 0.0
    for _ in range(5):
        time.sleep(seconds / 5)
        found = idle.look([pid], cpu_seconds([pid]), time.monotonic())
    return found


def test_a_process_that_sleeps_or_is_stopped_is_idle() -> None:
    with started(["sleep", "60"]) as pid:
        assert 0.9 < idle_after(pid, 1.0) < 1.5
        os.kill(pid, signal.SIGSTOP)
        assert 0.9 < idle_after(pid, 1.0) < 1.5


def test_a_process_that_runs_is_not_idle() -> None:
    with started(SPIN) as pid:
        assert idle_after(pid, 0.5) == 0.0


def test_a_process_that_gets_no_processor_is_not_idle() -> None:
    processor = min(os.sched_getaffinity(0))
    with started(SPIN) as hog, started(SPIN) as starved:
        for pid in (hog, starved):
            os.sched_setaffinity(pid, {processor})
        os.sched_setscheduler(starved, os.SCHED_IDLE, os.sched_param(0))
        assert idle_after(starved, 1.0) == 0.0


def test_a_pause_of_the_whole_machine_counts_little() -> None:
    with started(["sleep", "60"]) as pid:
        time.sleep(0.2)
        idle = IdleTime(0.0)
        idle.look([pid], cpu_seconds([pid]), 0.5)
        assert idle.look([pid], cpu_seconds([pid]), 1000.0) <= 0.5 + LONGEST_STEP_S


@pytest.mark.parametrize(
    "backend", [pytest.param(name, marks=() if name == "direct" else pytest.mark.slow) for name in BACKENDS]
)
def test_a_test_may_sleep_for_less_than_the_limit(backend: str, isolation: Isolation, workdir: Path) -> None:
    assert grade(sleep(2200), isolation, Limits(idle_s=3), workdir, backend=backend).outcome is Outcome.PASSED
    verdict = grade(sleep(60_000), isolation, Limits(idle_s=1), workdir, backend=backend)
    assert (verdict.outcome, verdict.build, verdict.clippy, verdict.test) == (Outcome.TIMEOUT, True, True, False)
    assert verdict.reason.startswith("test: no thread did anything for 1 s (sandbox.idle_s): it waits for something")


@pytest.mark.parametrize("name", DEADLOCKS)
def test_a_deadlock_ends_at_once(name: str, isolation: Isolation, workdir: Path) -> None:
    verdict = grade(in_test(DEADLOCKS[name]), isolation, Limits(idle_s=40, wall_s=40), workdir, backend="direct")
    assert verdict.outcome is Outcome.TIMEOUT
    assert verdict.reason == "test: every thread waits for another one (a deadlock)"


WAITS = {
    "a limit of time": "let (_to, from) = std::sync::mpsc::channel::<i32>();"
    " assert!(from.recv_timeout(std::time::Duration::from_millis(2500)).is_err());",
    "a thread that sleeps": "let some = std::time::Duration::from_millis(2500);"
    " std::thread::spawn(move || std::thread::sleep(some)).join().unwrap();",
    "a thread that works": "let worker = std::thread::spawn(|| { let start = std::time::Instant::now();"
    " while start.elapsed().as_millis() < 2500 {} }); worker.join().unwrap();",
    "threads that take turns": "use std::sync::mpsc::channel; let (ping, there) = channel();"
    " let (pong, back) = channel();"
    " let other = std::thread::spawn(move || for n in there { pong.send(n + 1).unwrap(); });"
    " let start = std::time::Instant::now(); let mut n = 0;"
    " while start.elapsed().as_millis() < 2500 { ping.send(n).unwrap(); n = back.recv().unwrap(); }"
    " drop(ping); other.join().unwrap();",
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_that_ends_is_no_deadlock(name: str, isolation: Isolation, workdir: Path) -> None:
    source = in_test(f"{WAITS[name]} assert_eq!(add(1, 2), 3);")
    verdict = grade(source, isolation, Limits(wall_s=40), workdir, backend="direct")
    assert (verdict.test, verdict.reason) == (True, ""), verdict.test_output


@pytest.mark.slow
def test_deadlocks_cost_no_honest_program_its_verdict() -> None:
    sources = [GOOD.replace("add(2, 2), 4", f"add({n}, 2), {n + 2}") for n in range(13)]
    sources[2:2] = [in_test(body) for body in DEADLOCKS.values()]
    with SandboxPool(2, Limits(wall_s=8)) as pool:
        deadline = time.monotonic() + 20
        futures = [pool.submit(source) for source in sources]
        verdicts = [future.result(timeout=deadline - time.monotonic()) for future in futures]
        pool.submit(sources[2])
        assert pool.unfinished == 1, "a verdict that may depend on a race of threads is not kept"
    stopped = verdicts[2:5]
    assert all("(a deadlock)" in v.reason and v.outcome is Outcome.TIMEOUT for v in stopped), stopped
    assert [v.outcome for v in verdicts[:2] + verdicts[5:]] == [Outcome.PASSED] * 13
