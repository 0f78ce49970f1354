"""The contract of `plan`: what a recipe is going to do and need, by counts and formulas, with no model loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grpo.schema import ConfigError, load
from grpo_rust.arguments import parse_arguments
from grpo_rust.memory_estimate import model_shape
from grpo_rust.plan import plan
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import num_jobs
from grpo_rust.time_estimate import Rates, Workload
from tiny_config import TINY

ROOT = Path(__file__).resolve().parents[2]
FAST = ROOT / "scripts" / "recipes" / "qwen2.5-coder-1.5b-fast.toml"


@pytest.fixture
def words(tmp_path, monkeypatch):
    """Overrides of a recipe whose model is a config.json and whose data are 100 training and 7 evaluation prompts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(TINY))
    (tmp_path / "train.jsonl").write_text('{"prompt": "a"}\n' * 100 + "\n")
    (tmp_path / "eval.jsonl").write_text('{"prompt": "a"}\n' * 7)
    return ["model.path=model", "data.train=train.jsonl", "data.eval=eval.jsonl", "run.dir=out", "train.device=cpu"]


def planned(words: list[str], *more: str) -> dict[str, str]:
    """A plan by the names of its rows; a row without a name belongs to the one above."""
    rows: dict[str, str] = {}
    for line in plan(load(Recipe, None, [*words, *more])).splitlines():
        name, text = re.fullmatch(r"(\S*) +(.*)", line).groups()
        last = name or last  # noqa: F821
        rows[last] = f"{rows[last]}\n{text}" if last in rows else text
    return rows


def test_steps_and_completions_follow_from_the_prompts(words):
    rows = planned(words)
    assert rows["prompts"] == "100 in train.jsonl"
    assert rows["steps"] == "7: 16 prompts x 8 completions = 128 completions a step"  # 100 / 16, rounded up
    assert (
        rows["tokens"] == "at most 57,344 a step (448 a completion with its prompt), 401,408 in all"
    )  # 128 * (256 + 192)
    assert rows["evaluation"] == "2 x 7 prompts x 2 completions, from eval.jsonl"
    assert rows["run"] == "out"


@pytest.mark.parametrize(
    ("overrides", "row", "text"),
    [
        (["train.max_steps=2"], "steps", "2: "),
        (["train.epochs=2"], "steps", "13: "),
        (["train.num_iterations=3"], "steps", "7: 16 prompts x 8 completions = 128 completions a step, 3 updates each"),
        (
            ["train.num_minibatches=2"],
            "steps",
            "7: 16 prompts x 8 completions = 128 completions a step, 2 updates each",
        ),
        (["train.device=cuda"], "cost", "unknown without the time"),
        (["eval.every=2"], "evaluation", "5 x 7 prompts"),  # before, after steps 2, 4, 6, and after 7
        (["eval.every=7"], "evaluation", "2 x 7 prompts"),  # after step 7 is the end
        (["eval.prompts=0", "data.eval=none.jsonl"], "evaluation", "0 x 0 prompts"),
        (["data.train=hf:some/prompts"], "steps", "an unknown number"),
        (["data.train=hf:some/prompts"], "time", "unknown"),
        (["data.train=hf:some/prompts", "train.max_steps=5"], "steps", "5: "),
        (["train.device=cuda"], "time", "unknown: nothing was measured on this GPU yet. scripts/bench_throughput.py"),
        (["model.path=no-such/model"], "model", "no-such/model: no directory here"),
        (["model.path=no-such/model"], "memory", "unknown"),
    ],
)
def test_the_plan_follows_the_settings(words, overrides, row, text):
    assert planned(words, *overrides)[row].startswith(text)


def test_memory_names_its_parts_and_a_reference_only_with_a_kl(words):
    assert "reference" not in planned(words)["memory"]
    assert "reference 0 MB" in planned(words, "loss.kl_beta=0.1")["memory"]
    assert "bfloat16 copy" in planned(words, "model.dtype=bfloat16")["memory"]
    assert re.match(r"about 8\d\d MB", planned(words)["memory"])  # 734 MB of runtime; 448-token rows of a toy


def test_disk_counts_checkpoints_and_logs(words):
    # 12 bytes a parameter; at most keep_last + keep_best + 1 at a time.
    # Completions: 7 * 128 + 2 * 14 = 924, each 4 * 192 + 2000 + 7 * 200
    parameters = model_shape(TINY).parameters
    assert planned(words, "checkpoint.every=1")["disk"].startswith(
        f"checkpoints {3 * 12 * parameters / 1e6:.0f} MB, logs 4 MB;"
    )
    best = planned(words, "checkpoint.every=1", "checkpoint.keep_best=2", "eval.every=1")["disk"]
    assert best.startswith(f"checkpoints {5 * 12 * parameters / 1e6:.0f} MB")
    assert planned(words, "log.completions=false")["disk"].startswith("checkpoints 1 MB, logs 1 MB;")


