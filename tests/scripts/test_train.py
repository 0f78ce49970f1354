"""The main job, as its user runs it: real model, real cargo; exit codes, what is written, stopping and going on."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from grpo.config.track import TRACKERS
from grpo.run.directory import RunDirectory
from grpo_rust.arguments import parse_arguments
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.prompts import load_prompts
from grpo_rust.session import summarise

pytestmark = pytest.mark.alone

HAS_VLLM = importlib.util.find_spec("vllm") is not None
WITHOUT_VLLM = pytest.mark.skipif(not HAS_VLLM, reason="vLLM is not installed: make test ENGINE=vllm")
ROOT = Path(__file__).resolve().parents[2]
TrainHere = Callable[..., subprocess.CompletedProcess[str]]
SMALL = [
    "train.prompts_per_step=2",
    "sampling.group_size=2",
    "sampling.max_completion_tokens=120",
    "eval.prompts=2",
    "eval.samples=1",
    "train.threads=1",
    "sandbox.keep_verdicts=false",  # every test grades for itself
]


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "scripts" / "train.py"), *arguments]


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A whole run of two steps."""
    path = tmp_path_factory.mktemp("runs") / "first"
    return path, train(*SMALL, "train.max_steps=2", f"run.dir={path}")


def test_a_run_ends_with_a_table_and_a_report(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path, done = finished
    assert done.returncode == 0, done.stderr
    for row in ("build", "clippy", "tests", "strict tests", "gold tests", "before", "after"):
        assert row in done.stdout
    assert str(path / "report.html") in done.stdout
    assert "<html" in (path / "report.html").read_text()[:200]


def test_the_run_directory_holds_what_the_readme_says(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    path, _ = finished
    summary = json.loads((path / "summary.json").read_text())
    rates = {"build", "clippy", "test", "test_strict", "gold", "asserts_mean", "length_mean"}
    sizes = {"steps", "num_prompts", "num_samples"}
    money = {"seconds", "seconds_expected", "usd", "usd_expected", "ended"}
    assert set(summary) == {"before", "after"} | sizes | money
    assert set(summary["before"]) == set(summary["after"]) == rates
    assert all(0 <= summary["after"][name] <= 1 for name in rates - {"asserts_mean", "length_mean"})
    assert (summary["steps"], summary["num_prompts"], summary["num_samples"]) == (2, 2, 1)
    assert [line["step"] for line in lines(path / "metrics.jsonl")] == [1, 2]
    completions = lines(path / "completions.jsonl")
    assert len(completions) == 2 * 4 + 2 * 2 == len({line["id"] for line in completions})
    assert all("outcome" in line["verdict"] or not line["verdict"]["code"] for line in completions)
    scores = lines(path / "rewards" / "cargo_build.jsonl")
    assert len(scores) == 8
    assert set(scores[0]) == {"time", "step", "function", "score", "task_id", "completion_id", "seconds"}
    environment = json.loads((path / "environment.json").read_text())
    assert environment["rust"].startswith("rustc") and "torch" in environment["packages"]


@pytest.mark.slow
def test_trackers_and_events_change_no_bit_of_a_run(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """Every tracker that is installed, and JSON: weights and completions are those of a run without."""
    found = [name for name in TRACKERS if importlib.util.find_spec(name)]
    if not found:
        pytest.skip("no tracker is installed")
    path = tmp_path / "followed"
    done = train(*SMALL, "train.max_steps=2", f"run.dir={path}", f"track.to={','.join(found)}", "--json")
    assert done.returncode == 0, done.stderr
    weights = Path("checkpoints") / "step-000002" / "model.safetensors"
    assert (path / weights).read_bytes() == (finished[0] / weights).read_bytes()
    texts = [[(line["id"], line["text"]) for line in lines(run / "completions.jsonl")] for run in (path, finished[0])]
    assert texts[0] == texts[1]
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["step"] for event in events if event["event"] == "step"] == [1, 2]
    assert [event["step"] for event in events if event["event"] == "evaluation"] == [0, 2]
    assert events[-1]["event"] == "end" and events[-1]["outcome"] == "done"
    until = time.monotonic() + 120  # on a busy machine the follower ends after the run
    while "processor time" not in (path / "tracking.log").read_text() and time.monotonic() < until:
        time.sleep(0.1)
    for name in found:
        sent = json.loads((path / "tracking" / f"{name}.json").read_text())
        assert (sent["metrics"], sent["evaluations"]) == (2, 2), (name, done.stderr)


def test_a_run_without_evaluations_is_summarised_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else its report would call it unfinished."""
    with RunDirectory.create(tmp_path / "run", config_toml="", environment={}) as run:
        summarise(run, steps=4, seconds=1.0)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["steps"] == 4 and set(summary["before"].values()) == {None}
    assert (summary["num_prompts"], summary["num_samples"]) == (0, 0)
    assert capsys.readouterr().out == ""


def test_the_checkpoint_is_an_ordinary_model(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path, _ = finished
    checkpoint = path / "checkpoints" / "step-000002"
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    assert model.config.vocab_size >= len(tokenizer)


def test_lora_trains_through_the_script_and_goes_on(tmp_path: Path, train_here: TrainHere) -> None:
    path, adapters = tmp_path / "lora", ["lora.rank=4", "lora.alpha=8", "loss.kl_beta=0.01", "eval.prompts=0"]
    settings = [*SMALL, *adapters, "train.gradient_checkpointing=true", f"run.dir={path}"]
    assert train_here(*settings, "train.max_steps=2", "checkpoint.every=1").returncode == 0
    steps = lines(path / "metrics.jsonl")
    assert [step["step"] for step in steps] == [1, 2] and all("kl/reference" in step for step in steps)
    trained, state = path / "checkpoints" / "step-000002", path / "checkpoints" / "step-000002" / "trainer_state"
    assert (trained / "adapter" / "adapter_model.safetensors").exists()
    assert AutoModelForCausalLM.from_pretrained(trained).num_parameters() == 3_213_824
    assert (state / "optimizer.safetensors").stat().st_size < (trained / "model.safetensors").stat().st_size / 4
    before = (trained / "adapter" / "adapter_model.safetensors").read_bytes()
    for part in (trained, path / "summary.json"):
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
    assert train_here("run.resume=true", f"run.dir={path}", "eval.prompts=0").returncode == 0
    assert (trained / "adapter" / "adapter_model.safetensors").read_bytes() == before


@WITHOUT_VLLM
def test_vllm_trains_ahead_is_killed_is_stopped_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole", tmp_path / "parts"
    recipe = str(ROOT / "scripts" / "recipes" / "tiny-own-tests.toml")  # its rewards differ within groups of two
    settings = [recipe, *SMALL, "sampling.engine=vllm", "rollout.overlap=1", "train.max_steps=3", "eval.prompts=0"]
    settings += ["checkpoint.every=2", "checkpoint.keep_last=3"]
    done = train(*settings, f"run.dir={whole}")
    assert done.returncode == 0, done.stderr
    steps = lines(whole / "metrics.jsonl")
    assert [step["policy/staleness"] for step in steps] == [0, 1, 1]
    assert all(step["sync/gap"] < 1e-5 for step in steps), "the engine has the new weights"
    assert max(step["policy/sampler_gap"] for step in steps) > 1e-4, "but sampled from older ones"

    shutil.copytree(whole, path)
    shutil.rmtree(path / "checkpoints" / "step-000003")
    (path / "summary.json").unlink()
    done = train("run.resume=true", f"run.dir={path}")
    assert done.returncode == 0, done.stderr
    weights = Path("checkpoints") / "step-000003" / "model.safetensors"
    assert (path / weights).read_bytes() == (whole / weights).read_bytes()


@pytest.mark.parametrize(
    "engine",
    [  # CI trains with the first of them in tests/faults/test_exact.py
        pytest.param(["paged"], id="paged", marks=pytest.mark.long),
        pytest.param(["vllm", "sampling.sleep=true"], id="sleeping", marks=WITHOUT_VLLM),
    ],
)
def test_other_engines_train_from_the_weights_of_every_step(tmp_path: Path, engine: list[str]) -> None:
    settings = [*SMALL, f"sampling.engine={engine[0]}", *engine[1:], "train.max_steps=2", "eval.prompts=0"]
    done = train(*settings, f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    steps = lines(tmp_path / "run" / "metrics.jsonl")
    assert len(steps) == 2 and all(0 < step["sync/gap"] < 1e-5 and step["policy/staleness"] == 0 for step in steps)
    assert f"engine    {engine[0]}" in done.stdout


@WITHOUT_VLLM
def test_a_killed_vllm_is_reported_and_started_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    settings = [*SMALL, "sampling.engine=vllm", "train.max_steps=2", "eval.prompts=0", f"run.dir={path}"]
    with subprocess.Popen(
        command(*settings), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while not (path / "metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        (engine,) = [child for child in children(process.pid) if holds(child, path / "engine.log")]
        os.kill(engine, signal.SIGKILL)
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "was killed by SIGKILL" in output and "starting the engine again" in output
    assert len(lines(path / "metrics.jsonl")) == 2
    assert not Path(f"/proc/{engine}").exists()


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def holds(pid: int, file: Path) -> bool:
    """Whether a process writes its standard error to a file."""
    return os.path.realpath(f"/proc/{pid}/fd/2") == str(file)


def test_an_existing_run_is_refused(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path, _ = finished
    before = (path / "metrics.jsonl").read_bytes()
    done = train(*SMALL, f"run.dir={path}")
    assert done.returncode == 2
    assert "run.resume=true" in done.stderr and "Traceback" not in done.stderr
    assert (path / "metrics.jsonl").read_bytes() == before


def test_stopped_by_a_signal_and_resumed_equals_never_stopped(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    path = tmp_path / "stopped"
    process = subprocess.Popen(
        command(*SMALL, "train.max_steps=2", f"run.dir={path}"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not (path / "evals.jsonl").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)  # during the first step
    output, errors = process.communicate()
    assert process.returncode == 75, errors
    assert f"run.resume=true run.dir={path}".encode() in output
    assert (path / "checkpoints" / "step-000001").is_dir() and not (path / "summary.json").exists()

    done = train("run.resume=true", f"run.dir={path}")
    assert done.returncode == 0, done.stderr
    whole, _ = finished
    weights = Path("checkpoints") / "step-000002" / "model.safetensors"
    assert (path / weights).read_bytes() == (whole / weights).read_bytes()
    texts = [[(line["id"], line["text"]) for line in lines(run / "completions.jsonl")] for run in (path, whole)]
    assert texts[0] == texts[1]


def test_a_complete_run_says_so_and_does_what_is_missing(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path, train_here: TrainHere
) -> None:
    path = tmp_path / "copy"
    shutil.copytree(finished[0], path)
    (path / "summary.json").unlink()
    logged = [file.read_bytes() for file in sorted(path.rglob("*.jsonl"))]
    done = train_here("run.resume=true", f"run.dir={path}")
    assert done.returncode == 0, done.stderr
    assert "is complete: 2 of 2 steps; what is missing (summary.json) is done now" in done.stdout
    assert json.loads((path / "summary.json").read_text())["steps"] == 2
    assert [file.read_bytes() for file in sorted(path.rglob("*.jsonl"))] == logged


def test_going_on_with_other_settings_prompts_or_a_damaged_checkpoint_is_refused(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path, train_here: TrainHere
) -> None:
    path, fewer = tmp_path / "copy", tmp_path / "fewer.jsonl"
    shutil.copytree(finished[0], path)
    tasks = (ROOT / "assets" / "tasks" / "train.jsonl").read_text().splitlines(keepends=True)
    fewer.write_text("".join(tasks[1:]))
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    for changed, said in (("train.lr=1e-5", "-> 1e-05"), (f"data.train={fewer}", "data.train: 1 is gone ('")):
        done = train_here("run.resume=true", f"run.dir={path}", "train.max_steps=3", changed)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before

    weights = path / "checkpoints" / "step-000002" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    done = train_here("run.resume=true", f"run.dir={path}", "train.max_steps=3")
    assert done.returncode == 3 and "model.safetensors has 12," in done.stderr, done.stderr


def test_prompts_that_are_left_out_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "prompts.jsonl"
    source.write_text("".join(f'{{"prompt": "{"x" * size}"}}\n' for size in (3, 4, 900)))
    both = [f"data.train={source}", f"data.eval={source}"]
    recipe = parse_arguments(["data.long_prompts=skip", *both, "eval.prompts=2", "train.threads=1"]).recipe
    prompts = load_prompts(recipe, load_starting_policy(recipe, ROOT / "assets" / "tiny-rust"))
    assert (str(prompts.train), str(prompts.held_out)) == (
        "2 (1 too long, left out) (2 without suites)",
        "2",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train.l=1"], "train.lr"),
        (["nowhere.toml"], "nowhere.toml"),
        (["data.train=nothing.jsonl"], "nothing.jsonl"),
        (["model.path=nothing"], "model.path"),
        (["data.max_prompt_tokens=3"], "data.max_prompt_tokens"),
        (["rewards.weights.cargo_tests=1"], "cargo_test"),
        (['rewards.weights."none.py:mine"=1'], "none.py"),
        (["train.device=cuda"], "'cpu' or 'auto'"),
        (["run.resume=true", "run.dir=nothing"], "nothing"),
    ],
)
def test_bad_input_is_said_in_words_and_leaves_nothing(
    arguments: list[str], said: str, tmp_path: Path, train_here: TrainHere
) -> None:
    run = [] if any(argument.startswith("run.dir") for argument in arguments) else [f"run.dir={tmp_path / 'run'}"]
    done = train_here(*SMALL, *arguments, *run)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists(), "a run that never began leaves no directory in the way of the next try"


def test_gold_tests_that_cannot_be_run_are_refused_before_the_run(tmp_path: Path, train_here: TrainHere) -> None:
    held_out = tmp_path / "eval.jsonl"
    held_out.write_text('{"prompt": "Write f", "task_id": "a7", "rust_test_list": "nonsense"}\n')
    done = train_here(*SMALL, f"data.eval={held_out}", f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 2, done.stderr
    assert f"{held_out}: task 'a7': the column rust_test_list holds 'nonsense'; give a list" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "run").exists()


def test_no_rust_is_the_hosts_failure(tmp_path: Path) -> None:
    if (ROOT / ".rust").exists():
        pytest.skip("the project has a toolchain of its own")
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        command(*SMALL, f"run.dir={tmp_path / 'run'}"), cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "Install Rust" in done.stderr and "Traceback" not in done.stderr


def test_a_full_disk_stops_the_run_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = subprocess.Popen(
        command(*SMALL, "train.max_steps=2", f"run.dir={path}"), cwd=ROOT, stderr=subprocess.PIPE
    )
    while not (path / "completions.jsonl").exists() and process.poll() is None:  # of the evaluation before step 1
        time.sleep(0.01)
    (path / "metrics.jsonl").symlink_to("/dev/full")  # which has no end for those who read the log when a run begins
    _, errors = process.communicate()
    assert process.returncode == 3
    assert b"metrics.jsonl" in errors and b"No space left" in errors and b"Traceback" not in errors
    assert lines(path / "completions.jsonl"), "what was written stays"


@pytest.mark.parametrize("resumable", [pytest.param(False, marks=pytest.mark.slow), True])
def test_interrupted_at_once_says_what_is_left(
    resumable: bool, finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    path = tmp_path / "a run"
    arguments = [*SMALL, "train.max_steps=60", f"run.dir={path}"]
    if resumable:
        shutil.copytree(finished[0], path)
        arguments.append("run.resume=true")
    process = subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    while b"run  " not in process.stdout.readline() and process.poll() is None:
        pass
    time.sleep(0.1)  # now in the evaluation before the first step, or in the third step
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # closer together they may arrive as one
    output, errors = process.communicate()
    assert b"Traceback" not in errors
    saved = any((path / "checkpoints").glob("step-*"))  # an evaluation may be given up before the second signal comes
    assert saved or not resumable
    assert process.returncode == (75 if saved else 130), errors
    assert (f"run.resume=true 'run.dir={path}'" if saved else "nothing to go on from").encode() in output + errors


@pytest.mark.parametrize("arguments", [["--dry-run"], [*SMALL, "train.max_steps=1", "eval.prompts=0"]])
def test_output_that_nobody_reads_ends_nothing(arguments: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = command(*arguments, f"run.dir={tmp_path / 'run'}")
    done = subprocess.run(words, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 0 and b"Error" not in done.stderr, done.stderr
    assert "--dry-run" in arguments or (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("number", [signal.SIGHUP, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_terminal_that_goes_away_stops_a_run_and_saves_it(number: signal.Signals, tmp_path: Path) -> None:
    """As does Ctrl-C in `train.py ... | tee log`, of which tee is gone first."""
    path, (reading, writing) = tmp_path / "run", os.pipe()
    process = subprocess.Popen(
        command(*SMALL, "train.max_steps=90", "eval.prompts=0", f"run.dir={path}"),
        cwd=ROOT,
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    while not (path / "metrics.jsonl").exists() and process.poll() is None:
        time.sleep(0.05)
    os.close(reading)
    process.send_signal(number)
    assert process.wait(60) == 75
    assert list((path / "checkpoints").glob("step-*"))


def test_signals_that_come_again_and_again_do_not_hide_that_a_run_can_go_on(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    path = tmp_path / "run"
    shutil.copytree(finished[0], path)
    process = subprocess.Popen(
        command("run.resume=true", "train.max_steps=60", f"run.dir={path}"), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while b"run  " not in process.stdout.readline() and process.poll() is None:
        pass
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert process.returncode == 75


def test_help_and_dry_run_answer_without_loading_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import train\n"
        "assert train.main(['--dry-run']) == 0 and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "steps" in done.stdout and "memory" in done.stdout
    shown = train("--help").stdout
    assert "train.lr" in shown and "sandbox.run_cpu_s" in shown and "[s]" in shown
