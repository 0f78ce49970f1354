"""A server that cannot sample for a run is refused when it is greeted, with what is wrong and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from fake_vllm_server import MODEL, FakeServer
from grpo.engines import EngineDied
from grpo.engines.served.weights import SharedFolder
from grpo.errors import BadInput
from served_engines import ask, connect, ready


def test_a_key_is_sent_and_a_missing_one_explained(
    server: FakeServer, folder: SharedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "secret"
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    with pytest.raises(BadInput, match=r"http://127.*status 401.*give its --api-key in VLLM_API_KEY"):
        connect(server, folder)
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    assert len(ask(ready(server, folder))) == 6


@pytest.mark.parametrize(
    "says, said",
    [
        ({"vllm": "0.31.2"}, "vLLM is 0.31.2, and has to be 0.32"),
        ({"vllm": "0.320.1"}, "vLLM is 0.320.1"),
        ({"model": {**MODEL, "hidden_size": 64}}, "its model's hidden_size is 64, and has to be 32"),
        ({"dtype": "bfloat16"}, "--dtype is bfloat16, and has to be float32"),
        ({"logprobs_mode": "raw_logprobs"}, "--logprobs-mode is raw_logprobs, and has to be processed_logprobs"),
        ({"generation_config": "auto"}, "--generation-config is auto, and has to be vllm"),
        ({"max_model_len": 99}, "--max-model-len is 99: the run needs at least 100"),
        ({"max_num_seqs": 7}, "--max-num-seqs is 7: the run needs at least 8"),
        ({"chunked_prefill": True}, "--no-enable-chunked-prefill"),
    ],
)
def test_a_server_that_does_not_fit_is_refused_with_everything_that_is_wrong(
    server: FakeServer, folder: SharedFolder, says: dict[str, Any], said: str
) -> None:
    server.says |= says
    with pytest.raises(BadInput, match=said) as error:
        connect(server, folder)
    assert server.url in str(error.value) and "docs/scale/engines.md" in str(error.value)


@pytest.mark.parametrize(
    "path, answer, said",
    [
        ("/collective_rpc", (404, {"detail": "Not Found"}), "status 404.*start it with the command of docs"),
        ("/inference/v1/abort_requests", (403, {"error": "disabled"}), "status 403.*start it with the command of docs"),
        (
            "/collective_rpc",
            (500, {"error": {"message": "Method 'grpo_describe' is not implemented."}}),
            "its workers have no grpo_describe: start it with the command of docs",
        ),
        (
            "/collective_rpc",
            (500, {"error": {"message": "'CPUWorker' object has no attribute 'grpo_describe'"}}),
            "its workers have no grpo_describe: start it with the command of docs",
        ),
        ("/collective_rpc", (200, {"models": []}), "has no 'results'.*start it with the command of docs"),
        ("/collective_rpc", (200, ["something else"]), "has no 'results'"),
        ("/collective_rpc", (200, None), "has no 'results'"),
        ("/collective_rpc", (200, {"results": []}), "no worker has answered"),
        ("/collective_rpc", (200, {"results": ["text"]}), "does not say its vllm, model"),
        ("/get_world_size", (200, {}), "GET /get_world_size.*has no 'world_size'"),
    ],
)
def test_what_was_not_started_for_a_run_is_refused_and_not_taken_for_dead(
    server: FakeServer, folder: SharedFolder, path: str, answer: tuple[int, Any], said: str
) -> None:
    server.answers[path] = answer
    with pytest.raises(BadInput, match=rf"the server {server.url} cannot sample for this run: .*{said}"):
        connect(server, folder)


def test_a_worker_of_another_revision_is_refused(server: FakeServer, folder: SharedFolder) -> None:
    del server.says["transfer"], server.says["head_dtype"]
    with pytest.raises(BadInput, match="does not say its head_dtype, transfer, so another revision"):
        connect(server, folder)


def test_workers_may_describe_themselves_more_slowly_than_a_heart_beats(
    server: FakeServer, folder: SharedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call of all workers of a server that has just started takes its time."""
    monkeypatch.setattr("grpo.engines.served.engine.BEAT_S", 0.05)
    server.describes_after_s = 0.5
    assert len(ask(ready(server, folder))) == 6


def test_what_fails_there_is_a_death_and_no_mistake_of_the_user(server: FakeServer, folder: SharedFolder) -> None:
    server.answers["/collective_rpc"] = (500, {"error": {"message": "grpo_describe: the engine core is dead"}})
    with pytest.raises(EngineDied, match="status 500.*the engine core is dead"):
        connect(server, folder)


def test_half_precision_needs_logits_in_full(server: FakeServer, folder: SharedFolder) -> None:
    server.says |= {"dtype": "bfloat16"}
    with pytest.raises(BadInput, match="--hf-overrides must set head_dtype to float32"):
        connect(server, folder, dtype="bfloat16")
    server.says |= {"head_dtype": "float32"}
    connect(server, folder, dtype="bfloat16")
