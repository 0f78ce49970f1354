"""The contract of scripts/simulate.py: a table or JSON by the number of GPUs, within seconds, and clear errors."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import simulate

ROOT = Path(__file__).resolve().parents[2]
FAST = str(ROOT / "scripts" / "recipes" / "qwen2.5-coder-1.5b-fast.toml")


def simulated(capsys, *words: str) -> list[dict[str, object]]:
    """What the command prints as JSON."""
    assert simulate.main([FAST, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_more_gpus_and_a_larger_batch_give_more_completions_an_hour(capsys):
    one, eight = simulated(capsys, "--gpus", "1,8", "--grow", "--steps", "4")
    assert (one["gpus"], one["completions"], eight["gpus"], eight["completions"]) == (1, 256, 8, 2048)
    assert (one["ranks"], one["engines"], eight["ranks"], eight["engines"]) == (1, 1, 4, 4)
    assert one["steps_per_hour"] < 3600 / 7, "docs/h100.md estimates 8 to 10 s a step"
    assert one["steps_per_hour"] > 3600 / 11
    speeds = [run["steps_per_hour"] * run["completions"] for run in (one, eight)]
    assert 4 < speeds[1] / speeds[0] <= 8
    assert set(one["idle"]) == {"trainer", "engines", "workers"} and one["bottleneck"] in one["spent"]


def test_gpus_of_their_own_for_engines_hide_sampling(capsys):
    (shared,) = simulated(capsys, "--gpus", "8", "--engine-share", "0", "--steps", "4")
    (apart,) = simulated(capsys, "--gpus", "8", "--engine-share", "0.75", "--steps", "4")
    assert (shared["ranks"], shared["engines"], apart["ranks"], apart["engines"]) == (8, 1, 2, 6)
    assert apart["spent"]["sampling"] < shared["spent"]["sampling"]


def test_what_the_trainers_process_does_for_a_completion_is_not_divided_among_gpus(capsys):
    """A hundredth of a second for each of 256 completions."""
    (none,), (some,) = (simulated(capsys, "rollout.overlap=0", "--steps", "3", "--host-ms", ms) for ms in ("0", "10"))
    assert 3600 / some["steps_per_hour"] - 3600 / none["steps_per_hour"] == pytest.approx(2.56)


def test_too_few_cores_make_cargo_the_bottleneck(capsys):
    (many,), (few,) = (simulated(capsys, "--steps", "3", "--cores", cores) for cores in ("16", "1"))
    assert many["bottleneck"] != "grading" == few["bottleneck"]
    assert few["steps_per_hour"] < many["steps_per_hour"]


@pytest.mark.slow
def test_a_thousand_gpus_take_ten_seconds(capsys):
    started = time.process_time()
    simulated(capsys, "--gpus", "1024", "--grow", "--engine-share", "0.5", "--steps", "4")
    assert time.process_time() - started < 10


def test_a_picture_is_drawn(capsys, tmp_path):
    path = tmp_path / "sizes.svg"
    assert simulate.main([FAST, "--gpus", "1,2", "--steps", "2", "--picture", str(path)]) == 0
    assert "steps/h" in capsys.readouterr().out
    text = path.read_text()
    ElementTree.fromstring(text)
    assert text.count('class="line') == 5 and "NaN" not in text and "nan" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gpu", "h100,h200"], "GPUs of different sizes (H100 with 80 GB, H200 with 141 GB)"),
        (["--gpu", "tpu"], "no figures are known of the GPU tpu: there are a100, h100, h200"),
        (["--cores", "0"], "0 cores: cargo needs at least one"),
        (["--gpus", "1024"], "512 ranks for 256 completions of an update"),
        (["--gpus", "256"], "128 engines for 64 prompts of a step"),
        (["--gpus", "4", "train.compile_layers=true"], "several ranks cannot train this recipe"),
        (["rollout.turns=2"], "rollout.turns, rollout.testers and rollout.deadline_s are not"),
        (["rollout.deadline_s=60"], "use rollout.turns=1 rollout.testers=0 rollout.deadline_s=0"),
        (["model.path=no-such/model"], "give rates that were measured: --rates RUN"),
        (["--rates", "no-such-run"], "no-such-run is no run: it has no config.toml"),
        (["rollout.overlap=2", "rollout.max_staleness=1"], "completions are 2 updates old"),
        ([FAST], "got 2 recipes"),
        (
            ["sampling.data_parallel=2", "--gpus", "2"],
            "2 GPUs, and 2 of them would only sample: give --gpus at least 3",
        ),
        (["--engine-gpus", "4", "--gpus", "8,4"], "4 GPUs, and 4 of them would only sample: give --gpus at least 5"),
        (["sampling.servers=http://a:1", "--gpus", "8"], "give --engine-gpus M, the number of all"),
        (["sampling.servers=http://a:1,http://b:1", "--gpus", "8", "--engine-gpus", "1"], "2 servers: give at least 2"),
        (["sampling.data_parallel=2", "--gpus", "8", "--engine-gpus", "4"], "tensor_parallel is 2: give one"),
        (
            ["sampling.engine=paged", "--gpus", "4", "--engine-gpus", "2"],
            '--engine-gpus 2, and sampling.engine = "paged"',
        ),
        (
            ["sampling.data_parallel=2", "--gpus", "4", "--engine-share", "0.5"],
            "the recipe has 2 GPUs that sample: give",
        ),
        (
            ["sampling.engine=paged", "--gpus", "4", "--engine-share", "0.5"],
            "has no engine on other GPUs than the trainer's",
        ),
        (
            ["--gpus", "1", "--steps", "1", "--picture", "/dev/null/x.svg"],
            "--picture /dev/null/x.svg: cannot be written",
        ),
    ],
)
def test_what_cannot_be_simulated_is_said(words, message, capsys):
    assert simulate.main([FAST, *words]) == 2
    assert message in capsys.readouterr().err


RATES = """
lengths = [10]
programs = [[0.3, 0.0]]
batch_s = 0.0
iteration_s = 0.1
row_s = 0.0
update_s = 1.0
token_s = 0.05
weights_s = 0.5
host_s = 0.0
"""


def test_rates_may_have_names_in_a_file(capsys, tmp_path):
    (tmp_path / "rates.toml").write_text(RATES)
    few = ["train.prompts_per_step=1", "sampling.group_size=2", "sandbox.jobs=2", "rollout.overlap=0"]
    (one,) = simulated(capsys, *few, "--rates", str(tmp_path / "rates.toml"), "--cores", "2")
    assert 3600 / one["steps_per_hour"] == pytest.approx(1 + 0.3 + 1 + 0.05 * 20 + 0.5)
    assert one["gpus"] == 0 and one["source"].endswith("rates.toml")


def test_rates_of_a_cpu_are_of_no_gpus(capsys, tmp_path):
    (tmp_path / "rates.toml").write_text(RATES)
    for more in (["--gpus", "2"], ["train.device=cuda"], ["--picture", str(tmp_path / "x.svg")]):
        assert simulate.main([FAST, *more, "--steps", "1", "--rates", str(tmp_path / "rates.toml")]) == 2
        assert "rates" in (said := capsys.readouterr().err) and "of a CPU" in said


def test_rates_of_one_gpu_are_divided_among_several(capsys, tmp_path):
    """1 s of sampling, .3 s of grading, and of 2 s of training and .5 s for new weights what two ranks leave."""
    (tmp_path / "rates.toml").write_text(RATES + 'device = "cuda"\n')
    few = ["train.prompts_per_step=1", "sampling.group_size=2", "sandbox.jobs=2", "rollout.overlap=0"]
    shared = ["--engine-share", "0", "--rates", str(tmp_path / "rates.toml")]
    one, two = simulated(capsys, *few, *shared, "--gpus", "1,2")
    assert (one["gpus"], two["gpus"], two["ranks"], two["cores"]) == (1, 2, 2, 32)
    assert 3600 / one["steps_per_hour"] == pytest.approx(1 + 0.3 + 2 + 0.5)
    assert two["spent"]["training"] == pytest.approx(1.0) and two["spent"]["sampling"] == pytest.approx(1.0)
    assert two["spent"]["new weights"] > 0.5 and two["source"].endswith("divided as docs/scale.md says")


def test_the_gpus_of_servers_are_those_that_are_given(capsys):
    servers = ["sampling.servers=http://a:1,http://b:1", "--engine-gpus", "16", "--steps", "1"]
    (all_sample,) = simulated(capsys, *servers, "--gpus", "32")
    assert (all_sample["ranks"], all_sample["engines"]) == (16, 16)
    one, two = simulated(capsys, "--engine-gpus", "2", "--steps", "1", "--gpus", "4,8")
    assert (one["ranks"], one["engines"], two["ranks"], two["engines"]) == (2, 2, 6, 2)


def test_the_engines_are_those_of_the_recipe(capsys):
    wide, default, paged = (
        simulated(capsys, *words, "--gpus", "8", "--steps", "1")[0]
        for words in (["sampling.data_parallel=1", "sampling.tensor_parallel=4"], [], ["sampling.engine=paged"])
    )
    assert (wide["ranks"], wide["engines"]) == (4, 1) and (default["ranks"], default["engines"]) == (4, 4)
    assert (paged["ranks"], paged["engines"]) == (8, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("row_s = 0.0", "row_s = inf", "row_s is inf: seconds, 0 or more, and not inf"),
        ("host_s = 0.0", 'host_s = 0.0\ndevice = "tpu"', "device is 'tpu'"),
        (
            RATES,
            "".join(f"{name}_s = 0\n" for name in ("batch", "iteration", "row", "update", "token", "weights", "host"))
            + "lengths = [1]\nprograms = [[0, 0]]\n",
            "by these rates a step takes no time",
        ),
        ("host_s = 0.0\n", "", "rates are missing: host_s"),
        ("host_s", "hots_s", "hots_s is no rate: there are lengths, programs"),
        ("row_s = 0.0", "row_s = -1", "row_s is -1: seconds, 0 or more"),
        ("[10]", "[]", "lengths has to be a list"),
        ("[[0.3, 0.0]]", "[0.3]", "programs has to be a list of pairs"),
        ("host_s = 0.0", "host_s = 0.0\nworker_load = 0", "worker_load is 0: above 0"),
        ("lengths", "= lengths", "cannot be read"),
    ],
)
def test_a_file_of_rates_that_cannot_be_used_is_refused(old, new, message, capsys, tmp_path):
    (tmp_path / "rates.toml").write_text(RATES.replace(old, new))
    assert simulate.main([FAST, "--rates", str(tmp_path / "rates.toml")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--gpus", "0"], ["--gpus", "2048"], ["--gpus", "1,x"], ["--engine-share", "1"], ["--compare", "runs/a"]]
    + [["--engine-gpus", "-1"], ["--engine-gpus", "2", "--engine-share", "0.5"]]
    + [["--engine-gpus", "2", "--rates", "runs/a", "--compare", "runs/b"]]
    + [["--seed", "-1"], ["--host-ms", "nan"], ["--rates", "rates.toml", "runs/a"]],
)
def test_arguments_out_of_range_end_with_exit_code_2(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        simulate.main([FAST, *words])
    assert words[0].lstrip("-") in capsys.readouterr().err
