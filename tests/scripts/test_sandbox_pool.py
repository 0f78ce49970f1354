"""What grades a run: a pool of its own, the server that SANDBOX_URL names, or the nodes of a Ray cluster."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grpo.errors import BadInput
from grpo.schema import ConfigError
from grpo_rust import sandbox_pool
from grpo_rust.recipe import load_recipe
from grpo_rust.sandbox_pool import describe_pool, open_pool
from serving import TOKEN, Served, serving

TrainHere = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--jobs", "1") as server:
        yield server


@pytest.fixture
def named(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A server that the environment names."""
    monkeypatch.setenv("SANDBOX_URL", served.url)
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
    return served


def test_a_server_that_is_named_grades_with_the_limits_of_the_recipe(named: Served) -> None:
    with open_pool(load_recipe(None)) as pool:
        assert pool.submit("fn f() {}").result().build
        assert describe_pool(pool) == f"{pool.toolchain.version}, 1 worker, batch backend, at {named.url}"
    with pytest.raises(BadInput) as refused:
        open_pool(load_recipe(None, ["sandbox.wall_s=7", "sandbox.jobs=3"]))
    assert "\n  sandbox.wall_s = 7: it has 120\nleave these settings" in str(refused.value)


def test_without_a_name_the_pool_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_URL", raising=False)
    monkeypatch.setattr(sandbox_pool, "start_pool", lambda recipe: ("started", recipe.sandbox.jobs))
    assert open_pool(load_recipe(None, ["sandbox.jobs=3"])) == ("started", 3)


@pytest.mark.slow
def test_a_run_is_graded_by_the_server(named: Served, train_here: TrainHere, tmp_path: Path) -> None:
    answered = named.queue()["answered"]
    sizes = ("train.max_steps=1", "train.prompts_per_step=1", "sampling.group_size=2", "eval.prompts=0")
    done = train_here(*sizes, "sampling.max_completion_tokens=64", "train.threads=1", f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert f"1 worker, batch backend, at {named.url}" in done.stdout
    [line] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert 0 <= line["time/sandbox"] < line["time/step"]
    assert named.queue()["answered"] >= answered


# On Ray

with_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: extra `ray`")
ON_RAY = ("sandbox.pool=ray", "train.threads=1", "sandbox.jobs=1", "eval.samples=1")


def test_what_ray_lacks_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_pool, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r'needs the package ray: pip install "grpo-rust\[ray\]"'):
        open_pool(load_recipe(None, ["sandbox.pool=ray"]))
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:1")
    with pytest.raises(BadInput, match="SANDBOX_URL names the server http://127.0.0.1:1: give one of the two"):
        open_pool(load_recipe(None, ["sandbox.pool=ray"]))
    with pytest.raises(ConfigError, match='sandbox.ray_address = "head:6379" with sandbox.pool = "local"'):
        load_recipe(None, ["sandbox.ray_address=head:6379"])


@with_ray
@pytest.mark.slow
@pytest.mark.alone
def test_a_run_on_ray_ends_with_its_table_and_leaves_no_process(train_here: TrainHere, tmp_path: Path) -> None:
    sizes = ("train.max_steps=1", "train.prompts_per_step=2", "sampling.group_size=2", "eval.prompts=2")
    done = train_here(*ON_RAY, *sizes, "sampling.max_completion_tokens=96", f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert "1 worker, batch backend, at Ray " in done.stdout and "before" in done.stdout
    assert drivers(os.getpid()) == []


@with_ray
@pytest.mark.slow
@pytest.mark.alone
def test_ctrl_c_stops_a_run_on_ray_and_its_ray(tmp_path: Path) -> None:
    path = tmp_path / "run"
    sizes = ("train.prompts_per_step=2", "sampling.group_size=2", "eval.prompts=0", "train.rehearse=false")
    command = [sys.executable, "scripts/train.py", *ON_RAY, *sizes, "--plain", f"run.dir={path}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert any(line.startswith("run ") for line in process.stdout), "it begins"
        [driver] = drivers(process.pid)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
        process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 75 and any((path / "checkpoints").glob("step-*"))
    until = time.monotonic() + 60
    while listed("--sid", driver):
        assert time.monotonic() < until
        time.sleep(0.1)


def drivers(process: int) -> list[str]:
    """The sessions of the drivers that a process has started."""
    return [line.split()[0] for line in listed("--ppid", str(process)) if "sandbox.cluster.driver" in line]


def listed(*chosen: str) -> list[str]:
    """The chosen processes: session and command of each."""
    done = subprocess.run(["ps", "-ww", "-o", "sid=,args=", *chosen], capture_output=True, text=True)
    return done.stdout.splitlines()
