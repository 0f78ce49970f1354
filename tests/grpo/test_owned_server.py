"""A server of our own starts, keeps its address over a restart if it can, and is gone when its trainer is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grpo.engines import EngineDied
from grpo.engines.served.command import serve_command
from grpo.engines.served.connection import Connection
from grpo.engines.served.owned import OwnedEngine, OwnServer
from grpo.engines.served.weights import SharedFolder
from grpo.run import stuck
from served_engines import NEEDED, ask, weights

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = """
import sys, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
open(os.environ["VLLM_RPC_BASE_PATH"] + "/socket", "w").close()
print("serving", os.environ["TOLD"], "sockets in", os.environ["VLLM_RPC_BASE_PATH"], flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def started(tmp_path: Path, program: str = HEALTHY, *, start_s: float = 20.0) -> OwnServer:
    environment = {"TOLD": "it", "PYTHONPATH": str(ROOT)}
    return OwnServer(
        lambda port: [sys.executable, "-c", program, str(port)], environment, tmp_path / "s.log", start_s=start_s
    )


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def folders_of_sockets(tmp_path: Path) -> list[Path]:
    return [Path(line.split()[-1]) for line in (tmp_path / "s.log").read_text().splitlines() if "sockets in" in line]


def test_it_starts_again_at_the_same_address_and_ends(tmp_path: Path) -> None:
    server = started(tmp_path)
    assert Connection(server.url).get("/health") is None
    assert server._process is not None
    (first,) = children(server._process.pid)
    port = server.port
    os.kill(first, signal.SIGKILL)
    server.start()
    assert server.port == port and Connection(server.url).get("/health") is None
    (second,) = children(server._process.pid)
    server.end()
    assert not Path(f"/proc/{second}").exists()
    assert (tmp_path / "s.log").read_text().count("serving it") == 2
    folders = folders_of_sockets(tmp_path)
    assert len(set(folders)) == 2 and not any(folder.exists() for folder in folders)
    with pytest.raises(EngineDied, match="ConnectError"):
        Connection(server.url).get("/health")


def test_its_engine_finds_it_again_where_the_port_of_the_one_before_is_taken(
    folder: SharedFolder, tmp_path: Path
) -> None:
    program = (
        "import sys, threading\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from fake_vllm_server import FakeServer\n"
        "server = FakeServer(int(sys.argv[1])); threading.Event().wait()\n"
    )
    server = started(tmp_path, program)
    engine = OwnedEngine(server, stop_ids=[3], needed=NEEDED, way=lambda *_: folder, stuck_after_s=60.0)
    try:
        engine.load_weights(weights(1.0).items())
        made, before = ask(engine), server.port
        server.end()
        with socket.create_server(("127.0.0.1", before)):
            assert engine.restart() is False and server.port != before
            engine.load_weights(weights(1.0).items())
            assert made and ask(engine) == made
    finally:
        engine.close()


def test_one_that_ends_or_never_answers_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(EngineDied, match=r"ended with code 3; the end of .*s\.log:\n.*no such model"):
        started(tmp_path, "print('no such model', flush=True); raise SystemExit(3)")
    with pytest.raises(EngineDied, match=r"did not answer within 0\.5 s"):
        started(tmp_path, "import time; time.sleep(60)", start_s=0.5)


def test_to_wait_for_one_that_starts_is_nothing_for_the_watchdog_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpo.engines.served.owned.LOOK_EVERY_S", 0.05)
    before = stuck._progress
    with pytest.raises(EngineDied, match="did not answer within"):
        started(tmp_path, "import time; time.sleep(60)", start_s=0.5)
    assert stuck._progress > before + 1


def test_it_ends_with_a_trainer_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from test_owned_server import started\n"
        "server = started(Path(sys.argv[3])); print(server._process.pid, flush=True); time.sleep(60)\n"
    )
    arguments = [str(ROOT), str(Path(__file__).parent), str(tmp_path)]
    trainer = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
    assert trainer.stdout is not None
    keeper = int(trainer.stdout.readline())
    (server,) = children(keeper)
    trainer.kill()
    trainer.wait()
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() and _runs(pid) for pid in (keeper, server)):
        assert time.monotonic() < end, "they are still there"
        time.sleep(0.05)
    (folder,) = folders_of_sockets(tmp_path)
    assert not folder.exists()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"  # nobody may wait for it here
    except OSError:
        return False


def test_the_command_says_what_a_run_needs_and_what_is_given_wins() -> None:
    on_cpu = serve_command("m", ["--port", "1"], on_gpu=False)
    assert on_cpu[-2:] == ["--port", "1"] and on_cpu[on_cpu.index("--dtype") + 1] == "float32"
    assert "--no-enable-chunked-prefill" in on_cpu and "--weight-transfer-config" not in on_cpu
    half = serve_command("m", ["--dtype=bfloat16"], on_gpu=True)
    assert half.count("--dtype") == 0 and half[half.index("--hf-overrides") + 1] == '{"head_dtype": "float32"}'
    assert half[half.index("--weight-transfer-config") + 1] == '{"backend": "nccl"}'
    assert "--no-enable-chunked-prefill" not in half and "--hf-overrides" not in on_cpu
    for command in (on_cpu, half):
        assert command[command.index("--logprobs-mode") + 1] == "processed_logprobs"
        assert command[command.index("--worker-extension-cls") + 1] == "grpo.engines.served.worker.WeightsFromTrainer"
