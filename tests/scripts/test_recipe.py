"""The contract of `recipe`: one object holds every setting of a run, and the shipped recipes are valid ones."""

from __future__ import annotations

import dataclasses
import re
import tomllib

import pytest

from grpo.schema import ConfigError, defaults, load, to_toml
from grpo_rust.arguments import parse_arguments
from grpo_rust.known_sizes import known_config
from grpo_rust.plan import plan
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, SandboxSection, load_recipe
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.from_recipe import engine_gpus
from sandbox.limits import Limits
from train import main

RECIPES = sorted(DEFAULT_RECIPE.parent.glob("*.toml"))
DIVIDED = {  # as `--dry-run` plans them with the words that their first lines give it
    "llama-3.1-8b-all-weights": Division(4, 4),
    "qwen2.5-coder-3b-apart": Division(1, 1),
    "qwen2.5-coder-7b-lora": Division(1),
}
SECTIONS = (
    "run model lora data sampling rollout rewards guard sandbox train loss eval checkpoint log track watch".split()
)


def test_a_recipe_has_all_sections():
    assert [field.name for field in dataclasses.fields(Recipe)] == SECTIONS


def test_a_resolved_recipe_loads_back_equal(tmp_path):
    words = ["rewards.weights.mine/rewards.py:short=0.5", "sandbox.jobs=3", "run.dir=some where"]
    recipe = load_recipe(DEFAULT_RECIPE, words)
    (tmp_path / "config.toml").write_text(to_toml(recipe))
    assert load_recipe(tmp_path / "config.toml") == recipe
    assert recipe.rewards.weights["mine/rewards.py:short"] == 0.5


def test_the_sandbox_section_is_its_limits_and_how_it_works():
    section = load(Recipe, None, ["sandbox.wall_s=77", "sandbox.jobs=2"]).sandbox
    assert section.limits() == Limits(wall_s=77) and type(section.limits()) is Limits
    assert section.jobs == 2
    assert {f.name for f in dataclasses.fields(SandboxSection)} == {f.name for f in dataclasses.fields(Limits)} | {
        "isolation",
        "jobs",
        "nice",
        "pool",
        "ray_address",
        "keep_verdicts",
        "backend",
        "pool",
        "ray_address",
    }


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid(path):
    assert load(Recipe, path)


@pytest.mark.parametrize(
    "path", [path for path in RECIPES if known_config(load(Recipe, path).model.path)], ids=lambda path: path.stem
)
def test_a_recipe_for_a_published_model_fits_its_h100s_by_a_dry_run_without_a_network(path, monkeypatch):
    """One, or as many as the recipe's first lines give the dry run."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("grpo_rust.resources._device_bytes", lambda device: ("its GPU", None))  # whatever this one has
    given = parse_arguments([str(path), "train.device=cuda", "run.dir=somewhere", *dry_run(path)])
    assert given.division == DIVIDED.get(path.stem)
    rows = plan(given.recipe, division=given.division).splitlines()
    assert [row for row in rows if row.startswith("fits")] == ["fits        one H100 has 80.0 GB: yes"]


@pytest.mark.parametrize("name", DIVIDED)
def test_the_memory_that_a_recipe_for_larger_machines_claims_is_that_of_its_dry_run(name):
    path = DEFAULT_RECIPE.with_name(f"{name}.toml")
    header = " ".join(path.read_text().partition("\n[")[0].replace("\n#", " ").split())
    given = parse_arguments([str(path), "run.dir=somewhere", *dry_run(path)])
    assert given.division == DIVIDED[name] and given.division.engine_gpus == engine_gpus(given.recipe)[0]
    planned = re.search(r"^memory +about (.*), with", plan(given.recipe, division=given.division), flags=re.MULTILINE)
    claimed = re.search(
        r"from shapes: (\d+) of (?:an H100's )?80 GB(?: on (?:the trainer's GPU|a rank), (\d+) on (?:the|an) eng)?",
        header,
    )
    sizes = [float(size) for size in re.findall(r"([\d.]+) GB", planned[1])]
    assert [round(size) for size in sizes] == [int(size) for size in claimed.groups() if size]


@pytest.mark.parametrize(
    "name",
    ["llama-3.1-8b", "llama-3.1-8b-all-weights", "qwen2.5-coder-3b", "qwen2.5-coder-3b-apart", "qwen2.5-coder-7b-lora"],
)
def test_a_larger_model_has_the_fast_recipe_and_says_what_it_changes(name):
    path = DEFAULT_RECIPE.with_name(f"{name}.toml")
    ours, fast = (tomllib.loads(file.read_text()) for file in (path, path.with_name("qwen2.5-coder-1.5b-fast.toml")))
    assert [line for line in path.read_text().splitlines() if re.match(r"\w+ = (?!.* # \[(fast|here)\])", line)] == []
    not_named = {("lora", "alpha")} if not flat(ours)[("lora", "rank")] else set()
    assert set(tagged(path, "fast")) | set(tagged(path, "here")) == set(flat(ours)) >= set(flat(fast)) - not_named
    for key in tagged(path, "fast"):
        assert flat(ours)[key] == flat(fast)[key], key
    for key in tagged(path, "here"):
        assert flat(ours)[key] != flat(fast).get(key), key


def dry_run(path):
    """The words with which a recipe's first lines have it planned."""
    found = re.search(r"`(--dry-run[^`]*)`", path.read_text())
    return found[1].split() if found else ["--dry-run"]


