"""Engines outside of the trainer's GPU are built as the recipe says; what cannot work is refused in plain words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fake_vllm_server import FakeServer
from grpo.engines import EngineDied, SamplingParams
from grpo.engines.served.handshake import shape_of
from grpo.engines.several import Several
from grpo.errors import BadInput
from grpo.model.policy import Policy
from grpo.schema import ConfigError
from grpo_rust.compose.engine import build_engine, refuse_engine
from grpo_rust.memory_estimate import ModelShape
from grpo_rust.recipe import Recipe, load_recipe
from grpo_rust.resources import memory_rows
from grpo_rust.run_size import PromptCount, run_size
from grpo_rust.serving.gpus import gpus_of_engine, refuse_division


@pytest.fixture
def servers(policy: Policy) -> Iterator[list[FakeServer]]:
    made = [FakeServer(), FakeServer()]
    for server in made:
        shape = shape_of(policy.model.config)
        server.says |= {"model": shape, "max_model_len": 100_000, "max_num_seqs": 1000}
    yield made
    for server in made:
        server.close()


def recipe(servers: list[FakeServer], *changes: str) -> Recipe:
    addresses = ",".join(server.url for server in servers)
    given = ["sampling.engine=vllm", f"sampling.servers={addresses}", "model.dtype=float32", *changes]
    return load_recipe(None, given)


def test_a_recipe_with_servers_samples_by_them_and_gives_them_weights(
    servers: list[FakeServer], policy: Policy, tmp_path: Path
) -> None:
    engine = build_engine(recipe(servers, f"sampling.weights_folder={tmp_path}"), policy, tmp_path / "engine.log")
    assert isinstance(engine, Several) and engine.seeds_prompts and engine.concurrent
    engine.load_weights(policy.weights())
    assert all(set(server.taken) == set(dict(policy.weights())) for server in servers)
    assert len(list(engine.generate([(5, 6), (7, 8)], SamplingParams(2, 4, 1.0, 0)))) == 4
    assert [len(server.requests) for server in servers] == [1, 1]
    engine.close()
    assert not list(tmp_path.glob("grpo-weights-*"))


def test_servers_that_cannot_sample_for_the_run_are_named(
    servers: list[FakeServer], policy: Policy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"sampling.weights_folder={tmp_path}"
    servers[0].sees_folder = False
    with pytest.raises(BadInput, match=rf"{servers[0].url} does not see .*sampling.weights_folder"):
        build_engine(recipe(servers, folder), policy, tmp_path / "engine.log")
    servers[0].sees_folder, servers[1].says["max_model_len"] = True, 99
    with pytest.raises(BadInput, match=rf"{servers[1].url} cannot sample .*\n  --max-model-len is 99"):
        build_engine(recipe(servers, folder), policy, tmp_path / "engine.log")
    for server in servers:
        server.close()
    with pytest.raises(EngineDied, match="no engine is left, of 2"):
        build_engine(recipe(servers, folder), policy, tmp_path / "engine.log")
    assert capsys.readouterr().out.count("is left out") == 2
    assert not list(tmp_path.glob("grpo-weights-*")), "what was made for them is removed"


@pytest.mark.parametrize(
    "changes, said",
    [
        (["sampling.servers=http://a:1"], 'are for vLLM, and sampling.engine = "hf"'),
        (["sampling.data_parallel=1"], 'are for vLLM, and sampling.engine = "hf"'),
        (
            ["sampling.engine=vllm", "sampling.servers=http://a:1", "sampling.data_parallel=2"],
            "use sampling.data_parallel=0",
        ),
        (["sampling.engine=vllm", "sampling.tensor_parallel=2"], "without sampling.data_parallel: give it too"),
        (["sampling.engine=vllm", "sampling.data_parallel=1", "sampling.sleep=true"], "nothing to free"),
        (["sampling.engine=vllm", "sampling.servers=http://a:1", "sampling.own_process=false"], "process of its own"),
    ],
)
def test_settings_that_exclude_each_other(changes: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_recipe(None, changes)


@pytest.mark.parametrize(
    "addresses, said",
    [
        ("a:8000", "'a:8000' is no address: use http://HOST:PORT, with commas between several"),
        ("http://", "is no address"),
        ("ftp://a", "'ftp://a' is no address"),
        ("http://a:b", "is no address"),
        ("http://a:70000", "is no address"),
        ("http://[a", "is no address"),
        ("http://a:1,http://a:1/", "http://a:1 comes twice"),
        ("http://me:hidden@a:1", "the address of a:1 has a user or a password .* --api-key in VLLM_API_KEY"),
        ("me:hidden@a:1", "the address of a:1 has a user or a password"),
    ],
)
def test_what_is_no_address_is_refused_with_the_settings_and_no_secret_shown(addresses: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        load_recipe(None, ["sampling.engine=vllm", f"sampling.servers={addresses}"])
    assert "hidden" not in str(refused.value)


def test_addresses() -> None:
    found = load_recipe(None, ["sampling.engine=vllm", "sampling.servers= http://a:1/,https://b http://[::1]:3 "])
    assert found.sampling.addresses() == ["http://a:1", "https://b", "http://[::1]:3"]


def test_a_plan_counts_no_engine_on_the_trainers_device() -> None:
    here = load_recipe(None, ["sampling.engine=vllm"])
    elsewhere = load_recipe(None, ["sampling.engine=vllm", "sampling.data_parallel=1"])
    shape = ModelShape("qwen2", 10**9, layers=4, hidden=64, mlp=128, kv_width=64, vocabulary=1000, linear_ends=1000)
    size = run_size(here, PromptCount(100), PromptCount(0))
    texts = [" ".join(text for _, text in memory_rows(recipe, shape, size, 300)) for recipe in (here, elsewhere)]
    assert "vllm's weights" in texts[0] and "vllm" not in texts[1] and "KV cache" not in texts[1]


def test_the_engine_gets_the_gpus_after_the_trainers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert gpus_of_engine(3) == ["1", "2", "3"]
    with pytest.raises(BadInput, match=r"is 4, and the trainer has 1 of the 4 GPUs here: 3 are left"):
        gpus_of_engine(4)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert gpus_of_engine(2) == ["2", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7, 5,GPU-3,1")
    assert gpus_of_engine(1) == ["GPU-3"]
    with pytest.raises(BadInput, match="2 are left"):
        gpus_of_engine(3)


def test_heads_that_cannot_be_divided_are_refused() -> None:
    config = SimpleNamespace(num_attention_heads=12, num_key_value_heads=2)
    for fits in (1, 2, 4, 6, 12):
        refuse_division(config, fits)
    for bad in (3, 5, 8):
        with pytest.raises(BadInput, match="12 heads with 2 keys and values .* possible are 1, 2, 4, 6, 12"):
            refuse_division(config, bad)


def test_an_engine_of_its_own_that_cannot_be_is_refused_before_the_run_has_a_directory(policy: Policy) -> None:
    own = ["sampling.engine=vllm", "sampling.data_parallel=1"]
    refuse_engine(load_recipe(None, own), policy)
    with pytest.raises(BadInput, match="sampling.tensor_parallel = 63: .* heads"):
        refuse_engine(load_recipe(None, [*own, "sampling.tensor_parallel=63"]), policy)


def test_servers_that_cannot_sample_are_refused_before_the_run_has_a_directory(
    servers: list[FakeServer], policy: Policy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = recipe(servers, f"sampling.weights_folder={tmp_path}")
    refuse_engine(given, policy)
    servers[0].close()
    refuse_engine(given, policy)
    servers[1].answers["/collective_rpc"] = (404, {"detail": "Not Found"})
    with pytest.raises(BadInput, match=f"{servers[1].url} cannot sample for this run: .*status 404"):
        refuse_engine(given, policy)
    resumed = dataclasses.replace(given, run=dataclasses.replace(given.run, resume=True))
    with pytest.raises(EngineDied, match=rf"(?s)no engine is left, of 2.*{servers[1].url}.*status 404"):
        refuse_engine(resumed, policy)  # not back yet: a later start may find it
    servers[1].close()
    with pytest.raises(EngineDied, match="no engine is left, of 2"):
        refuse_engine(given, policy)
    assert not capsys.readouterr().out and not list(tmp_path.iterdir()), "the run itself says what is left out"
