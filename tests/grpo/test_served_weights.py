"""Weights arrive at a `vllm serve` bit by bit, by each way, and leave nothing behind."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fake_vllm_server import FakeServer
from grpo.engines import EngineDied
from grpo.engines.served.connection import Connection
from grpo.engines.served.weights import NcclTransfer, SharedFolder
from grpo.errors import BadInput
from served_engines import ask, connect, weights

ROOT = Path(__file__).resolve().parents[2]


def test_weights_arrive_bit_by_bit_and_leave_no_file(server: FakeServer, folder: SharedFolder, tmp_path: Path) -> None:
    engine = connect(server, folder)
    with pytest.raises(EngineDied, match="has not been given weights"):
        ask(engine)
    engine.load_weights(iter(weights(2.0).items()))
    assert all(torch.equal(server.taken[name], tensor) for name, tensor in weights(2.0).items())
    (inside,) = tmp_path.iterdir()
    assert [path.name for path in inside.iterdir()] == ["trainer.txt"]
    engine.close()
    assert not inside.exists()


def test_weights_in_half_precision_are_sent_so(server: FakeServer, tmp_path: Path) -> None:
    folder = SharedFolder(tmp_path, torch.bfloat16)
    connect(server, folder).load_weights({"one": torch.full((2, 4), 1 / 3)}.items())
    assert torch.equal(server.taken["one"], torch.full((2, 4), 1 / 3, dtype=torch.bfloat16))


def test_a_server_that_holds_other_weights_is_done_with(server: FakeServer, folder: SharedFolder) -> None:
    engine = connect(server, folder)
    server.wrong_weights = "other weights are held than were given: 1 differ (lm_head, ...)"
    with pytest.raises(EngineDied, match=r"status 500: .*1 differ \(lm_head"):
        engine.load_weights(weights(1.0).items())
    with pytest.raises(EngineDied, match="has not been given weights"):
        ask(engine)


def test_no_prefix_is_read_from_the_cache_that_other_weights_have_read(
    server: FakeServer, folder: SharedFolder
) -> None:
    engine = connect(server, folder)
    salts = []
    for number in (1.0, 2.0, 1.0):
        engine.load_weights(weights(number).items())
        ask(engine)
        salts.append({request["cache_salt"] for request in server.requests[-3:]})
    assert salts[0] == salts[2] == {server.version} and len(salts[0] | salts[1]) == 2


def test_weights_in_the_memory_of_the_host_go_by_nccl_through_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those that ranks have gathered: vLLM sends what is on its own GPU alone. Here `meta` stands for it."""
    module = SimpleNamespace(WeightSource=object, ParamMeta=lambda *about: about)
    monkeypatch.setitem(sys.modules, "vllm.distributed.weight_transfer.base", module)
    sent: list[torch.Tensor] = []
    sender = SimpleNamespace(source=None, send_weights=lambda: sent.extend(tensor for _, tensor in sender.source))
    way = NcclTransfer(torch.bfloat16, torch.device("meta"))
    monkeypatch.setattr(way, "_connect", lambda *_: sender)
    way._send(SimpleNamespace(url="http://a:8000"), weights(1.0), "name")
    assert [(tensor.device.type, tensor.dtype) for tensor in sent] == [("meta", torch.bfloat16)] * 2
    assert sender.source.metadata() == [("one", torch.bfloat16, (2, 4)), ("two", torch.bfloat16, (3,))]