def test_tests_alone_are_sampled_and_crossings_graded_too(words):
    compared = [*words, "rewards.weights.cross_agreement=1"]
    rows = planned(compared, "rollout.testers=4")
    assert rows["steps"].endswith("128 completions a step and 4 tests alone a prompt")
    seconds = [
        {
            name: float(amount)
            for name, amount in re.findall(r"(\w+) (\d+) s", planned(given, *more, "eval.prompts=0")["time"])
        }
        for given, more in ((words, ()), (compared, ()), (compared, ("rollout.testers=8",)))
    ]
    plain, crossed, with_testers = seconds
    assert crossed["sampling"] == plain["sampling"] and with_testers["sampling"] == pytest.approx(
        2 * plain["sampling"], abs=1
    )
    assert crossed["grading"] == pytest.approx(2 * plain["grading"], abs=1) == with_testers["grading"]


def test_a_run_that_exists_already_is_told(words, tmp_path):
    assert "EXISTS" not in planned(words)["run"]
    assert "EXISTS ALREADY: choose another" in planned(words, f"run.dir={tmp_path}")["run"]
    assert "EXISTS" not in planned(words, f"run.dir={tmp_path}", "run.resume=true")["run"]


def test_a_disk_too_small_is_told(words, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    assert "TOO LITTLE" in planned(words)["disk"]


def test_time_is_given_with_what_it_assumes(words):
    # 896 + 2 * 28 programs at cargo's 0.46 s on one core: 438 s. 101,184 parameters, 31.8 times fewer than those of the
    # rates: 924 completions of 192 tokens to sample at 79,400 a second, 896 to train at 76,200: 2.23 s and 2.26 s
    rows = planned(words, "sandbox.jobs=1", "sandbox.backend=cargo")
    assert rows["time"].startswith("at most about 7 min: sampling 2 s, grading 7 min, updates 2 s\nby the rates of two")
    assert "grading 4 min" in planned(words, "sandbox.jobs=2", "sandbox.backend=cargo")["time"]
    assert "0.07 s of CPU a program" in planned(words)["time"]
    assert rows["cost"].startswith("unknown: those rates are of another machine and model")


def test_twice_the_completions_or_the_parameters_take_twice_as_long():
    rates = Rates("here", "float32", 1000, 128, 2700, 2700, 60)
    usual = Workload(100, 50, 10, parameters=1000, backend="direct", jobs=2).estimate(rates, 54)
    assert (usual.sampling, usual.grading, usual.updates) == (2.0, pytest.approx(0.6), 1.0)
    larger = Workload(100, 50, 10, parameters=2000, backend="direct", jobs=1).estimate(rates, 54)
    assert (larger.sampling, larger.grading, larger.updates) == (4.0, pytest.approx(1.2), 2.0)


def written_rates(tmp_path: Path, **changes: object) -> Path:
    """A file as bench_throughput.py writes it, of the model of these tests; the larger step is twice as fast."""
    rates = {"device": "a machine", "dtype": "float32", "parameters": model_shape(TINY).parameters} | {
        "sampled_tokens_per_s": 1000.0, "trained_tokens_per_s": 2000.0, "tokens_per_completion": 100.0
    }  # fmt: skip
    small = {**rates, "completions_per_step": 16, "sampled_tokens_per_s": 500.0}
    measured = {"vllm": [small, {**rates, "completions_per_step": 128, **changes}]}
    (tmp_path / "rates.json").write_text(json.dumps({"rates": measured}))
    return tmp_path / "rates.json"


def test_measured_rates_give_hours_and_cost_on_a_gpu_too(words, tmp_path):
    file = written_rates(tmp_path)
    recipe = load(Recipe, None, [*words, "sampling.engine=vllm", "train.device=cuda", "sandbox.jobs=1"])
    text = plan(recipe, rates=file, usd_per_hour=2.5)
    # 924 completions of 100 tokens to sample, 896 to train, 952 programs of 0.07 s: 92.4 + 44.8 + 66.6 = 203.8 s;
    # with 192 tokens 177.4 + 86.0 + 66.6 = 330 s
    assert re.search(
        r"about 3 min with completions of 100 tokens, at most about 6 min: sampling 2 min, grading 67 s", text
    )
    assert "updates 45 s" in text
    assert (
        f"by the rates of a machine with 101,184 parameters, all of them trained, and 128 completions a step ({file})"
        in text
    )
    assert "about 0.14, at most 0.23 dollars at 2.5 an hour" in text
    assert "unknown without the machine's price" in plan(recipe, rates=file)


def test_rates_of_the_nearest_step_are_taken(words, tmp_path):
    recipe = load(Recipe, None, [*words, "sampling.engine=vllm", "train.prompts_per_step=4", "train.max_steps=28"])
    text = plan(recipe, rates=written_rates(tmp_path))  # 32 completions: nearer to 16 than to 128
    assert "and 16 completions a step" in text and "sampling 3 min" in text


def test_refilled_groups_count_at_the_most(words, tmp_path):
    def at_most(*more: str) -> str:
        recipe = load(Recipe, None, [*words, "sampling.engine=vllm", "sandbox.jobs=1", *more])
        return re.search(r"at most about (\S+ \S+):", plan(recipe, rates=written_rates(tmp_path)))[1]

    # 896 completions more of 192 tokens, a program each: 172 + 63 s a round
    assert (at_most(), at_most("rollout.refill_rounds=2")) == ("6 min", "13 min")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{}", "KeyError"),
        ('{"rates": {"hf": []}}', "'vllm'"),
        ('{"rates": {"vllm": []}}', "empty"),
        ('{"rates": {"vllm": [{"device": "x"}]}}', "parameters"),
        ("[1", "Expecting"),
    ],
)
def test_a_file_without_rates_of_the_engine_is_refused(words, tmp_path, content, said):
    if content is not None:
        (tmp_path / "rates.json").write_text(content)
    with pytest.raises(
        ConfigError, match=f"--rates .*rates.json: no rates of the engine vllm.*{said}.*bench_throughput"
    ):
        plan(load(Recipe, None, [*words, "sampling.engine=vllm"]), rates=tmp_path / "rates.json")


