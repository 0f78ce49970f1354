"""The ways to a Ray that runs, `auto` and Ray's client, and what an autoscaler makes of what is asked for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from programs import GOOD, LIMITS, in_test
from sandbox import Outcome
from sandbox.cluster.ray_pool import RayPool

pytest.importorskip("ray", reason="ray is not installed: it is in the extra `ray`")
pytestmark = [pytest.mark.slow, pytest.mark.alone]
RAY = str(Path(sys.executable).with_name("ray"))
ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def head(log: Path, *words: str, **environment: str) -> Iterator[int]:
    """A Ray which was started as one is on a machine of its own; the port of its clients' server."""
    port, client = free_port(), free_port()
    common = ["start", "--head", "--block", "--include-dashboard=false", "--object-store-memory=83886080"]
    with log.open("wb") as output:
        started = subprocess.Popen(
            [RAY, *common, f"--port={port}", f"--ray-client-server-port={client}", *words],
            env={**ENVIRONMENT, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        eventually(lambda: answers(client) or started.poll() is not None)
        assert started.poll() is None, log.read_text()
        yield client
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(60)


@pytest.mark.parametrize("way", ["auto", "ray://127.0.0.1:{}"])
def test_programs_are_graded_by_every_way_to_a_cluster(tmp_path: Path, way: str) -> None:
    with head(tmp_path / "ray.log", "--num-cpus=1") as client, RayPool(way.format(client), limits=LIMITS) as pool:
        good, bad = pool.submit(GOOD), pool.submit(in_test("assert_eq!(add(1, 2), 4);"))
        assert (good.result(120).outcome, bad.result(120).outcome) == (Outcome.PASSED, Outcome.TEST_FAILED)


@pytest.mark.parametrize("way", ["auto", "ray://127.0.0.1:{}"])
def test_an_autoscaler_starts_nodes_for_a_run_and_removes_them_afterwards(tmp_path: Path, way: str) -> None:
    """Its nodes are processes of this machine; the head has no CPU, so that nothing is graded before one is there."""
    from ray.cluster_utils import AutoscalingCluster

    workers = {"cpu": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 2}}
    made = AutoscalingCluster({"CPU": 0}, workers, idle_timeout_minutes=0.05)
    config = tmp_path / "autoscaling.json"
    config.write_text(json.dumps(made._config))
    quick = {"AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_FAKE_CLUSTER": "1"}
    words = ("--num-cpus=0", f"--autoscaling-config={config}")
    with head(tmp_path / "ray.log", *words, **quick) as client:
        with RayPool(way.format(client), limits=LIMITS) as pool:
            found = [pool.submit(in_test(f"assert_eq!(add(1, {number}), {number + 1});")) for number in range(40)]
            assert {one.result(300).outcome for one in found} == {Outcome.PASSED}
            eventually(lambda: pool.num_nodes == 2, 120)
        eventually(lambda: nodes_of(client) == 1, 120)


def nodes_of(client: int) -> int:
    """How many nodes a cluster has, the head with them."""
    program = (
        f"import ray; ray.init('ray://127.0.0.1:{client}', log_to_driver=False)\n"
        "print(sum(node['Alive'] for node in ray.nodes()))"
    )
    said = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return int(said.stdout)
