"""The contract of `simulating.assumed.divided_costs`: what one GPU took, on several; and of runs that had a GPU."""

from __future__ import annotations

import dataclasses
import json

import pytest

import simulate
from grpo.schema import ConfigError, load
from grpo_rust.known_sizes import find_model_shape
from grpo_rust.recipe import Recipe, load_recipe
from grpo_rust.scaling.costs import DecodingCost
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.from_recipe import step_settings
from grpo_rust.scaling.gpus import GPUS
from grpo_rust.scaling.work import step_work
from simulating.assumed import divided_costs
from simulating.comparing import compare
from simulating.costs import PipelineCosts
from simulating.measured import measured_costs, read_timed_run
from test_simulating import LENGTHS, finished

MODEL, H100 = "Qwen/Qwen2.5-Coder-1.5B-Instruct", GPUS["h100"]
MODEL_SHAPE, _ = find_model_shape(MODEL)
COSTS = PipelineCosts(
    lengths=((100,),),
    decoding=DecodingCost(0.014, 0.001, slots=5),
    training_s=lambda tokens: 0.001 * tokens,
    weights_s=0.75,
    programs=((0.3, 0.0),),
    batch_s=0.0,
    host_s=0.0,
    on_gpu=True,
)
SETTINGS = step_settings(load(Recipe, None, ["model.dtype=bfloat16"]))


def test_one_gpu_has_what_was_measured():
    assert divided_costs(COSTS, "no-such/model", SETTINGS, Division(1), H100) is COSTS
    with pytest.raises(ConfigError, match="no-such/model"):
        divided_costs(COSTS, "no-such/model", SETTINGS, Division(2), H100)


def test_an_update_is_divided_among_ranks_and_not_shorter_than_its_traffic():
    found = divided_costs(COSTS, MODEL, SETTINGS, Division(4), H100)
    assert found.training_s(20_000) == pytest.approx(20 / 4) and found.decoding == COSTS.decoding
    sent = step_work(SETTINGS, MODEL_SHAPE, Division(4), mean_tokens=1 / 128, prompt_tokens=SETTINGS.prompt_tokens)
    assert found.training_s(1) == pytest.approx(sent.sent_bytes / H100.bytes_per_s(4)) and found.training_s(1) > 0.01
    assert found.training_s(0) == 0


def test_new_weights_take_as_much_longer_as_they_travel():
    whole = MODEL_SHAPE.parameters
    host = (4 + 2) * whole / H100.host_bytes_per_s
    wire = 2 * whole / H100.bytes_per_s(4)
    assert divided_costs(COSTS, MODEL, SETTINGS, Division(2), H100).weights_s == pytest.approx(0.75 + host)
    assert divided_costs(COSTS, MODEL, SETTINGS, Division(2, 2), H100).weights_s == pytest.approx(0.75 + host + wire)


def test_gpus_that_share_an_engine_divide_all_but_the_hosts_part_of_an_iteration():
    wide = divided_costs(COSTS, MODEL, SETTINGS, Division(1, 2, 2), H100).decoding
    assert (wide.iteration_s, wide.row_s, wide.slots) == pytest.approx((0.004 + 0.005, 0.0005, 5))
    fast = dataclasses.replace(COSTS, decoding=DecodingCost(0.003, 0.0))
    assert divided_costs(fast, MODEL, SETTINGS, Division(1, 2, 2), H100).decoding.iteration_s == 0.003


# Runs


def on_gpu(path, **more):
    """A finished run on a machine with one GPU and 16 cores."""
    finished(path, lengths=LENGTHS, **more)
    (path / "environment.json").write_text('{"machine": {"cores": 16, "gpus": ["NVIDIA H100"]}}')
    return path


def test_a_run_on_a_gpu_is_simulated_on_gpus(tmp_path, capsys):
    path = on_gpu(tmp_path / "a", settings=[f"model.path={MODEL}"])
    words = [str(path / "config.toml"), "train.prompts_per_step=4"]
    assert simulate.main([*words, "--rates", str(path), "--gpus", "1,2", "--steps", "2", "--json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (one["gpus"], one["cores"], two["gpus"], two["ranks"], two["cores"]) == (1, 16, 2, 2, 32)
    assert two["spent"]["training"] == pytest.approx(one["spent"]["training"] / 2, rel=0.3)
    other = on_gpu(tmp_path / "b", settings=[f"model.path={MODEL}"])
    (compared,) = compare([read_timed_run(path)], [read_timed_run(other)], cores=16, steps=2, seed=0)
    assert compared.simulated > 0


def test_rates_of_a_gpu_say_nothing_of_a_cpu(tmp_path):
    run, here = map(read_timed_run, (on_gpu(tmp_path / "a"), finished(tmp_path / "b", lengths=LENGTHS)))
    assert run.on_gpu and not here.on_gpu
    recipe = ["model.path=m", "train.threads=1"]
    for runs, device in (([run], "cpu"), ([here], "cuda"), ([run, here], "auto")):
        with pytest.raises(ConfigError, match="train.device"):
            measured_costs(runs, load_recipe(None, [*recipe, f"train.device={device}"]))
    assert measured_costs([run], load_recipe(None, [*recipe, "sampling.engine=paged"])).on_gpu, "hf on a GPU is paged"


def test_a_run_that_was_divided_gives_no_rates(tmp_path):
    path = on_gpu(tmp_path / "ranks")
    (path / "rank-1.log").touch()
    apart = on_gpu(tmp_path / "apart", settings=["sampling.engine=vllm", "sampling.data_parallel=1"])
    for run in (path, apart):
        with pytest.raises(ConfigError, match="was divided among ranks or engines"):
            read_timed_run(run)


def test_more_batches_ahead_than_steps_leave_none(tmp_path):
    settings = ["rollout.overlap=3", "rollout.max_staleness=3"]
    path = finished(tmp_path / "a", lengths=[[5, 5]] * 3, settings=settings)
    with pytest.raises(ConfigError, match="at least two steps"):
        read_timed_run(path)
    assert simulate.main(["--rates", str(path), "--compare", str(path)]) == 2


@pytest.mark.parametrize(
    "flag", [["--gpus", "2"], ["--gpu", "h200"], ["--engine-share", "0"], ["--grow"], ["--host-ms", "1"]]
)
def test_a_comparison_takes_no_flags_of_other_gpus(flag, capsys):
    with pytest.raises(SystemExit, match="2"):
        simulate.main(["--rates", "a", "--compare", "b", *flag])
    assert f"{flag[0]} with --compare: its runs say what they ran on" in capsys.readouterr().err
