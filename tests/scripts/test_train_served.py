"""The main job with vLLM's servers, as docs/scale/engines.md says: started by somebody, one of them killed; its own."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

HAS_VLLM = importlib.util.find_spec("vllm") is not None
pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_VLLM, reason="vLLM is not installed: make test ENGINE=vllm"),
]
ROOT = Path(__file__).resolve().parents[2]
START_S = 600
SMALL = [
    "sampling.engine=vllm",
    "data.max_prompt_tokens=300",
    "train.prompts_per_step=2",
    "sampling.group_size=4",
    "sampling.max_completion_tokens=100",
    "eval.prompts=0",
    "train.threads=1",
    "sandbox.keep_verdicts=false",
]


def start(*command: str, log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    with suppress(OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    return False


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Two servers, started by the documented command, by their ports; the last test that asks for them kills one."""
    logs = tmp_path_factory.mktemp("servers")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    options = ["--max-model-len", "500", "--max-num-seqs", "4", "--kv-cache-memory-bytes", str(64 << 20)]
    command = ["-m", "grpo.engines.served", "assets/tiny-rust", "--host", "127.0.0.1", *options]
    started = {port: start(*command, "--port", str(port), log=logs / f"{port}.log") for port in ports}
    try:
        for port, process in started.items():
            deadline = time.monotonic() + START_S
            while not answers(port):
                assert process.poll() is None and time.monotonic() < deadline, (logs / f"{port}.log").read_text()
                time.sleep(0.5)
        yield started
    finally:
        for process in started.values():
            kill(process)


def words_of_processes_with(text: str) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended just now
            found.append(file.read_bytes().replace(b"\0", b" ").decode())
    return [words for words in found if text in words]


