"""Real servers of vLLM on the CPU: two behind one rollout stream, one of them killed; copies of a model in one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from engines import HAS_VLLM, own_server, served_settings
from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.served.connection import Connection
from grpo.engines.served.engine import ServedEngine
from grpo.engines.served.owned import OwnedEngine, OwnServer
from grpo.engines.several import Several
from grpo.engines.weight_sync import SyncBounds, WeightSync
from grpo.errors import BadInput
from grpo.model.policy import Policy
from stream_trainer import Trainer, plain

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_VLLM, reason="vLLM is not installed: make test ENGINE=vllm"),
]

BOUNDS = SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=48, max_tokens=16)
PROMPTS = [(5, 6, 7), (9,), tuple(range(30, 50))]
PARAMS = SamplingParams(num_samples=4, max_tokens=12, temperature=1.0, seed=3)


@pytest.fixture(scope="module")
def policy(make_policy: Callable[..., Policy]) -> Policy:
    return make_policy(hidden=64, heads=2)


@pytest.fixture(scope="module")
def servers(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[OwnServer]]:
    """Two servers, started at the same time."""
    started: list[OwnServer] = []

    def start(name: str) -> None:
        started.append(own_server(policy, tmp_path_factory.mktemp(name) / "model"))

    threads = [threading.Thread(target=start, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield started
    for server in started:
        server.end()


def several(servers: list[OwnServer], policy: Policy, directory: Path, say: Callable[[str], None]) -> Several:
    settings = served_settings(policy, directory)
    return Several({server.url: partial(ServedEngine, server.url, **settings) for server in servers}, say=say)


def ask(engine: Engine) -> list[GenerationOutput]:
    return sorted(engine.generate(PROMPTS, PARAMS), key=lambda made: (made.prompt, made.sample))


def test_one_of_two_servers_is_killed_while_it_samples_and_the_run_does_not_change(
    servers: list[OwnServer], policy: Policy, tmp_path: Path
) -> None:
    """The batches with every completion, against those of a run in which nothing happened.

    It is stopped when it is asked and killed once the other has made a completion, or a slow test would find it done.
    """

    def run(kill: bool) -> tuple[list[Any], list[str], list[dict[str, float]]]:
        said, metrics = list[str](), list[dict[str, float]]()
        engine = several(servers, policy, tmp_path, said.append)
        sync, harmed = WeightSync(policy, engine, PROMPTS, BOUNDS), _Harmed(engine)
        trainer = Trainer(policy, engine=harmed, max_tokens=40, group_size=8)
        trainer.engine.sync = lambda say: metrics.append(dict(sync(say))) or metrics[-1]
        trainer.rollouts.sync_weights()
        batches = [trainer.rollouts.next_batch(1)]
        if kill:
            harmed.first, harmed.then = lambda: _signal(servers[0], signal.SIGSTOP), lambda: _kill(servers[0])
        batches.append(trainer.rollouts.next_batch(2))
        trainer.rollouts.sync_weights()
        batches.append(trainer.rollouts.next_batch(3))
        if kill:
            servers[0].start()
        trainer.rollouts.sync_weights()
        batches.append(trainer.rollouts.next_batch(4))
        trainer.rollouts.sync_weights()
        trainer.rollouts.close()
        return plain(batches), said, metrics

    undisturbed, said, metrics = run(kill=False)
    assert said == [] and [found["engines/alive"] for found in metrics] == [2, 2, 2, 2]
    batches, said, metrics = run(kill=True)
    assert [len(group[1]) for batch in batches for group in batch] == [8] * 12
    assert batches == undisturbed
    assert [found["engines/alive"] for found in metrics] == [2, 1, 2, 2]
    assert metrics[1]["engines/deaths"] == 1 and metrics[1]["engines/resampled"] > 0
    assert len(said) == 2 and servers[0].url in said[0] and said[1] == f"engine {servers[0].url} is back"
    assert all(found["sync/gap"] < 1e-5 for found in metrics)


class _Harmed(Engine):
    """Passes calls on, and does something once: at the first call, and when its first completion is there."""

    concurrent = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.first = self.then = lambda: None

    def generate(self, prompts: Any, params: SamplingParams) -> Iterator[GenerationOutput]:
        self.first()
        self.first = lambda: None
        for completion in self._engine.generate(prompts, params):
            self.then()
            self.then = lambda: None
            yield completion


def _kill(server: OwnServer) -> None:
    """End a server as a machine does that fails: all of its processes, at once."""
    _signal(server, signal.SIGKILL)


def _signal(server: OwnServer, number: signal.Signals) -> None:
    assert server._process is not None
    for pid in _descendants(server._process.pid):
        os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in children for found in (*_descendants(int(child)), int(child))]


def test_other_weights_another_model_and_another_dtype_are_refused(
    servers: list[OwnServer], policy: Policy, tmp_path: Path, make_policy: Callable[..., Policy]
) -> None:
    with pytest.raises(BadInput, match=r"hidden_size is 64, and has to be 32.*"):
        several(servers, make_policy(), tmp_path, print)
    with pytest.raises(BadInput, match="--dtype is float32, and has to be bfloat16"):
        several(servers, make_policy(hidden=64, heads=2, dtype=torch.bfloat16), tmp_path, print)
    engine = several(servers, policy, tmp_path, print)
    engine.load_weights(policy.weights())
    expected = ask(engine)
    assert expected == ask(engine)
    Connection(servers[1].url).post("/update_weight_version", {"new_version": "of another run"})
    assert ask(engine) == expected and engine.metrics()["engines/alive"] == 1, "one sampled from what it was not given"


def test_a_server_that_hangs_is_found_by_its_heartbeats(
    servers: list[OwnServer], policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"BEAT_EVERY_S": 0.3, "BEAT_S": 1.0, "MISSED_BEATS": 2}.items():
        monkeypatch.setattr(f"grpo.engines.served.engine.{name}", value)
    said: list[str] = []
    engine = several(servers, policy, tmp_path, said.append)
    engine.load_weights(policy.weights())
    expected = ask(engine)
    assert servers[1]._process is not None
    stopped = _descendants(servers[1]._process.pid)
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert ask(engine) == expected and "heartbeats" in said[0]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    engine.load_weights(policy.weights())
    assert engine.metrics()["engines/alive"] == 2 and ask(engine) == expected


@pytest.mark.long  # vLLM gives its coordinator 120 s to start, which a busy machine exceeds
def test_copies_of_a_model_in_one_server_are_each_given_the_weights_and_proved(policy: Policy, tmp_path: Path) -> None:
    server = own_server(policy, tmp_path / "model", **{"--data-parallel-size": 2})
    engine = OwnedEngine(server, **served_settings(policy, tmp_path))
    try:
        sync = WeightSync(policy, engine, PROMPTS, BOUNDS)
        assert sync(print)["sync/gap"] < 1e-5
        assert [name for name, _ in engine.probe(PROMPTS, PARAMS)] == ["copy 0", "copy 1"]
        expected = ask(engine)
        assert server._process is not None
        began, pids = time.monotonic(), _descendants(server._process.pid)
        _kill(server)
        with pytest.raises(EngineDied):
            ask(engine)
        engine.restart()
        engine.load_weights(policy.weights())
        found = ask(engine)
        assert time.monotonic() - began < 300
        assert [one.token_ids for one in found] == [one.token_ids for one in expected]
        gaps = [abs(a - b) for one, other in zip(found, expected) for a, b in zip(one.logprobs, other.logprobs)]
        assert max(gaps) < 1e-5, "which copy samples with which others decides the last digits"
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    finally:
        engine.close()