def test_a_new_process_at_an_address_gets_a_new_nccl_group(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broadcast to the old one would wait for a peer that is gone, and the other servers for that."""
    module = SimpleNamespace(WeightSource=object, ParamMeta=lambda *about: about)
    monkeypatch.setitem(sys.modules, "vllm.distributed.weight_transfer.base", module)
    way = NcclTransfer(torch.float32, torch.device("cpu"))
    opened: list[str] = []
    ended: list[str] = []

    def connected(to: Connection, _: object) -> SimpleNamespace:
        opened.append(server.version)
        way._senders[to.url] = SimpleNamespace(send_weights=lambda: None, shutdown=lambda: ended.append(server.version))
        return way._senders[to.url]

    monkeypatch.setattr(way, "_connect", connected)
    for number in (1.0, 2.0):
        way.hand_over(Connection(server.url), weights(number))
    assert len(opened) == 1 and not ended, "one group for all hand-overs to one process"
    server.version = "default"  # as a new process has it
    way.hand_over(Connection(server.url), weights(3.0))
    assert len(opened) == 2 and ended == ["default"], "the old group ends before anything is sent"
    server.answers["/weight_info"] = (500, {"error": {"message": "Engines returned different results"}})
    way.hand_over(Connection(server.url), weights(3.0))
    assert len(opened) == 3, "so it is where the copies of a model disagree"


def test_while_weights_arrive_the_label_is_that_of_no_run(
    server: FakeServer, folder: SharedFolder, tmp_path: Path
) -> None:
    """Else another run would take for its own what is sampled from them before they are compared."""
    first = connect(server, folder)
    first.load_weights(weights(1.0).items())
    other = SharedFolder(tmp_path, torch.float32)
    server.wrong_weights = "they are compared"  # the other run's hand-over ends here
    with pytest.raises(EngineDied, match="they are compared"):
        connect(server, other).load_weights(weights(2.0).items())
    assert torch.equal(server.taken["one"], weights(2.0)["one"])
    with pytest.raises(EngineDied, match=r"from the weights \['unfinished-[0-9a-f]+'\] and not from those"):
        ask(first)
    server.wrong_weights = ""
    first.load_weights(weights(1.0).items())
    assert ask(first)


def test_a_folder_without_room_ends_the_call_with_what_to_do_and_no_file(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys, torch; from pathlib import Path\n"
        "from grpo.engines import EngineDied; from grpo.engines.served.weights import SharedFolder\n"
        "folder = SharedFolder(Path(sys.argv[1]), torch.float32)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try:\n"
        "    folder._send(None, {'one': torch.zeros(10_000)}, 'name')\n"
        "except EngineDied as error:\n"
        "    print(error, [path.name for path in folder._folder.path.iterdir()])\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "cannot be written to" in said.stdout and "File too large" in said.stdout, said.stderr
    assert "40,000 bytes are needed there" in said.stdout and said.stdout.endswith("['trainer.txt']\n")


def test_weights_of_a_killed_trainer_are_removed_by_the_next_and_nobody_elses(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, torch; from pathlib import Path\n"
        "from grpo.engines.served.weights import SharedFolder\n"
        "folder = SharedFolder(Path(sys.argv[1]), torch.float32)\n"
        "reading = folder._file({'one': torch.zeros(10)}, 'name')\n"
        "reading.__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    lives, empty = SharedFolder(tmp_path, torch.float32), tmp_path / f"grpo-weights-{platform.node()}-empty"
    longer_name = tmp_path / f"grpo-weights-{platform.node()}-2-ab12cd34"  # of the machine with -2 at its name's end
    others = [empty, longer_name, tmp_path / "grpo-weights-elsewhere-x", tmp_path / "mine"]
    for other in others:
        other.mkdir()
    for other in others[1:]:
        (other / "trainer.txt").touch()
    kept = set(tmp_path.iterdir())
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, timeout=60)
    (left,) = set(tmp_path.iterdir()) - kept
    assert killed.returncode == -signal.SIGKILL and (left / "name.safetensors").exists()
    SharedFolder(tmp_path, torch.float32).close()
    assert set(tmp_path.iterdir()) == kept
    lives.close()
    assert set(tmp_path.iterdir()) == set(others)


def test_a_folder_that_a_server_does_not_see(server: FakeServer, folder: SharedFolder, tmp_path: Path) -> None:
    assert folder.seen_by(connect(server, folder)._connection)
    server.sees_folder = False
    assert not folder.seen_by(connect(server, folder)._connection)
    with pytest.raises(BadInput, match="sampling.weights_folder: .* cannot be written"):
        SharedFolder(tmp_path / "nowhere", torch.float32)
