"""The contract of `arguments`: a command line makes a recipe, refuses what cannot be used, explains every setting."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from grpo.schema import ConfigError, defaults, load, to_toml
from grpo_rust.arguments import explain, parse_arguments
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe


def write(directory: Path, text: str) -> str:
    path = directory / "mine.toml"
    path.write_text(text)
    return str(path)


def test_without_arguments_the_recipe_is_the_quickstart():
    arguments = parse_arguments([])
    tiny = load(Recipe, DEFAULT_RECIPE)
    assert dataclasses.replace(arguments.recipe, run=tiny.run) == tiny
    assert not arguments.dry_run


def test_words_may_stand_in_any_order_around_a_flag(tmp_path):
    path = write(tmp_path, "[train]\nmax_steps = 3\nlr = 1e-5\n")
    arguments = parse_arguments(["run.seed=1", path, "--dry-run", "train.max_steps=2"])
    assert arguments.dry_run
    assert (arguments.recipe.run.seed, arguments.recipe.train.max_steps, arguments.recipe.train.lr) == (1, 2, 1e-5)


def test_a_run_is_named_after_recipe_and_time(tmp_path):
    recipe = parse_arguments([write(tmp_path, "")]).recipe
    assert re.fullmatch(r"mine-\d{8}-\d{6}", recipe.run.name)
    assert recipe.run_path() == Path("runs") / recipe.run.name == Path(recipe.run.dir)


@pytest.mark.parametrize(
    ("overrides", "name", "directory"),
    [
        (["run.name=first"], "first", "runs/first"),
        (["run.dir=/data/second"], "second", "/data/second"),
        (["run.dir=/data/second", "run.name=first"], "first", "/data/second"),
        (["run.dir=out/my run!"], "my_run_", "out/my run!"),
    ],
)
def test_name_and_directory_follow_from_each_other(overrides, name, directory):
    run = parse_arguments(overrides).recipe.run
    assert (run.name, run.dir) == (name, directory)


@pytest.mark.parametrize("directory", ["/", "..", "..."])
def test_a_directory_without_a_usable_name_leaves_the_default_name(directory):
    assert parse_arguments([f"run.dir={directory}"]).recipe.run.name.startswith("tiny-")


def test_a_run_is_resumed_with_its_own_settings(tmp_path):
    first = parse_arguments([f"run.dir={tmp_path}", "train.lr=0.001", "sampling.group_size=3"]).recipe
    (tmp_path / "config.toml").write_text(to_toml(first))
    resumed = parse_arguments([f"run.dir={tmp_path}", "run.resume=true", "train.max_steps=9"]).recipe
    assert (resumed.train.lr, resumed.sampling.group_size, resumed.train.max_steps) == (0.001, 3, 9)
    assert resumed.run.resume and resumed.run_path() == tmp_path


def test_resuming_where_no_run_was_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no run to resume"):
        parse_arguments([f"run.dir={tmp_path}", "run.resume=true"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train.max_stepz=2"], "nearest valid one is train.max_steps"),
        (["none.toml"], "none.toml: cannot be read"),
        (["a.toml", "b.toml"], "got 2 recipes"),
        (["sampling.group_size=1"], "from 2 to"),
        (["sampling.engine=tgi"], "one of hf, paged, vllm"),
        (["rollout.overlap=2", "rollout.max_staleness=1"], "with this overlap completions are 2 updates old"),
        (["sampling.engine=vllm", "sampling.sleep=true", "rollout.overlap=1"], "cannot sample ahead while it sleeps"),
        (["rollout.partial=true", "sampling.engine=paged"], "nothing is being sampled when new weights come"),
        (["rollout.partial=true", "rollout.overlap=1"], "sampling.engine = hf, sampling.own_process = true: only"),
        (
            ["rollout.partial=true", "rollout.overlap=1", "sampling.engine=vllm", "loss.mismatch=none"],
            "nothing would correct for that",
        ),
        (["rollout.partial=true", "rollout.deadline_s=60"], "would not go on under new weights: use one of the two"),
        (["sampling.sleep=true"], "only vllm sleeps"),
        (["loss.advantages=gdpo", "rollout.refill_rounds=1"], "gdpo learns from some of them"),
        (["loss.advantages=maxrl", "rewards.weights.cargo_test=-1"], "use no weight below 0"),
        (["loss.advantages=maxrl", "loss.kl_beta=0.1", "loss.kl_in=reward"], "maxrl divides by their mean"),
        (["train.device=tpu"], "one of auto, cpu, cuda"),
        (["sandbox.jobs=-1"], "sandbox.jobs = -1"),
        (["sandbox.memory_mb=lots"], "sandbox.memory_mb = 'lots'"),
        (["rewards.weights={}"], "nothing to learn"),
        (["rewards.weights={cargo_build = 0}"], "nothing to learn"),
        (["rewards.weights.cargo_build=much"], "a number from -1,000 to 1,000; cargo_build is 'much'"),
        (["train.lr"], "'train.lr' is no recipe file, and a setting needs a value: section.key=value"),
        (["rewards.weights.cargo_biuld=1"], "rewards.weights.cargo_biuld: no such reward; the nearest is cargo_build"),
        (["run.resume=true"], "run.dir or run.name"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(words, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_arguments(words)


def test_an_unknown_flag_ends_with_exit_code_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(["--fast"])
    assert "--fast" in capsys.readouterr().err


def test_help_explains_every_setting(capsys):
    with pytest.raises(SystemExit, match="0"):
        parse_arguments(["--help"])
    shown = capsys.readouterr().out
    assert shown.endswith(explain(Recipe).rstrip() + "\n")
    words = " ".join(shown.split())
    for row in defaults(Recipe):
        assert f"{row.section}.{row.key}" in shown, row
        assert row.meaning in words and row.allowed in words, row
        assert not row.unit or f"[{row.unit}]" in words, row


def test_every_default_in_the_help_can_be_copied_as_an_override():
    shown = [line.strip() for line in explain(Recipe).splitlines() if re.match(r"  \S+=", line)]
    assert load(Recipe, None, shown) == Recipe()
    assert len(shown) >= len(defaults(Recipe)) > 40
