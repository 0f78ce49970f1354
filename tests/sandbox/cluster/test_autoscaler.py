"""A cluster that grows while programs wait and shrinks afterwards, by Ray's own autoscaler, with nodes of processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from programs import LIMITS, in_test
from ray_nodes import STORE_BYTES
from sandbox import Outcome
from sandbox.cluster.ray_pool import RayPool

pytest.importorskip("ray", reason="ray is not installed: it is in the extra `ray`")
pytestmark = [pytest.mark.slow, pytest.mark.alone]
ROOT = Path(__file__).resolve().parents[3]
MOST = 2
NOT_USED = (
    "cluster_synced_files rsync_exclude rsync_filter initialization_commands setup_commands head_setup_commands "
    "worker_setup_commands head_start_ray_commands worker_start_ray_commands"
).split()


def config(port: int) -> dict[str, Any]:
    """A head that grades nothing, and up to two nodes with a CPU each, which go when they are idle for six seconds."""
    head, worker = "ray.head.default", {"CPU": 1, "object_store_memory": STORE_BYTES}
    provider = {"type": "fake_multinode", "gcs_address": f"127.0.0.1:{port}", "use_node_id_as_ip": True}
    return {
        **{"cluster_name": "one machine", "max_workers": MOST, "idle_timeout_minutes": 0.1, "upscaling_speed": 1.0},
        **{"provider": {**provider, "disable_node_updaters": True, "disable_launch_config_check": True}},
        "available_node_types": {
            head: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "grades": {"resources": worker, "node_config": {}, "min_workers": 0, "max_workers": MOST},
        },
        **{"head_node_type": head, "auth": {}, "docker": {}, "file_mounts": {}, "head_node": {}, "worker_nodes": {}},
        **{"file_mounts_sync_continuously": False, **dict.fromkeys(NOT_USED, [])},
    }


@pytest.fixture
def cluster() -> Iterator[tuple[str, Path]]:
    """Its address, and the folder by whose name its processes are known."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: Ray's sockets lie there
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (folder / "config.json").write_text(json.dumps(config(port)))
    program = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
    options = ["--num-cpus=0", f"--object-store-memory={STORE_BYTES}", "--include-dashboard=false", f"--port={port}"]
    asks = {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_TMPDIR": str(folder)}
    with (folder / "head.log").open("wb") as log:
        head = subprocess.Popen(
            [*program, *options, f"--autoscaling-config={folder / 'config.json'}"],
            env={**os.environ, **asks, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        eventually(lambda: listens(port), 120)
        yield f"127.0.0.1:{port}", folder
    finally:
        eventually(lambda: not end_all(str(folder)), 60)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def processes_with(text: str, name: str = "") -> list[int]:
    """Processes of this text and name in their command."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended just now
            words = file.read_bytes()
            if text.encode() in words and name.encode() in words.split(b"\0")[0]:
                found.append(int(file.parent.name))
    return found


def end_all(text: str) -> list[int]:
    """End the processes of this text in their command; those that there were."""
    found = processes_with(text)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def eventually(holds: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_nodes_come_while_programs_wait_and_go_when_the_run_has_ended(cluster: tuple[str, Path]) -> None:
    address, folder = cluster
    eventually(lambda: len(processes_with(str(folder), "raylet")) == 1, 60)  # the head alone
    sleeping = [in_test(f"std::thread::sleep(std::time::Duration::from_millis(300)); // {n}") for n in range(90)]
    with RayPool(address, limits=LIMITS) as pool:  # waits for the first node, which is asked for
        assert pool.num_nodes == 1
        futures = [pool.submit(program) for program in sleeping]
        eventually(lambda: pool.num_nodes == MOST, 120)
        assert {future.result(timeout=120).outcome for future in futures} == {Outcome.PASSED}
    eventually(lambda: len(processes_with(str(folder), "raylet")) == 1, 60)