def flat(sections, start=()):
    """The settings of a recipe by section and name."""
    found = {}
    for name, value in sections.items():
        found |= flat(value, (*start, name)) if isinstance(value, dict) else {(*start, name): value}
    return found


def tagged(path, tag):
    """The settings of a recipe whose comment has a tag, by section and name."""
    found, section = [], ""
    for line in path.read_text().splitlines():
        if header := re.fullmatch(r"\[(.+)\]", line):
            section = header[1]
        elif setting := re.match(rf"(\w+) = .* # \[{tag}\]", line):
            found.append((*section.split("."), setting[1]))
    return found


def test_the_published_recipe_cites_a_source_for_every_setting_and_leaves_none_to_chance():
    path = DEFAULT_RECIPE.with_name("qwen2.5-coder-1.5b.toml")
    settings = [line for line in path.read_text().splitlines() if re.match(r"\w+ = ", line)]
    assert all(re.search(r" # \[(code|text|TRL|here)\]", line) for line in settings)
    given = tomllib.loads(path.read_text())
    elsewhere = "servers|weights_folder|straggler|wait_for_servers_s|tensor_parallel|data_parallel"  # more than one GPU
    unused = re.compile(f"max_ratio|tau_.*|k_.*|lambda_.*|mismatch_.*|{elsewhere}")
    for section in ("sampling", "loss"):
        settings = {row.key for row in defaults(Recipe) if row.section == section}
        assert given[section].keys() == {key for key in settings if not unused.fullmatch(key)}


def test_the_published_recipes_numbers_are_the_published_ones():
    recipe = load(Recipe, DEFAULT_RECIPE.with_name("qwen2.5-coder-1.5b.toml"))
    train = recipe.train
    assert (train.lr, train.adam_beta1, train.adam_beta2, train.weight_decay) == (5e-6, 0.9, 0.99, 0.1)
    assert (train.warmup_fraction, train.schedule, train.max_grad_norm, train.epochs) == (0.1, "cosine", 0.1, 1.0)
    assert (recipe.sampling.group_size, recipe.sampling.max_completion_tokens) == (4, 786)
    assert (recipe.data.max_prompt_tokens, recipe.loss.kl_beta, recipe.loss.name) == (256, 0.04, "grpo")
    paid = {name: weight for name, weight in recipe.rewards.weights.items() if weight}
    assert paid == {
        "cargo_build": 1, "cargo_clippy": 1, "cargo_test": 2, "non_empty": 1, "test_block": 0.5, "asserts": 1,
    }  # fmt: skip


def test_a_recipe_is_loaded_in_one_call(tmp_path):
    (tmp_path / "mine.toml").write_text("[train]\nmax_steps = 3\nlr = 1e-5\n")
    recipe = load_recipe(tmp_path / "mine.toml", ["train.lr=2e-5", "train.lr=3e-5"])
    assert (recipe.train.max_steps, recipe.train.lr) == (3, 3e-5)
    assert re.fullmatch(r"mine-\d{8}-\d{6}", recipe.run.name) and recipe.run.dir == f"runs/{recipe.run.name}"
    assert load_recipe(DEFAULT_RECIPE).model == load_recipe(None).model, "the shipped model is the default"
    with pytest.raises(ConfigError, match="nearest valid one is train.lr"):
        load_recipe(None, ["train.l=1"])


@pytest.mark.parametrize("without", ["eval.every=0", "eval.prompts=0"])
def test_the_best_checkpoints_are_kept_only_where_evaluations_say_which(without):
    best = ["checkpoint.keep_best=1", "eval.every=2", "eval.prompts=4"]
    assert load_recipe(None, best).checkpoint.best_by == "pass_at_1"
    compared = [*best, "checkpoint.best_by=reward_mean", "rewards.weights.cross_all=1"]
    with pytest.raises(ConfigError, match="cross_all is no part of their reward: use gold"):
        load_recipe(None, compared)
    assert load_recipe(None, compared[:-1]).checkpoint.best_by == "reward_mean"
    with pytest.raises(ConfigError, match="checkpoint.keep_best = 1 without evaluations"):
        load_recipe(None, [*best, without])


def test_training_by_what_nobody_examines_is_refused_before_anything_is_loaded(tmp_path, capsys):
    assert main([str(DEFAULT_RECIPE), "guard.mutation=false", f"run.dir={tmp_path / 'run'}"]) == 2
    assert "cross_test_thorough pays for changes of the code that tests notice" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