@pytest.mark.parametrize("change", [{"trained_tokens_per_s": 0}, {"dtype": "bfloat16"}])
def test_rates_of_nothing_or_of_another_type_are_refused(words, tmp_path, change):
    with pytest.raises(ConfigError, match="wanted is float32 and rates above 0"):
        plan(load(Recipe, None, [*words, "sampling.engine=vllm"]), rates=written_rates(tmp_path, **change))


@pytest.mark.parametrize("flags", [["--rates", "a.json"], ["--usd-per-hour", "2"], ["--dry-run", "--usd-per-hour=-1"]])
def test_flags_of_the_plan_belong_to_the_plan(flags):
    with pytest.raises(SystemExit) as refused:
        parse_arguments(flags)
    assert refused.value.code == 2


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"model_type": "qwen2"}'])
def test_a_directory_without_a_model_is_refused(words, tmp_path, config):
    (tmp_path / "model" / "config.json").write_text(config)
    with pytest.raises(ConfigError, match=r"model\.path = 'model': .*config\.json does not describe a model"):
        planned(words)


def test_a_model_of_another_kind_has_a_plan_without_memory(words, tmp_path):
    (tmp_path / "model" / "config.json").write_text(json.dumps({**TINY, "model_type": "mamba"}))
    assert planned(words)["memory"] == "unknown"


def planned_by(words: list[str], tmp_path: Path, first: str, then: str = "") -> subprocess.CompletedProcess[str]:
    """A plan in an interpreter of its own, with a line of program before it and one after it."""
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]\n{first}\n"
        "from grpo_rust.plan import plan; from grpo_rust.arguments import parse_arguments\n"
        f"print(plan(parse_arguments({[*words, 'train.max_steps=7']}).recipe))\n{then}"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)


