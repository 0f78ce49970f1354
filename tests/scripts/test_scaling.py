"""The contract of `grpo_rust.scaling`: memory of a rank, traffic, cores and bottleneck by hand, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from grpo.schema import ConfigError, load
from grpo_rust.arguments import parse_arguments
from grpo_rust.engine_choice import refuse_idle_engines
from grpo_rust.memory_estimate import RUNTIME_BYTES, estimate_memory, model_shape
from grpo_rust.plan import plan
from grpo_rust.recipe import Recipe, load_recipe
from grpo_rust.scaling.costs import decoding_cost, training_s, weights_s
from grpo_rust.scaling.division import Division, divide
from grpo_rust.scaling.from_recipe import step_settings
from grpo_rust.scaling.gpus import GPUS, one_kind
from grpo_rust.scaling.rank_memory import engine_bytes, loading_bytes, rank_memory
from grpo_rust.scaling.work import layer_parameters, step_work
from tiny_config import TINY

SHAPE = model_shape(TINY)
ENDS = 128 * 64 + 64  # embeddings, which are the head too, and the last norm
WHOLE = estimate_memory(
    SHAPE, dtype="bfloat16", reference=True, micro_batch_tokens=64, rows=4, row_tokens=32, own_engine=True
)
ALL_WEIGHTS = step_settings(load(Recipe, None, ["model.dtype=bfloat16", "train.micro_batch_tokens=1000"]))


def test_a_layer_has_the_weights_of_its_matrices():
    # q and o 64 x 64, k and v 64 x 32, three of 64 x 96
    assert layer_parameters(SHAPE) == 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96
    assert SHAPE.parameters - 3 * layer_parameters(SHAPE) - ENDS == 3 * (128 + 64 + 2 * 32)  # norms and biases


def test_ranks_share_what_is_stored_and_hold_what_they_gather():
    rank = rank_memory(WHOLE, SHAPE, Division(4), dtype="bfloat16")
    parameters, layer = SHAPE.parameters, layer_parameters(SHAPE)
    ends = parameters - 3 * layer
    assert (rank.weights, rank.adam, rank.reference) == (parameters, 2 * parameters, 2 * parameters // 4)
    lora = estimate_memory(
        SHAPE, dtype="bfloat16", reference=False, micro_batch_tokens=64, rows=4, row_tokens=32, lora_rank=2
    )
    frozen = rank_memory(lora, SHAPE, Division(4), dtype="bfloat16")
    assert frozen.weights == (2 * parameters + 4 * 2 * SHAPE.linear_ends) // 4, "bfloat16, and the adapters float32"
    frozen_ends = rank_memory(lora, SHAPE, Division(4), dtype="bfloat16", adapters=True).compute_copy
    assert frozen_ends == 2 * ends + 2 * 2 * layer, "as they are stored"
    assert rank.gradients == parameters + 4 * max(layer, ends)
    assert rank.compute_copy == 4 * ends + 2 * 2 * layer
    assert (rank.activations, rank.head, rank.engine, rank.kv_cache) == (
        WHOLE.activations, WHOLE.head, WHOLE.engine, WHOLE.kv_cache,
    )  # fmt: skip
    assert rank_memory(WHOLE, SHAPE, Division(1), dtype="bfloat16") == WHOLE


def test_with_gpus_of_their_own_engines_leave_the_ranks():
    rank = rank_memory(WHOLE, SHAPE, Division(1, 2), dtype="bfloat16")
    assert rank.engine == rank.kv_cache == rank.beside_updates == 0 and rank.weights == WHOLE.weights
    assert engine_bytes(WHOLE, Division(1, 2)) == RUNTIME_BYTES + WHOLE.engine + WHOLE.kv_cache
    assert engine_bytes(WHOLE, Division(1, 2, 2)) == RUNTIME_BYTES + (WHOLE.engine + WHOLE.kv_cache) // 2


def test_a_host_holds_the_whole_model_once_for_each_of_its_ranks_while_they_load():
    whole = 4 * SHAPE.parameters
    assert loading_bytes(SHAPE, Division(2, 8), per_machine=8) == 2 * whole
    assert loading_bytes(SHAPE, Division(12), per_machine=8) == 8 * whole


def test_traffic_is_gathered_twice_and_summed_once_a_micro_batch():
    # 16 x 8 completions of 50 tokens and 16 prompts of 25: 6,800 tokens; 1,700 a rank: 2 micro-batches
    work = step_work(ALL_WEIGHTS, SHAPE, Division(4), mean_tokens=50, prompt_tokens=25)
    assert (work.completions, work.sampled_tokens, work.trained_tokens, work.micro_batches) == (128, 6400, 6800, 2)
    layers = 3 * layer_parameters(SHAPE)
    assert work.gathered_bytes == 2 * 0.75 * (2 * 2 * layers + 4 * (SHAPE.parameters - layers))
    assert work.reduced_bytes == 2 * 0.75 * 4 * SHAPE.parameters
    assert work.operations == 6 * SHAPE.parameters * 6800 and work.weight_bytes == 2 * SHAPE.parameters
    adapters = dataclasses.replace(ALL_WEIGHTS, lora_rank=2, micro_batch_tokens=8192, gradient_checkpointing=True)
    lora = step_work(adapters, SHAPE, Division(4), mean_tokens=50, prompt_tokens=25)
    assert lora.micro_batches == 1 and lora.reduced_bytes == 0.75 * 4 * 2 * SHAPE.linear_ends
    assert lora.operations == pytest.approx(4 * 4 / 3 * SHAPE.parameters * 6800)
    alone = step_work(ALL_WEIGHTS, SHAPE, Division(1), mean_tokens=50, prompt_tokens=25)
    assert alone.sent_bytes == 0 and alone.micro_batches == 7


def test_an_update_takes_the_longer_of_operations_and_traffic():
    h100, few, many = GPUS["h100"], Division(2), Division(64)
    works = [step_work(ALL_WEIGHTS, SHAPE, one, mean_tokens=50, prompt_tokens=25) for one in (few, many)]
    fast, slow = (h100.link_share * speed for speed in (h100.link_bytes_per_s, h100.network_bytes_per_s))
    computing = [work.operations / (one.ranks * 0.33 * 989e12) for work, one in zip(works, (few, many), strict=True)]
    sending = [works[0].sent_bytes / fast, works[1].sent_bytes / slow]
    assert training_s(ALL_WEIGHTS, works[0], few, h100) == pytest.approx(max(computing[0], sending[0]))
    assert training_s(ALL_WEIGHTS, works[1], many, h100) == pytest.approx(sending[1])
    assert sending[1] > computing[1], "more ranks compute faster, and send as much as before"
    # float32 to the first rank's host, bfloat16 from there; and to an engine on another GPU
    by_host = (4 + 2) * SHAPE.parameters / 10e9
    assert weights_s(works[0], few, h100) == pytest.approx(by_host + 0.5)
    assert weights_s(works[0], Division(2, 1), h100) == pytest.approx(by_host + works[0].weight_bytes / fast + 0.5)
    assert weights_s(works[0], Division(1), h100) == 0.5
    machines = Division(2, 20)  # three servers, one after the other
    assert weights_s(works[0], machines, h100) == pytest.approx(by_host + 3 * works[0].weight_bytes / slow + 0.5)


def test_decoding_reads_all_weights_and_each_rows_cache():
    h100 = GPUS["h100"]
    cost = decoding_cost(ALL_WEIGHTS, SHAPE, h100, context_tokens=100)
    assert cost.iteration_s == pytest.approx(0.004 + 2 * SHAPE.parameters / (0.7 * 3.35e12))
    cache = 100 * 2 * 3 * 32 * 2 / (0.7 * 3.35e12)
    assert cost.row_s == pytest.approx(cache + 2 * SHAPE.parameters / (0.7 * 989e12)) and cost.slots == 0
    halves = decoding_cost(ALL_WEIGHTS, SHAPE, h100, context_tokens=100, gpus=2)
    assert halves.iteration_s - 0.004 == pytest.approx((cost.iteration_s - 0.004) / 2)
    assert halves.row_s == pytest.approx(cost.row_s / 2)
    small = dataclasses.replace(ALL_WEIGHTS, kv_cache_gb=0.001)
    assert decoding_cost(small, SHAPE, h100, context_tokens=100).slots == 1_000_000 // (384 * (256 + 192))


@pytest.mark.parametrize(
    ("ranks", "engine_gpus", "message"),
    [
        (0, 0, "at least one has to train"),
        (1, -1, "at least one has to train"),
        (129, 0, "129 ranks for 128 completions of an update"),
        (1, 17, "17 engines for 16 prompts"),
    ],
)
def test_ranks_and_engines_without_work_are_refused(ranks, engine_gpus, message):
    with pytest.raises(ConfigError, match=message):
        divide(step_settings(Recipe()), ranks, engine_gpus)


@pytest.mark.parametrize("setting", ["model.dtype=float16", "train.optimizer=adamw8bit", "train.compile_layers=true"])
def test_a_plan_refuses_what_ranks_refuse(setting):
    with pytest.raises(ConfigError, match=f"several ranks cannot train this recipe:\n  {setting.partition('=')[0]}"):
        parse_arguments([setting, "--dry-run", "--gpus", "4"])
    assert parse_arguments([setting, "--dry-run", "--gpus", "1", "--engine-gpus", "1"]).division == Division(1, 1)


def test_gpus_of_one_kind_are_known_by_name_and_others_refused():
    assert one_kind(["h200", "h200"]) is GPUS["h200"]
    with pytest.raises(ConfigError, match="different sizes.*A100 with 80 GB, H200 with 141 GB"):
        one_kind(["h200", "a100"])
    with pytest.raises(ConfigError, match="GPU b300"):
        one_kind(["b300"])


# The plan


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A recipe whose model is a config.json, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(TINY))
    for name in ("train", "eval"):
        (tmp_path / f"{name}.jsonl").write_text('{"prompt": "a"}\n' * 100)
    data = ["data.train=train.jsonl", "data.eval=eval.jsonl", "sampling.engine=vllm", "model.dtype=bfloat16"]
    return ["model.path=model", "run.dir=out", "train.device=cpu", *data]


def plan_text(words: list[str], *more: str) -> str:
    given = parse_arguments([*words, "--dry-run", *more])
    return plan(given.recipe, division=given.division, gpu=given.gpu, usd_per_hour=given.usd_per_hour)


def rows(words: list[str], *more: str) -> dict[str, str]:
    """A plan by the names of its rows."""
    return dict(re.findall(r"^(\S+) +(.*)$", plan_text(words, *more), flags=re.MULTILINE))


def test_a_plan_for_several_gpus_has_memory_traffic_cores_and_bottleneck(words):
    found = rows(words, "--gpus", "4", "--engine-gpus", "2", "--usd-per-hour", "36")
    assert found["gpus"] == "6 x H100: 4 train, 2 sample, an engine each"
    assert re.match(r"about 7\d\d MB on a rank, 7\d\d MB on an engine's GPU", found["memory"])
    assert found["fits"] == "one H100 has 80.0 GB: yes"
    assert re.match(
        r"a rank sends .* a step \(gathered weights .*, 1 micro-batch a rank\); .* each engine by way", found["traffic"]
    )
    assert re.match(r"\d+ for cargo: \d+ completions a second, 0.07 s of CPU each", found["cores"])
    assert re.match(r"sampling: sampling 0.8 s, .* with fewer cores than those, cargo", found["bottleneck"])
    assert "for 100 steps" in found["time"] and found["cost"].endswith("dollars at 36 an hour")


def test_the_plan_has_the_engines_of_the_recipe(words):
    apart = ["sampling.data_parallel=4", "sampling.tensor_parallel=2"]
    assert rows(words, *apart, "--gpus", "2")["gpus"] == "10 x H100: 2 train, 8 sample, 2 an engine"
    assert rows(words, "sampling.data_parallel=4", "--gpus", "2")["gpus"].endswith("4 sample, an engine each")
    assert rows(words, "sampling.servers=http://a:1,http://b:1", "--gpus", "1")["gpus"].endswith(
        "2 sample, an engine each"
    )
    assert rows(words, "sampling.servers=http://a:1", "--gpus", "1", "--engine-gpus", "8")["gpus"].startswith("9 x")
    with pytest.raises(ConfigError, match="--engine-gpus 4, and .* is 8: give one"):
        rows(words, *apart, "--gpus", "2", "--engine-gpus", "4")
    with pytest.raises(ConfigError, match="3 GPUs that sample are no engines of 2 GPUs each"):
        divide(ALL_WEIGHTS, 1, 3, 2)


@pytest.mark.parametrize("overlap", [0, 1])
def test_too_few_cores_for_cargo_are_the_bottleneck(words, overlap):
    """128 programs of 70 ms on one core take 9 s."""
    found = rows(words, "--gpus", "1", "--engine-gpus", "1", f"rollout.overlap={overlap}", "sandbox.jobs=1")
    assert re.match(r"cargo: sampling .*, cargo 9\.0 s; about (9|10)\.\d s a step$", found["bottleneck"])
    assert found["cores"].endswith("; sandbox.jobs=1")
    many = rows(words, "--gpus", "1", "--engine-gpus", "1", f"rollout.overlap={overlap}", "sandbox.jobs=64")
    assert many["bottleneck"].startswith("sampling:")


@pytest.mark.parametrize("overlap", [0, 1])
@pytest.mark.parametrize(
    "gpus", [["--gpus", "4"], ["--gpus", "1", "--engine-gpus", "2"], ["--gpus", "4", "--engine-gpus", "4"]]
)
def test_as_many_cores_as_the_plan_says_are_enough(words, overlap, gpus):
    """And none of them is idle; training, sampling and new weights of 8B all take seconds."""
    large = ["model.path=meta-llama/Llama-3.1-8B-Instruct", "train.prompts_per_step=64", f"rollout.overlap={overlap}"]
    given = [*large, "sampling.max_completion_tokens=800", *gpus]

    def waits(*more: str) -> tuple[str, str]:
        """For what most of the step, and how long that is."""
        text = rows(words, *given, *more)["bottleneck"]
        return text.partition(":")[0], re.search(r"about [\d.]+ s a step", text)[0]

    cores = int(rows(words, *given)["cores"].split()[0])
    assert waits(f"sandbox.jobs={cores}") == waits()
    assert cores > 1 and waits(f"sandbox.jobs={cores - 1}")[1] != waits()[1]


def test_workers_of_each_node_of_ray_are_not_those_of_all(words):
    ray = rows(words, "--gpus", "1", "sandbox.pool=ray", "sandbox.jobs=1")
    assert ray["cores"].endswith("; sandbox.jobs=1 on each node") and "cargo 9" not in ray["bottleneck"]


def test_more_engines_leave_an_update_as_it_is(words):
    """Its micro-batch is bounded by the step's completions, not by those of an engine."""
    long = ["--gpus", "1", "train.micro_batch_tokens=100000", "--engine-gpus"]
    texts = [plan_text(words, *long, engines) for engines in ("1", "16")]
    activations = [re.search(r"activations ([\d.]+ \wB)", text)[1] for text in texts]
    assert activations[0] == activations[1]