def sessions_of_drivers() -> set[int]:
    """Of the processes that talk to a Ray, each of which starts its Ray in its session."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"sandbox.cluster.driver" in (folder / "cmdline").read_bytes():
                found.add(os.getsid(int(folder.name)))
    return found


def processes_of(session: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == session:
                found.append(int(folder.name))
    return found


def steps_of(run: Path) -> list[dict[str, float]]:
    metrics = run / "metrics.jsonl"
    return [json.loads(line) for line in metrics.read_text().splitlines()] if metrics.exists() else []


def test_new_weights_interrupt_two_servers(servers: dict[int, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    """Which write four completions at a time each, and long ones, so that a batch takes longer than an update."""
    run, log = tmp_path / "run", tmp_path / "train.log"
    addresses = ",".join(f"http://127.0.0.1:{port}" for port in servers)
    settings = [*SMALL, "train.prompts_per_step=4", "rollout.overlap=2", "rollout.partial=true", "train.max_steps=10"]
    settings += ["sampling.temperature=1.5", "sampling.max_completion_tokens=200"]
    training = start(
        "scripts/train.py", "--plain", *settings, f"sampling.servers={addresses}", f"run.dir={run}", log=log
    )
    try:
        assert training.wait(START_S) == 0, log.read_text()
    finally:
        kill(training)
    steps = steps_of(run)
    assert [step["engines/alive"] for step in steps] == [2] * 10 and all(step["sync/gap"] < 1e-5 for step in steps)
    rows = [json.loads(line) for line in (run / "completions.jsonl").read_text().splitlines()]
    assert len(rows) == 10 * 16
    assert (
        max(step.get("policy/token_staleness_max", 0) for step in steps) == 2
    ), "updates; some steps have none to make"
    assert any(len(row["versions"]) > 1 for row in rows), "some were interrupted"


def test_ranks_train_what_two_servers_sample_and_ray_grades(
    servers: dict[int, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """All three ways to other machines in one run: the steps are those of servers and ranks, the verdicts of a node."""
    pytest.importorskip("ray", reason="ray is not installed: it is in the extra `ray`")
    run, log = tmp_path / "run", tmp_path / "train.log"
    addresses = ",".join(f"http://127.0.0.1:{port}" for port in servers)
    settings = [*SMALL, "train.max_steps=2", "rollout.overlap=1", "eval.prompts=2", "eval.samples=1"]
    settings += ["sandbox.pool=ray", f"sampling.servers={addresses}", f"run.dir={run}"]
    ranks, before = ["-m", "torch.distributed.run", "--nproc-per-node", "2"], sessions_of_drivers()
    training = start(*ranks, "scripts/train.py", "--plain", *settings, log=log)
    try:
        while not (session := sessions_of_drivers() - before):
            assert training.poll() is None, log.read_text()
            time.sleep(0.1)
        assert training.wait(START_S) == 0, log.read_text()
        assert words_of_processes_with(str(run)) == []
        until = time.monotonic() + 60
        while processes_of(*session):
            assert time.monotonic() < until, "of its Ray something is left"
            time.sleep(0.1)
    finally:
        kill(training)
    said = log.read_text()
    assert "\nranks     2" in said and "at Ray" in said and "before        after" in said, said
    steps = steps_of(run)
    assert len(steps) == 2 and all(step["sync/gap"] < 1e-5 and step["engines/alive"] == 2 for step in steps)
    rows = [json.loads(line) for line in (run / "completions.jsonl").read_text().splitlines()]
    outcomes = [row["verdict"].get("outcome") for row in rows if row["phase"] == "train"]  # none where no block ended
    assert len(outcomes) == 2 * 8 and any(outcomes) and "host_error" not in outcomes


def test_two_servers_train_and_one_that_is_killed_is_left_out(
    servers: dict[int, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "train.log"
    addresses = ",".join(f"http://127.0.0.1:{port}" for port in servers)
    settings = [*SMALL, "train.max_steps=5", f"sampling.servers={addresses}", f"run.dir={run}"]
    training = start("scripts/train.py", "--plain", *settings, log=log)
    try:
        while len(steps_of(run)) < 2:
            assert training.poll() is None, log.read_text()
            time.sleep(0.05)
        lost, process = next(iter(servers.items()))
        kill(process)
        assert training.wait(START_S) == 0, log.read_text()
    finally:
        kill(training)
    steps = steps_of(run)
    assert len(steps) == 5 and all(step["sync/gap"] < 1e-5 for step in steps), "the servers have the trainer's weights"
    assert steps[0]["engines/alive"] == 2 and steps[-1]["engines/alive"] == 1
    assert f"http://127.0.0.1:{lost}" in log.read_text()
    counts = [json.loads(line)["step"] for line in (run / "completions.jsonl").read_text().splitlines()]
    assert [counts.count(step["step"]) for step in steps] == [8] * 5, "every completion once"
    again = ["run.resume=true", "train.max_steps=6", f"run.dir={run}"]
    resumed = start("scripts/train.py", "--plain", *again, log=tmp_path / "resumed.log")
    try:
        assert resumed.wait(START_S) == 0, (tmp_path / "resumed.log").read_text()
    finally:
        kill(resumed)
    last = steps_of(run)[-1]
    assert last["step"] == 6 and last["engines/alive"] == 1 and last["sync/gap"] < 1e-5


@pytest.mark.parametrize(
    "parallel",
    [
        ["sampling.data_parallel=1"],
        pytest.param(["sampling.data_parallel=2"], marks=pytest.mark.long),  # two start within vLLM's 120 s where
        pytest.param(["sampling.data_parallel=1", "sampling.tensor_parallel=2"], marks=pytest.mark.long),  # all is idle
    ],
)
def test_a_run_starts_its_own_server_and_ends_it(parallel: list[str], tmp_path: Path) -> None:
    run, log = tmp_path / "run", tmp_path / "train.log"
    settings = [*SMALL, "train.max_steps=2", *parallel, f"run.dir={run}"]
    training = start("scripts/train.py", "--plain", *settings, log=log)
    try:
        assert training.wait(START_S) == 0, log.read_text()
        assert words_of_processes_with(str(run)) == []
    finally:
        kill(training)
    steps = steps_of(run)
    assert len(steps) == 2 and all(step["sync/gap"] < 1e-5 for step in steps)