def test_a_plan_imports_neither_torch_nor_transformers(words, tmp_path):
    done = planned_by(words, tmp_path, "", "print(sorted({'torch', 'transformers'} & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert "7: 16 prompts" in done.stdout and done.stdout.endswith("\n[]\n")


def test_a_plan_of_files_does_without_the_package_datasets(words, tmp_path):
    done = planned_by(words, tmp_path, "sys.modules['datasets'] = None")
    assert done.returncode == 0 and "7: 16 prompts" in done.stdout, done.stderr


MADE_FIRST = {  # what other commands make before a recipe can start, and what is here in its place
    "smollm2-135m-sft": ["model.path=assets/tiny-rust", "data.train=assets/tasks/train.jsonl"],
    "smollm2-135m": ["model.path=assets/tiny-rust"],
}


@pytest.mark.parametrize("path", sorted((ROOT / "scripts" / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_has_a_plan_before_anything_is_downloaded(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    recipe = load(Recipe, path, MADE_FIRST.get(path.stem, []))
    rows = dict(re.findall(r"^(\S+) +(.*)$", plan(recipe), flags=re.MULTILINE))
    assert {"prompts", "steps", "tokens", "memory", "fits", "disk", "time", "cost"} <= set(rows)
    for name in ("prompts", "steps", "memory", "disk"):
        assert "unknown" not in rows[name], name


def test_a_model_that_another_command_makes_first_is_missed_by_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks.jsonl").write_text('{"prompt": "a"}\n')
    here = ["data.train=tasks.jsonl", "data.eval=tasks.jsonl"]
    recipe = load(Recipe, ROOT / "scripts" / "recipes" / "smollm2-135m.toml", here)
    with pytest.raises(ConfigError, match="'runs/smollm2-sft/checkpoints/step-000048': neither a directory nor a name"):
        plan(recipe)


@pytest.mark.parametrize("name", ["qwen2.5-coder-1.5b.toml", "qwen2.5-coder-1.5b-fast.toml"])
def test_the_real_recipes_fit_into_one_h100(monkeypatch, name):
    """80 GB; published are 15,000 prompts."""
    monkeypatch.chdir(ROOT)
    recipe = load(Recipe, ROOT / "scripts" / "recipes" / name, ["train.device=cuda"])
    text = plan(recipe)
    assert "1,543,714,304 parameters" in text
    assert 15 < float(re.search(r"memory +about ([\d.]+) GB", text)[1]) < 70
    assert re.search(r"fits +one H100 has 80.0 GB: yes", text)
    assert "prompts     15,000 (as published: the file is not here yet)" in text
    assert recipe.sampling.engine == "hf" or recipe.train.prompts_per_step * recipe.sampling.group_size >= 256


def test_three_billion_weights_a_reference_and_vllm_fit_where_it_sleeps(monkeypatch):
    monkeypatch.chdir(ROOT)
    words = ["model.path=Qwen/Qwen2.5-Coder-3B-Instruct", "lora.rank=0", "loss.kl_beta=0.04", "train.device=cuda"]
    words += ["train.gradient_checkpointing=true", "rollout.overlap=0"]

    def fits(*more: str) -> str:
        return re.search(r"^fits +(.*)$", plan(load(Recipe, FAST, [*words, *more])), flags=re.MULTILINE)[1]

    assert fits() == (
        "NO: one H100 has 80.0 GB: try lora.rank=16, train.optimizer=adamw8bit, sampling.sleep=true rollout.overlap=0, "
        "a smaller sampling.kv_cache_gb, a smaller train.micro_batch_tokens"
    )
    small_adam = "train.optimizer=adamw8bit"
    assert fits(small_adam) == "one H100 has 80.0 GB: barely"
    more = fits(small_adam, "train.prompts_per_step=128")
    assert "try lora.rank=16, sampling.sleep" in more, "and says no more what is done"
    assert fits("sampling.sleep=true") == "one H100 has 80.0 GB: yes"
    assert fits("sampling.sleep=true", small_adam) == "one H100 has 80.0 GB: yes"
    assert fits("sampling.sleep=true", "train.prompts_per_step=16") == "one H100 has 80.0 GB: yes"


def test_what_does_not_fit_here_is_said(words, monkeypatch):
    assert planned(words)["fits"].startswith("yes: this machine has")
    monkeypatch.setattr("grpo_rust.resources._device_bytes", lambda device: ("this machine", 1_000_000))
    assert planned(words)["fits"] == "not here, this machine has 1 MB; one H100 has 80.0 GB: yes"


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ([], None),
        (["sampling.engine=vllm"], "vllm still there"),
        (["sampling.engine=vllm", "sampling.sleep=true"], None),
        (["sampling.engine=paged"], "paged still there"),
        (["train.device=cuda"], "paged still there"),
    ],
)
def test_the_plan_says_what_an_engine_takes(words, overrides, kept):
    memory = planned(words, *overrides)["memory"]
    assert (kept in memory) if kept else ("still there" not in memory)
    assert ("weights, their buffer and its sampler" in memory) == bool(overrides)


def test_a_cache_of_a_given_size_is_counted_as_such(words):
    assert "KV cache 3.0 GB" in planned(words, "sampling.engine=vllm", "sampling.kv_cache_gb=3")["memory"]
    assert "KV cache 3.0 GB" not in planned(words, "sampling.kv_cache_gb=3")["memory"], "a setting of vllm's"


def test_the_fast_recipe_trains_the_published_60_000_completions(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = plan(load(Recipe, FAST, ["train.device=cuda"]))
    assert "235: 64 prompts x 4 completions = 256 completions a step" in text
    assert 15_000 * 4 <= 235 * 256 < 15_000 * 4 + 256


@pytest.mark.parametrize(("device", "cores", "jobs"), [("cpu", 16, 16), ("cuda", 16, 13), ("cuda", 2, 1)])
def test_three_cores_are_left_to_those_who_launch_kernels(monkeypatch, device, cores, jobs):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
    assert num_jobs(load(Recipe, None, [f"train.device={device}"])) == jobs
    assert num_jobs(load(Recipe, None, [f"train.device={device}", "sandbox.jobs=5"])) == 5
