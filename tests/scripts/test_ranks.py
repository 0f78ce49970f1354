"""Ranks of a run: what is refused, what a restarted run does, and that a run without torchrun has none of it."""

import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed import TCPStore

import make_dataset
import train
from grpo.distributed import lora
from grpo.distributed.meeting import RankFailed, RankLost, meet
from grpo.distributed.place import RankPlace
from grpo.errors import BadInput, RunStopped
from grpo.model.policy import ModelError
from grpo.run.directory import RunExists
from grpo.run.lock import RunBusy, lock_run
from grpo.schema import ConfigError
from grpo.update import NonFiniteLoss
from grpo_rust.compose import policy as composed
from grpo_rust.ranks import following, together
from grpo_rust.ranks.joining import Rank, differences, unequal_gpus
from grpo_rust.ranks.parts import told_to_ranks
from grpo_rust.ranks.restarting import after_restart, end_noted, torchrun_mark
from grpo_rust.recipe import load_recipe
from grpo_rust.scaling.refusals import refuse_settings
from grpo_rust.session import go_on, open_run

ROOT = Path(__file__).resolve().parents[2]
FIRST = {"TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "0"}
AGAIN = {**FIRST, "TORCHELASTIC_RESTART_COUNT": "1"}
SMALL = [
    "train.prompts_per_step=2",
    "sampling.group_size=4",
    "sampling.max_completion_tokens=48",
    "train.max_steps=2",
    "eval.prompts=2",
    "eval.samples=1",
    "watch.enabled=false",
]


TWO = ("-m", "torch.distributed.run", "--nproc-per-node", "2")


def started(run: Path, *launcher: str, script: str = "train", settings: Sequence[str] = SMALL) -> list[str]:
    """What a training says; it has to end well."""
    command = [*launcher, f"scripts/{script}.py", "--plain", *settings, f"run.dir={run}"]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "scripts")))
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_two_ranks_train_to_the_closing_table_as_one_process_does(tmp_path: Path) -> None:
    said = started(tmp_path / "two", *TWO)
    assert any(line.startswith("ranks     2") for line in said) and any("before" in line for line in said)
    started(tmp_path / "one")
    for one, two in zip(*(steps(tmp_path / name) for name in ("one", "two")), strict=True):
        assert one.keys() <= two.keys()  # a step without a group to learn from has no loss
        for key in one.keys() & {"loss/total", "optim/grad_norm", "policy/entropy", "reward/mean", "optim/updates"}:
            assert math.isclose(one[key], two[key], rel_tol=1e-3, abs_tol=1e-5), (key, one[key], two[key])
    assert two["optim/updates"] > 0


@pytest.mark.slow
def test_two_ranks_fine_tune_as_one_process_does(tmp_path: Path) -> None:
    assert make_dataset.main(["generate", "--demonstrations", "9", "--out", str(tmp_path)]) == 0
    settings = [f"data.train={tmp_path / 'demonstrations.jsonl'}", "eval.prompts=0", "train.prompts_per_step=3"]
    settings += ["train.max_steps=4", "train.lr=1e-3"]
    started(tmp_path / "two", *TWO, script="sft", settings=settings)
    started(tmp_path / "one", script="sft", settings=settings)
    ones, twos = (steps(tmp_path / name) for name in ("one", "two"))
    assert len(ones) == 4 and ones[0]["loss/total"] > ones[-1]["loss/total"]
    for one, two in zip(ones, twos, strict=True):
        for key in ("loss/total", "optim/grad_norm"):
            assert math.isclose(one[key], two[key], rel_tol=1e-3), (key, one[key], two[key])
    start, ended, wanted = map(
        weights, (ROOT / "assets" / "tiny-rust", *map(last_of, (tmp_path / "two", tmp_path / "one")))
    )
    # Adam's first steps turn sums in another order into whole steps where a gradient is about 0.
    assert (ended - wanted).norm() < 0.01 * (wanted - start).norm()


