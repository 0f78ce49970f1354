"""The contract of `grpo.run.directory` and `grpo.run.provenance`.

A run directory is made once; lines are on disk when the call returns; a resumed run keeps exactly the lines up to its
checkpoint; a write that fails names its file and loses nothing; what is written is JSON whatever the numbers are.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo.errors import BadInput, HostFailed
from grpo.run.directory import LogDamaged, RunDirectory, RunExists, RunNotFound, RunWriteFailed, reward_file_name
from grpo.run.provenance import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "runs" / "one", config_toml="[run]\n", environment={"rust": "1.95"}) as made:
        yield made


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def completion(step: int, k: int, text: str = "fn a() {}") -> dict:
    return {"id": f"s{step}-p00-c{k}", "step": step, "text": text}


def reward(function: str, step: int, score: float | None = 1.0) -> dict:
    return {"time": 0.0, "step": step, "function": function, "score": score}


def test_a_new_directory_holds_settings_environment_and_room_for_checkpoints(run):
    assert (run.path / "config.toml").read_text() == "[run]\n"
    assert json.loads((run.path / "environment.json").read_text()) == {"rust": "1.95"}
    assert run.checkpoints.is_dir() and (run.path / "rewards").is_dir()


@pytest.mark.parametrize("kind", ["directory", "file", "dangling link"])
def test_anything_at_the_path_is_refused_with_what_to_do_and_left_alone(tmp_path, kind):
    path = tmp_path / "taken"
    {"directory": path.mkdir, "file": path.touch, "dangling link": lambda: path.symlink_to("nowhere")}[kind]()
    with pytest.raises(RunExists, match=r"taken exists already: .*run\.dir or run\.name.*run\.resume=true") as caught:
        RunDirectory.create(path, config_toml="", environment={})
    assert isinstance(caught.value, BadInput)
    assert not path.is_dir() or not list(path.iterdir())


def test_resuming_where_no_run_was_is_refused(tmp_path):
    with pytest.raises(RunNotFound, match="holds no run") as caught:
        RunDirectory.resume(tmp_path)
    assert isinstance(caught.value, BadInput)


def test_lines_are_on_disk_before_the_run_is_closed(run):
    run.log_metrics(1, {"reward/mean": 0.5})
    run.log_completions([completion(1, 0), completion(1, 1)])
    run.log_rewards([reward("cargo_build", 1), reward("asserts", 1, None), reward("cargo_build", 1, 0.0)])
    run.log_evaluation({"step": 1, "eval/build": 0.25})
    assert lines(run.path / "metrics.jsonl") == [{"step": 1, "reward/mean": 0.5}]
    assert lines(run.path / "completions.jsonl") == [completion(1, 0), completion(1, 1)]
    assert [line["score"] for line in lines(run.path / "rewards" / "cargo_build.jsonl")] == [1.0, 0.0]
    assert lines(run.path / "rewards" / "asserts.jsonl") == [reward("asserts", 1, None)]
    assert run.evaluations() == lines(run.path / "evals.jsonl") == [{"step": 1, "eval/build": 0.25}]


def test_metrics_have_one_line_a_step_with_null_for_what_is_no_number(run):
    run.log_metrics(1, {"reward/mean": 0.5, "reward/std": float("nan")})
    run.log_metrics(2, {"reward/mean": float("inf")})
    expected = [{"step": 1, "reward/mean": 0.5, "reward/std": None}, {"step": 2, "reward/mean": None}]
    assert lines(run.path / "metrics.jsonl") == run.metrics() == expected


def test_nothing_is_written_of_a_step_with_an_unexplained_metric(run):
    with pytest.raises(KeyError, match="loss/typo"):
        run.log_metrics(1, {"reward/mean": 0.5, "loss/typo": 1.0})
    assert not (run.path / "metrics.jsonl").exists()


def test_a_run_that_keeps_no_completions_writes_none(tmp_path):
    with RunDirectory.create(tmp_path / "a", config_toml="", environment={}, completions=False) as run:
        run.log_completions([completion(1, 0)])
    assert not (run.path / "completions.jsonl").exists()


def test_logging_goes_on_after_close(run):
    run.log_metrics(1, {"reward/mean": 1.0})
    run.close()
    run.log_metrics(2, {"reward/mean": 2.0})
    assert [line["step"] for line in lines(run.path / "metrics.jsonl")] == [1, 2]


def test_hostile_text_stays_one_line(run):
    text = "a\nb\r\u2028\x85\x1b[31m\udcff</script>\x00"
    run.log_completions([completion(1, 0, text)])
    raw = (run.path / "completions.jsonl").read_bytes()
    assert raw.count(b"\n") == 1 and raw.isascii()
    assert json.loads(raw)["text"] == text


@given(value=st.floats() | st.lists(st.floats()))
def test_numbers_that_json_lacks_become_null(value, tmp_path_factory):
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    run.log_evaluation({"step": 0, "eval/x": value, "counts": {"y": value}})
    run.write_summary({"before": {"gold": value}})
    run.close()

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    for path in (run.path / "evals.jsonl", run.path / "summary.json"):
        json.loads(path.read_text(), parse_constant=refuse)


def test_two_processes_do_not_write_one_run(run):
    program = "import sys; from grpo.run.directory import RunDirectory; RunDirectory.resume(sys.argv[1])"
    other = [sys.executable, "-c", program, str(run.path)]
    refused = subprocess.run(other, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode and "RunBusy" in refused.stderr and "being written by another process" in refused.stderr
    run.__exit__(None)
    assert subprocess.run(other, cwd=ROOT).returncode == 0, "the lock ends with who has it"


def test_the_time_of_a_session_that_was_killed_is_not_lost(run):
    assert run.seconds() == 0.0
    run.note_seconds(12.5)
    assert run.seconds() == 12.5
    (run.path / "seconds").write_text("")  # a crash
    assert run.seconds() == 0.0


def test_resuming_keeps_every_line_up_to_the_checkpoint_and_no_younger_one(run):
    for step in (1, 2, 3):
        run.log_metrics(step, {"reward/mean": float(step)})
        run.log_completions([completion(step, 0), completion(step, 1)])
        run.log_rewards([reward("cargo_build", step), reward("mine.py:f", step)])
        run.log_evaluation({"step": step})
    run.__exit__(None)
    resumed = RunDirectory.resume(run.path)
    resumed.truncate_after(2)
    resumed.log_completions([completion(3, 0), completion(3, 1)])
    logs = ["metrics.jsonl", "evals.jsonl", "rewards/cargo_build.jsonl", f"rewards/{reward_file_name('mine.py:f')}"]
    for name in logs:
        assert [line["step"] for line in lines(run.path / name)] == [1, 2], name
    ids = [line["id"] for line in lines(run.path / "completions.jsonl")]
    assert ids == [f"s{step}-p00-c{k}" for step in (1, 2, 3) for k in (0, 1)]
    assert [path.name for path in run.path.rglob(".*")] == [".lock"]
    resumed.__exit__(None)


def test_resuming_drops_the_completions_of_an_evaluation_that_was_cut_off(run):
    """It is repeated, and each completion stands in the log once."""
    for step in (0, 1):
        run.log_completions([{**completion(step, k), "phase": "eval"} for k in (0, 1)])
        if step == 0:
            run.log_evaluation({"step": step})
        run.log_completions([{**completion(step + 1, k), "phase": "train"} for k in (0, 1)])
    run.close()
    run.truncate_after(1)
    completions = [(line["phase"], line["step"]) for line in lines(run.path / "completions.jsonl")]
    assert completions == [("eval", 0)] * 2 + [("train", 1)] * 2


@given(cut=st.integers(0, 200))
def test_a_log_torn_anywhere_by_a_crash_loses_only_its_last_line(cut, tmp_path_factory):
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    (run.path / "rewards").mkdir()
    for step in (1, 2, 3):
        run.log_completions([completion(step, 0, "x" * 20)])
    path = run.path / "completions.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    run.truncate_after(9)
    assert path.read_bytes() == whole[: whole[:cut].rfind(b"\n") + 1]


DAMAGED = ["{nonsense}", "[1]", '{"id": 1}', "\x00\x00", "[" * 100_000]
NO_STEPS = ["null", '"2"', "1.5", "NaN", "true", "[1]", "{}"]


@pytest.mark.parametrize("damage", [*DAMAGED, *(f'{{"step": {value}}}' for value in NO_STEPS)])
def test_a_damaged_line_in_the_middle_is_told_by_file_and_line_and_nothing_is_cut(run, damage):
    path = run.path / "completions.jsonl"
    path.write_text(f'{{"step": 1}}\n{damage}\n{{"step": 2}}\n')
    with pytest.raises(LogDamaged, match=r"completions\.jsonl, line 2 is damaged"):
        run.truncate_after(1)
    assert path.read_text().count("\n") == 3
    path.rename(run.path / "evals.jsonl")
    with pytest.raises(LogDamaged, match=r"evals\.jsonl, line 2 is damaged"):
        run.evaluations()
    assert not isinstance(RunExists("x"), HostFailed)


@pytest.mark.parametrize("name", ["metrics.jsonl", "completions.jsonl", "evals.jsonl", "rewards/cargo_build.jsonl"])
def test_a_full_disk_names_the_file(run, name):
    (run.path / name).symlink_to("/dev/full")
    with pytest.raises(
        RunWriteFailed, match=rf"cannot write .*{name}: No space left on device.*run\.resume=true"
    ) as caught:
        for _ in range(2):
            run.log_metrics(1, {"reward/mean": 0.0})
            run.log_completions([completion(1, 0)])
            run.log_evaluation({"step": 1})
            run.log_rewards([reward("cargo_build", 1)])
    assert isinstance(caught.value, HostFailed)
    assert "[Errno" not in str(caught.value)
    run.close()  # nothing is left to write


def test_a_write_cut_short_is_not_taken_for_a_whole_one(run):
    """A disk that fills up in the middle of a line takes what fits: here a limit on the file's size does."""
    run.log_completions([completion(1, 0)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(RunWriteFailed, match="completions.jsonl: File too large"):
            run.log_completions([completion(1, 1, "x" * 300)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (run.path / "completions.jsonl").stat().st_size == 200
    run.truncate_after(1)
    assert lines(run.path / "completions.jsonl") == [completion(1, 0)]


def test_a_full_disk_leaves_the_first_error_standing(tmp_path):
    with pytest.raises(KeyError, match="first"):
        with RunDirectory.create(tmp_path / "a", config_toml="", environment={}) as run:
            (run.path / "metrics.jsonl").symlink_to("/dev/full")
            try:
                run.log_metrics(1, {"reward/mean": 0.0})
            except RunWriteFailed:
                raise KeyError("first") from None


def test_a_summary_that_cannot_be_written_leaves_the_old_one(run):
    run.write_summary({"steps": 1})
    (run.path / ".summary.json.unfinished").symlink_to("/dev/full")
    with pytest.raises(RunWriteFailed, match="summary.json"):
        run.write_summary({"steps": 2})
    assert json.loads((run.path / "summary.json").read_text()) == {"steps": 1}


@pytest.mark.parametrize(
    "function", ["cargo_build", "mine.rewards:short", "a/b.py:f", "../../x", "a b", "é", "", "x" * 500]
)
def test_a_reward_functions_log_stays_in_its_folder(run, function):
    run.log_rewards([reward(function, 1)])
    (path,) = (run.path / "rewards").iterdir()
    assert path.name.isascii() and len(path.name) < 100 and path.suffix == ".jsonl"
    assert lines(path)[0]["function"] == function


def test_two_functions_of_one_name_have_two_logs():
    assert reward_file_name("a.py:f") != reward_file_name("b.py:f") != reward_file_name("f") == "f.jsonl"


def test_the_environment_is_plain_json_and_tells_what_decides_a_run():
    found = environment(argv=["train.py", "run.seed=1"], grader={"rust": "rustc 1.95.0", "isolation": "Landlock 7"})
    assert json.loads(json.dumps(found)) == found
    assert found["rust"] == "rustc 1.95.0" and found["command"] == ["train.py", "run.seed=1"]
    assert found["packages"]["torch"] and "vllm" not in found["packages"]
    assert found["machine"]["cores"] >= 1 and found["machine"]["memory_gb"] > 0.1


def test_the_environment_knows_the_commit(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    commit = environment(argv=[], grader={})["commit"]
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    assert head.returncode or commit["id"] == head.stdout.strip()


def test_asking_for_the_environment_imports_no_package_it_names():
    call = "e.environment(argv=[], grader={})"
    program = f"import sys, grpo.run.provenance as e; {call}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
