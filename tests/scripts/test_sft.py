"""Fine-tuning as its user runs it: real model, real cargo; what it reads, writes and refuses, and going on."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import datasets
import pytest
from transformers import AutoModelForCausalLM

import make_dataset

RunHere = Callable[..., subprocess.CompletedProcess[str]]
SMALL = ["train.prompts_per_step=4", "train.threads=1", "train.lr=1e-3", "eval.prompts=0"]
PUBLISHED = {
    "rust_prompt": "Write `fn twice(x: i32) -> i32`, which doubles x.",
    "rust_code": "fn twice(x: i32) -> i32 {\n    2 * x\n}",
    "rust_test_list": ["assert_eq!(twice(2), 4);"],
}


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"data.train={path}"


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The setting that names twenty demonstrations of the shipped model's family."""
    folder = tmp_path_factory.mktemp("demonstrations")
    assert make_dataset.main(["generate", "--demonstrations", "20", "--out", str(folder)]) == 0
    return f"data.train={folder / 'demonstrations.jsonl'}"


def test_a_model_learns_its_demonstrations_and_grpo_starts_from_it(
    demonstrations: str, tmp_path: Path, sft_here: RunHere, train_here: RunHere
) -> None:
    path = tmp_path / "run"
    evaluated = [*SMALL[:-1], "eval.prompts=2", "eval.samples=1", "sandbox.keep_verdicts=false"]
    done = sft_here(*evaluated, demonstrations, "train.max_steps=10", f"run.dir={path}")
    assert done.returncode == 0, done.stderr
    assert "20 demonstrations to imitate, 2 prompts to evaluate on" in done.stdout and "strict tests" in done.stdout
    losses = [line["loss/total"] for line in lines(path / "metrics.jsonl")]
    assert len(losses) == 10 and sum(losses[-5:]) < sum(losses[:5]), losses  # two epochs of five steps
    assert [line["step"] for line in lines(path / "evals.jsonl")] == [0, 10]
    assert "<html" in (path / "report.html").read_text()[:200]
    start = f"model.path={path / 'checkpoints' / 'step-000010'}"
    small = ["train.prompts_per_step=1", "sampling.group_size=2", "sampling.max_completion_tokens=40", "eval.prompts=0"]
    assert train_here(start, *small, "train.max_steps=1", f"run.dir={tmp_path / 'grpo'}").returncode == 0


def test_a_program_reads_events_and_a_log_reads_lines(demonstrations: str, tmp_path: Path, sft_here: RunHere) -> None:
    path = tmp_path / "run"
    settings = [*SMALL, demonstrations, "checkpoint.every=2", "train.usd_per_hour=3600", f"run.dir={path}"]
    done = sft_here(*settings, "train.max_steps=4", "--json")
    assert done.returncode == 0 and "demonstrations to imitate" in done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds.count("step") == 4 and kinds[-1] == "end" and "checkpoint" in kinds
    [end] = [event for event in events if event["event"] == "notice"]
    assert end["fact"] == "end" and "dollars" in end["text"]
    last = [event for event in events if event["event"] == "step"][-1]
    assert last["usd"] == pytest.approx(last["seconds"], abs=0.1) and last["usd_expected"] >= last["usd"]
    assert json.loads((path / "progress.json").read_text())["step"] == 4
    assert sft_here("run.resume=true", f"run.dir={path}", "train.lr=0.5", "--json").returncode == 2
    done = sft_here("run.resume=true", f"run.dir={path}", "eval.prompts=0", "train.max_steps=5", "--plain")
    assert done.returncode == 0 and "step 5/5: loss" in done.stdout and "\r" not in done.stdout + done.stderr


def test_a_run_that_is_resumed_ends_with_the_same_bits(demonstrations: str, tmp_path: Path, sft_here: RunHere) -> None:
    path = tmp_path / "run"
    settings = [*SMALL, demonstrations, "train.max_steps=4", "checkpoint.every=2", f"run.dir={path}"]
    assert sft_here(*settings).returncode == 0
    last = path / "checkpoints" / "step-000004"
    weights, metrics = (last / "model.safetensors").read_bytes(), lines(path / "metrics.jsonl")
    shutil.rmtree(last)
    done = sft_here("run.resume=true", f"run.dir={path}", "eval.prompts=0")
    assert done.returncode == 0 and "steps 3 to 4" in done.stdout
    assert (last / "model.safetensors").read_bytes() == weights
    assert [line["loss/total"] for line in lines(path / "metrics.jsonl")] == [line["loss/total"] for line in metrics]


