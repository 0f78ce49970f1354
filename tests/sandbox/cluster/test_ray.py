"""A real Ray on this machine: nodes that are killed, join, differ and hold hostile programs; and what is no Ray."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from hostile import Attack, Host
from programs import GOOD, LIMITS, in_test
from ray_nodes import Nodes, ray_nodes
from sandbox import ClusterError, Outcome, SandboxPool
from sandbox.answers.calls import Call, Calls
from sandbox.cluster.ray_pool import RayPool

pytest.importorskip("ray", reason="ray is not installed: it is in the extra `ray`")
pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes(1, 1) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def on_ray(nodes: Nodes) -> Iterator[RayPool]:
    with RayPool(nodes.address, limits=LIMITS) as pool:
        eventually(lambda: pool.num_nodes == 2)
        yield pool
        eventually(lambda: pool.unfinished == 0)


def eventually(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def result(future: Future[Any]) -> Any:
    return future.result(timeout=60)


def fields(found: Any) -> dict[str, Any]:
    """All that a result says but times, memory and the numbers of threads."""
    record = found.to_json()
    for name in ("ms", "cpu_ms", "peak_memory_mb"):
        record.pop(name, None)
    output = re.sub(r"finished in [\d.]+s", "finished", record.get("test_output", ""))
    return {**record, "test_output": re.sub(r"(thread '[^']*') \(\d+\)", r"\1", output)}


def sleeps(name: str) -> str:
    """A program that passes after a while."""
    return in_test(f"std::thread::sleep(std::time::Duration::from_millis(1500)); // {name}")


def programs(count: int) -> list[str]:
    """Different programs that pass, fail, do not compile and have no tests."""
    kinds = (GOOD, in_test("assert_eq!(add(1, 2), 4);"), "fn f() -> u8 { 300 }", "fn f() {}", GOOD.replace("+", "-"))
    return [f"// {number}\n{kinds[number % len(kinds)]}" for number in range(count)]


# Equal to one machine


def test_every_program_has_the_verdict_of_a_local_pool(on_ray: RayPool) -> None:
    sources = programs(50)
    futures = [on_ray.submit(source) for source in sources]
    found = [result(future) for future in futures]
    with SandboxPool(jobs=2, limits=LIMITS) as local:
        expected = [future.result() for future in [local.submit(source) for source in sources]]
        assert on_ray.toolchain == local.toolchain and str(on_ray.isolation) == str(local.isolation)
    assert [fields(one) for one in found] == [fields(one) for one in expected]
    assert (on_ray.jobs, on_ray.backend, on_ray.limits) == (2, "batch", LIMITS)
    eventually(lambda: on_ray.busy_s > 0)


def test_every_kind_of_task_travels(on_ray: RayPool) -> None:
    calls = Calls("fn add(a: i32, b: i32) -> i32 { a + b }", (Call("add(1, 2)"), Call("add(2, 2)")))
    assert result(on_ray.submit_calls(calls)).outcome is Outcome.PASSED
    assert result(on_ray.submit(GOOD, phases=("build",))).test is None
    assert result(on_ray.submit(GOOD, backend="cargo")).outcome is Outcome.PASSED


# Nodes that go and come


def test_the_programs_of_a_node_that_is_killed_are_graded_elsewhere(nodes: Nodes, on_ray: RayPool) -> None:
    third = nodes.add()
    eventually(lambda: on_ray.num_nodes == 3)
    futures = [on_ray.submit(sleeps(f"killed {number}")) for number in range(6)]
    time.sleep(0.7)
    nodes.kill(third)
    assert [result(future).outcome for future in futures] == ["passed"] * 6
    eventually(lambda: on_ray.num_nodes == 2)


def test_an_actor_that_is_killed_comes_back(on_ray: RayPool, caplog: pytest.LogCaptureFixture) -> None:
    eventually(lambda: len(actors()) == 2)  # those of nodes that were killed end some time after them
    futures = [on_ray.submit(sleeps(f"actor {number}")) for number in range(4)]
    time.sleep(0.7)
    [victim, _] = actors()
    os.kill(victim, signal.SIGKILL)
    assert [result(future).outcome for future in futures] == ["passed"] * 4
    eventually(lambda: on_ray.num_nodes == 2)
    assert "is lost" in caplog.text


def test_a_node_that_gives_less_is_left_out_by_name(
    nodes: Nodes, on_ray: RayPool, caplog: pytest.LogCaptureFixture
) -> None:
    driver = on_ray._driver
    assert driver is not None
    os.kill(driver.pid, signal.SIGSTOP)  # it looks for nodes only after the limit is there
    other = nodes.add()
    (raylet,) = (info.process for info in other.all_processes["raylet"])
    resource.prlimit(raylet.pid, resource.RLIMIT_CPU, (15, 15))  # what it starts from now on has no more either
    os.kill(driver.pid, signal.SIGCONT)
    eventually(lambda: "is left out: its programs get compile_cpu_s = 15 of" in caplog.text)
    assert "raise what ulimit -H says" in caplog.text
    assert on_ray.num_nodes == 2
    nodes.kill(other)


def actors() -> list[int]:
    """The processes with a pool, of all nodes."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "ray::NodePool" in line]