def test_what_does_not_fit_is_said_and_another_gpu_may_do(words):
    large = ["--gpus", "2", "model.path=meta-llama/Llama-3.1-8B-Instruct", "train.gradient_checkpointing=true"]
    assert rows(words, *large)["fits"] == "one H100 has 80.0 GB: NO"
    assert rows(words, *large, "--gpu", "h200")["fits"] == "one H200 has 141.0 GB: yes"
    loading = rows(words, *large, "--gpus", "16")["host"]
    assert loading.startswith("about 257.0 GB of a machine's memory while its 8 ranks load the model")
    assert rows(words, *large, "--gpus", "1")["host"].startswith("about 32.1 GB of a machine's memory while")


def test_torchrun_says_how_many_ranks_there_are(words, monkeypatch):
    assert "gpus" not in rows(words)
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert rows(words)["gpus"] == "8 x H100: 8 train, an engine beside the first"
    assert rows(words, "--gpus", "2")["gpus"].startswith("2 x H100")
    monkeypatch.setenv("WORLD_SIZE", "eight")
    with pytest.raises(ConfigError, match="WORLD_SIZE is 'eight'"):
        rows(words)


def test_engines_of_the_recipe_are_planned_beside_one_trainer(words):
    auto = [*words, "train.device=auto", "--dry-run", "sampling.data_parallel=2"]
    assert parse_arguments(auto).division == Division(1, 2)
    assert parse_arguments([*auto, "train.device=cpu"]).division is None, "there a copy is tried out without GPUs"
    assert parse_arguments([*auto, "--rates", "measured.json"]).division is None, "they are of one GPU"


def test_the_number_of_gpus_belongs_to_the_plan_and_has_no_measured_rates(words, capsys):
    for flags, message in (
        (["--gpus", "2"], "give --dry-run"),
        (["--dry-run", "--gpus", "2", "--rates", "a"], "simulate"),
    ):
        with pytest.raises(SystemExit, match="2"):
            parse_arguments([*words, *flags])
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings", [["sampling.data_parallel=3"], ["sampling.servers=http://a:1, http://b:1 http://c:1"]]
)
def test_more_engines_than_prompts_are_refused_before_a_run(settings: list[str]) -> None:
    sampling = load_recipe(None, ["sampling.engine=vllm", *settings]).sampling
    with pytest.raises(ConfigError, match="3 engines for 2 prompts of a step"):
        refuse_idle_engines(sampling, 2)
    refuse_idle_engines(sampling, 3)
    refuse_idle_engines(load_recipe(None).sampling, 1)