def test_lora_is_fine_tuned_too(demonstrations: str, tmp_path: Path, sft_here: RunHere) -> None:
    path = tmp_path / "run"
    assert sft_here(*SMALL, demonstrations, "lora.rank=4", "train.max_steps=2", f"run.dir={path}").returncode == 0
    trained = path / "checkpoints" / "step-000002"
    assert (trained / "adapter" / "adapter_model.safetensors").exists()
    assert AutoModelForCausalLM.from_pretrained(trained).num_parameters() == 3_213_824


def test_the_published_columns_of_a_parquet_file_and_of_json_train_alike_without_rust(
    tmp_path: Path, sft_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    datasets.Dataset.from_list([PUBLISHED] * 4).to_parquet(tmp_path / "rows.parquet")
    as_text = {**PUBLISHED, "rust_test_list": json.dumps(PUBLISHED["rust_test_list"])}
    write(tmp_path / "rows.jsonl", [as_text] * 4)
    found = []
    for name in ("rows.parquet", "rows.jsonl"):
        run = tmp_path / f"run-{name}"
        done = sft_here(*SMALL, f"data.train={tmp_path / name}", "train.max_steps=3", f"run.dir={run}")
        assert done.returncode == 0 and "data      4 demonstrations" in done.stdout
        found.append([line["loss/total"] for line in lines(run / "metrics.jsonl")])
        page = (run / "report.html").read_text()
        assert "4 demonstrations a step" in page and "completions a step" not in page
    assert found[0] == found[1] and len(found[0]) == 3 and found[0][2] < found[0][0]


def test_a_completion_that_is_too_long_is_left_out_and_counted(tmp_path: Path, sft_here: RunHere) -> None:
    rows = [{"prompt": "short", "completion": "fn f() {}"}, {"prompt": "long", "completion": "let a = 1; " * 200}]
    data, path = write(tmp_path / "rows.jsonl", rows), tmp_path / "run"
    done = sft_here(*SMALL, data, "train.max_steps=1", f"run.dir={path}")
    assert done.returncode == 0 and "data      1 (1 too long, left out) demonstrations" in done.stdout
    done = sft_here(*SMALL, write(tmp_path / "long.jsonl", rows[1:]), f"run.dir={tmp_path / 'none'}")
    assert done.returncode == 2 and "longer than sampling.max_completion_tokens = 192" in done.stderr


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "a", "answer": "b"}, "one must be named prompt or rust_prompt"),
        ({"task_id": "t7", "prompt": "a", "completion": " "}, "task 't7': a row with the columns"),
        ({**PUBLISHED, "rust_test_list": None}, "demonstrates nothing"),
        ({"prompt": "a", "completion": "fn a() {}\n" * 500}, "raise the limit"),
    ],
)
def test_rows_that_demonstrate_nothing_are_refused_before_there_is_a_run(
    row: Mapping[str, object], said: str, tmp_path: Path, sft_here: RunHere
) -> None:
    done = sft_here(*SMALL, write(tmp_path / "rows.jsonl", [row]), f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 2 and said in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_server_that_does_not_answer_is_told_before_there_is_a_run(
    demonstrations: str, tmp_path: Path, sft_here: RunHere
) -> None:
    nobody = ["eval.prompts=2", "sampling.engine=vllm", "sampling.servers=http://127.0.0.1:9"]
    done = sft_here(*SMALL[:-1], *nobody, demonstrations, f"run.dir={tmp_path / 'run'}")
    assert done.returncode == 3 and "127.0.0.1:9" in done.stderr, done.stderr
    assert not (tmp_path / "run").exists()


def test_a_plan_is_refused_with_a_reason(sft_here: RunHere) -> None:
    done = sft_here("--dry-run")
    assert done.returncode == 2 and "--dry-run is for scripts/train.py" in done.stderr