# Programs that are stopped, or hostile


def test_what_has_started_is_stopped_and_what_has_not_is_told_apart(on_ray: RayPool) -> None:
    futures = [on_ray.submit(sleeps(f"cancelled {number}")) for number in range(100)]
    assert not any(future.done() for future in futures)
    time.sleep(1.0)
    for future in futures:
        on_ray.cancel(future, "too late")
    outcomes = {result(future).outcome for future in futures}
    assert outcomes == {Outcome.TIMEOUT, Outcome.HOST_ERROR}
    assert result(on_ray.submit("fn afterwards() {}")).build


@pytest.mark.parametrize("name", ["run/reads_a_file", "run/kills_a_process", "exhaust/forks"])
def test_a_hostile_program_is_held_as_by_a_local_pool(name: str, on_ray: RayPool, host: Host) -> None:
    attack = Attack.read(name)
    verdict = result(on_ray.submit(attack.fill(host)))
    assert verdict.outcome in attack.protected.outcomes and attack.protected.text in str(verdict.to_json())
    assert on_ray.num_nodes == 2 and result(on_ray.submit(f"fn after_{name.replace('/', '_')}() {{}}")).build


@pytest.fixture
def host(on_ray: RayPool) -> Iterator[Host]:
    with Host(on_ray.isolation.program) as host:
        yield host


# A Ray of our own


def test_a_ray_of_our_own_ends_with_its_pool() -> None:
    with RayPool(jobs=1, limits=LIMITS) as pool:
        driver = pool._driver
        assert driver is not None and pool.url.startswith("Ray ")
        assert result(pool.submit(GOOD)).outcome is Outcome.PASSED
        os.kill(driver.pid, signal.SIGKILL)
        future = pool.submit(sleeps("of another driver"))
        assert result(future).outcome is Outcome.PASSED, "a new driver starts a new Ray"
        sessions = [driver.pid, pool._driver.pid if pool._driver else 0]
    # Ray's own watchman ends what a killed driver leaves: on idle cores within seconds, on busy ones within minutes.
    eventually(lambda: not any(in_session(session) for session in sessions), 240.0)


def in_session(session: int) -> list[str]:
    """What runs in a driver's session."""
    listed = subprocess.run(["ps", "-eo", "sid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(session)]


# What is no Ray


def test_something_that_is_no_ray_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cluster.ray_pool.CONNECT_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(ClusterError, match="Ray at 127.0.0.1:.* did not answer within 2 s"):
            RayPool(f"127.0.0.1:{server.getsockname()[1]}")
