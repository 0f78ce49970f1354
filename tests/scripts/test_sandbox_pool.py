"""What grades a run: a pool of its own, or the server that SANDBOX_URL names, which has to have the recipe's limits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grpo.errors import BadInput
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