def last_of(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


def weights(checkpoint: Path) -> torch.Tensor:
    """All of a checkpoint's weights in one vector."""
    found = load_file(checkpoint / "model.safetensors")
    return torch.cat([found[name].float().flatten() for name in sorted(found)])


def steps(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_more_ranks_than_completions_are_refused() -> None:
    recipe = load_recipe(None, ["train.prompts_per_step=2", "sampling.group_size=4", "train.num_minibatches=2"])
    refuse_settings(recipe, 4)
    with pytest.raises(ConfigError, match="5 ranks, but an optimizer batch has at most 4 completions"):
        refuse_settings(recipe, 5)
    refuse_settings(recipe, 1, supervised=True)
    with pytest.raises(ConfigError, match="2 ranks, but an optimizer batch has at most 1 demonstrations"):
        refuse_settings(recipe, 2, supervised=True)


def test_what_cannot_be_sharded_is_refused_all_at_once() -> None:
    settings = ['model.dtype="float16"', 'train.optimizer="adamw8bit"', "train.compile_layers=true"]
    with pytest.raises(ConfigError) as caught:
        refuse_settings(load_recipe(None, settings), 2)
    assert all(name in str(caught.value) for name in ("model.dtype", "train.optimizer", "train.compile_layers"))


@pytest.mark.parametrize("rank", [0, 2])
def test_the_whole_model_stays_on_the_host_until_it_is_sharded(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read before FSDP takes it; the device is one whose tensors hold nothing."""
    before = SimpleNamespace(of=lambda policy, team: policy)
    monkeypatch.setattr(composed, "choose_device", lambda name: torch.device("meta"))
    monkeypatch.setattr(together, "ShardedPolicy", before)
    monkeypatch.setattr(lora, "ShardedLoraPolicy", before)
    model = f"model.path={ROOT / 'assets' / 'tiny-rust'}"
    recipe = load_recipe(None, [model, f"lora.rank={rank}", "train.threads=1", "model.dtype=bfloat16"])
    team = SimpleNamespace(raise_together=lambda problem: None)
    policy = together.load_sharded_policy(team, recipe, None)
    assert policy.device.type == "meta" and {weight.device.type for weight in policy.model.parameters()} == {"cpu"}
    if not rank:
        reference = together._load_reference(team, recipe, policy)
        assert {weight.device.type for weight in reference.model.parameters()} == {"cpu"}


def test_a_model_whose_sequences_are_padded_is_refused_by_all_ranks(tmp_path: Path) -> None:
    """Its passes have as many calls of a layer as there are tables, which differ from rank to rank."""
    told = []

    def raise_together(problem: Exception | None) -> None:
        told.append(problem)
        if problem:
            raise problem

    shutil.copytree(ROOT / "assets" / "tiny-rust", windowed := tmp_path / "windowed")
    config = json.loads((windowed / "config.json").read_text())
    window = {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 0, "layer_types": None}
    (windowed / "config.json").write_text(json.dumps({**config, **window}))
    recipe = load_recipe(None, [f"model.path={windowed}", "train.device=cpu", "train.threads=1"])
    with pytest.raises(ModelError, match=r"windowed' \(qwen2\) is no model that several ranks can train"):
        together.load_sharded_policy(SimpleNamespace(raise_together=raise_together), recipe, None)
    assert [type(problem) for problem in told] == [ModelError]


def test_ranks_that_differ_are_named() -> None:
    one = Rank("a = 1\n", "torch 2.13", "cuda (H100, 80 GiB)")
    other = one._replace(device="cuda (A100, 40 GiB)")
    assert differences([one, other]) == "" and unequal_gpus([one, one]) == ""
    warning = unequal_gpus([one, other])  # since it works
    assert "rank 1 cuda (A100, 40 GiB)" in warning and "train.micro_batch_tokens" in warning
    assert "a = 2" in differences([one, one._replace(recipe="a = 2\n")])
    assert "rank 2 has torch 2.11" in differences([one, one, one._replace(versions="torch 2.11")])
    assert "rank 1 computes on cpu" in differences([one, one._replace(device="cpu")])


def begun(path: Path, environment: dict[str, str]) -> None:
    """What a run leaves that was started with an environment."""
    (path / "checkpoints").mkdir(parents=True)
    (path / "environment.json").write_text(json.dumps({"started": "now", **torchrun_mark(environment)}))


def test_a_restarted_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}"])
    assert after_restart(recipe, AGAIN) == recipe  # there is nothing yet
    begun(tmp_path / "run", FIRST)
    (tmp_path / "run" / "checkpoints" / "step-000003").mkdir()
    resumed = dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, resume=True))
    assert after_restart(recipe, AGAIN) == resumed == after_restart(resumed, AGAIN)
    assert after_restart(recipe, FIRST) == resumed  # torchrun does not count a start after machines came or went


def test_a_run_that_is_restarted_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}"])
    begun(tmp_path / "run", FIRST)
    assert after_restart(recipe, AGAIN) == recipe
    assert not (tmp_path / "run").exists() and (tmp_path / "run.restart-1" / "checkpoints").is_dir()
    begun(tmp_path / "run", FIRST)  # of a later torchrun
    assert after_restart(recipe, AGAIN) == recipe and (tmp_path / "run.restart-2" / "checkpoints").is_dir()


@pytest.mark.parametrize(
    "environment, program",
    [
        ({}, "python"),
        ({"LOCAL_WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "1", "MASTER_ADDR": "a"}, "torchrun --nproc-per-node 4"),
        (
            {"LOCAL_WORLD_SIZE": "8", "GROUP_WORLD_SIZE": "5", "MASTER_ADDR": "first"},
            "torchrun --nproc-per-node 8 --nnodes 5 --node-rank N --master-addr first",
        ),
    ],
)
def test_the_command_that_goes_on_starts_as_many_ranks(
    environment: dict[str, str], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/sft.py"])
    assert go_on(Path("runs/a b"), environment) == f"{program} scripts/sft.py run.resume=true 'run.dir=runs/a b'"


@pytest.mark.parametrize("checkpoint", [True, False])
@pytest.mark.parametrize("environment", [{}, {"TORCHELASTIC_RUN_ID": "another"}])
def test_a_restart_leaves_the_directory_of_another_run_alone(
    tmp_path: Path, environment: dict[str, str], checkpoint: bool
) -> None:
    """It is refused then, as it was by the first start, which torchrun took for a failure."""
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}"])
    begun(tmp_path / "run", environment)
    if checkpoint:
        (tmp_path / "run" / "checkpoints" / "step-000003").mkdir()
    assert after_restart(recipe, AGAIN) == recipe and not recipe.run.resume and (tmp_path / "run").is_dir()
    (tmp_path / "run" / "environment.json").write_text("[torn")
    assert after_restart(recipe, AGAIN) == recipe and (tmp_path / "run").is_dir()


def test_a_rank_that_does_not_see_the_runs_directory_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SEEN_S", 0.0)

    def raise_together(problem: BaseException | None) -> None:
        assert problem is not None
        raise problem

    rank = following._Followed(SimpleNamespace(place=RankPlace(1, 2, 1), raise_together=raise_together))
    (tmp_path / "environment.json").write_text("of another run")
    for path in (tmp_path, tmp_path / "run"):
        with pytest.raises(BadInput, match="rank 1 on .* does not see the run's directory .*: give run.dir a folder"):
            rank._log(path, b"of this one")
    assert not (tmp_path / "run").exists()


ON_PURPOSE = [
    BadInput("no such prompts"),
    NonFiniteLoss("the loss is nan"),
    RankFailed("rank 1: does not see it", recurs=True),
]


@pytest.mark.parametrize("error", ON_PURPOSE)
@pytest.mark.parametrize("resumed", [True, False])
def test_a_run_that_has_ended_on_purpose_is_not_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, resumed: bool
) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}", f"run.resume={str(resumed).lower()}"])
    begun(tmp_path / "run", {"TORCHELASTIC_RUN_ID": "earlier"} if resumed else FIRST)
    with pytest.raises(type(error)), end_noted(recipe, FIRST):
        raise error
    for _ in range(2):
        with pytest.raises(RunStopped, match=f"ended on purpose, .*: {error}. Correct that first"):
            after_restart(recipe, AGAIN)
    assert (tmp_path / "run").is_dir()
    monkeypatch.setattr(os, "getppid", lambda: 1)  # a later torchrun
    assert after_restart(recipe, AGAIN) == recipe


@pytest.mark.parametrize(
    "error", [RankLost("gone"), RankFailed("rank 1: its disk is full", recurs=False), RunExists("of another run")]
)
def test_a_lost_rank_is_no_end_on_purpose_and_another_run_gets_no_note(tmp_path: Path, error: Exception) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}"])
    begun(tmp_path / "run", {"TORCHELASTIC_RUN_ID": "another"} if isinstance(error, RunExists) else FIRST)
    with pytest.raises(type(error)), end_noted(recipe, FIRST):
        raise error
    assert not (tmp_path / "run" / "ended.json").exists()


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("error", [BadInput("no such prompts"), RunBusy("it is being written")])
def test_a_run_that_another_process_writes_gets_no_note_of_its_end(
    tmp_path: Path, error: Exception, taken: bool
) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}", "run.resume=true"])
    begun(tmp_path / "run", {})
    with lock_run(tmp_path / "run") if taken else nullcontext():
        with pytest.raises(type(error)), end_noted(recipe, FIRST):
            raise error
    assert (tmp_path / "run" / "ended.json").exists() == (not taken and type(error) is BadInput)


def test_a_run_that_somebody_resumes_has_no_note_of_its_end_any_more(tmp_path: Path) -> None:
    recipe = load_recipe(None, [f"run.dir={tmp_path / 'run'}", "run.resume=true"])
    begun(tmp_path / "run", {})
    (tmp_path / "run" / "config.toml").touch()
    with pytest.raises(BadInput), end_noted(recipe, FIRST):
        raise BadInput("no such prompts")
    with lock_run(tmp_path / "run"), pytest.raises(RunBusy):
        open_run(recipe, None)
    assert (tmp_path / "run" / "ended.json").exists(), "nobody goes on with it yet"
    with open_run(recipe, None):
        assert not (tmp_path / "run" / "ended.json").exists()


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadPoolExecutor]:
    """The environment of ranks on two machines, whose torchrun has the store; and a thread for the other rank."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=5))
    there = {"WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    for name, value in {**there, "GROUP_WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True"}.items():
        monkeypatch.setenv(name, value)
    with ThreadPoolExecutor(1) as thread:
        yield thread


def test_what_rank_zero_refuses_before_it_joins_ends_ranks_on_other_machines(
    other_machine: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    other = other_machine.submit(meet, RankPlace(1, 2, 0), limit_s=20.0)
    with pytest.raises(BadInput, match="^no Rust$"), told_to_ranks():
        raise BadInput("no Rust")
    assert isinstance(error := other.exception(20), RankFailed) and str(error) == "rank 0: no Rust"


@pytest.mark.parametrize("word, why", [("run.resume=true", "there is no run to resume"), ("--no-flag", "command line")])
def test_a_rank_on_another_machine_that_cannot_read_its_command_ends_rank_zero(
    other_machine: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, word: str, why: str
) -> None:
    """As where `run.dir` is no folder that both machines see."""
    monkeypatch.setenv("RANK", "1")
    first = other_machine.submit(meet, RankPlace(0, 2, 0), limit_s=20.0)
    assert train.main([word, f"run.dir={tmp_path / 'elsewhere'}"]) == 2
    assert isinstance(error := first.exception(20), RankFailed) and "rank 1: " in str(error) and why in str(error)


@pytest.mark.parametrize("setting, code", [("train.compile_layers=true", 2), ("train.compile_layers=false", 3)])
def test_a_rank_says_nothing_of_what_rank_zero_says(
    other_machine: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    setting: str,
    code: int,
) -> None:
    monkeypatch.setenv("RANK", "1")
    first = other_machine.submit(meet, RankPlace(0, 2, 0), limit_s=20.0, problem=BadInput("no Rust"))
    assert following.follow_run(load_recipe(None, [setting])) == code
    assert isinstance(first.exception(20), BadInput) and capfd.readouterr() == ("", "")


def test_a_rank_that_cannot_take_part_ends_rank_zero_with_the_reason(
    other_machine: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    first = other_machine.submit(meet, RankPlace(0, 2, 0), limit_s=20.0)
    assert following.follow_run(load_recipe(None, ["train.compile_layers=true"])) == 2
    assert isinstance(error := first.exception(20), RankFailed) and "train.compile_layers" in str(error)


def test_a_rank_that_finds_no_others_says_so_as_a_fault_of_the_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def join(*arguments: object, **settings: object) -> None:
        raise RankLost("rank 1 has waited")

    monkeypatch.setattr(following, "join", join)
    monkeypatch.setattr(following, "place_of", lambda: RankPlace(1, 2, 1))
    assert following.follow_run(load_recipe(None)) == 3 and capsys.readouterr().err == "rank 1 has waited\n"


def test_restarts_need_a_name_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "2")
    with pytest.raises(ConfigError, match="give run.dir or run.name"):
        load_recipe(None)
    assert load_recipe(None, ["run.name=mine"]).run.name == "mine"


def test_a_run_without_torchrun_loads_nothing_of_it() -> None:
    program = (
        "import sys, train, sft\n"
        "from grpo_rust.ranks.parts import follows, joined\n"
        "from grpo_rust.compose import engine, policy, supervised, trainer, updater\n"
        "from grpo_rust.recipe import load_recipe\n"
        "with joined(load_recipe(None)) as team: assert team is None and not follows()\n"
        "wanted = ('grpo.distributed.', 'torch.distributed.checkpoint.', 'grpo_rust.ranks.')\n"
        "print(sorted(name for name in sys.modules if name.startswith(wanted)))"
    )
    paths = os.pathsep.join((str(ROOT), str(ROOT / "scripts")))
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['grpo.distributed.place', 'grpo_rust.ranks.parts', 'grpo_rust.ranks.restarting']", (
        done.stdout + done.stderr
    )
