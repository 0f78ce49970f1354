"""scripts/report.py --published-format: a run in the shape of the published log, streamed, also while it runs."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from grpo_rust.report import ReportError
from grpo_rust.report.published import write_published
from report import main
from synthetic_run import write_lines

CODE = "fn a() {}\n"
ERROR = {"level": "error", "code": "E0308", "message": "mismatched types", "line": 3}


def completion(step, number, *, phase="train", text=f"```rust\n{CODE}```", **verdict):
    verdict = {"outcome": "build_error", "diagnostics": [ERROR], "test_output": "", "reason": "", **verdict}
    name = f"s{step}-p00-c{number}"
    row = {"id": name, "step": step, "phase": phase, "task_id": f"t{step}", "prompt": f"Write {number}", "text": text}
    return {**row, "verdict": verdict}


def score(step, number, value, function="cargo_build"):
    row = {"time": 1_700_000_000.25 + step, "step": step, "function": function, "score": value, "task_id": f"t{step}"}
    return {**row, "completion_id": f"s{step}-p00-c{number}", "seconds": 0.5}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def run(tmp_path):
    """A run of two steps with two completions each, and an evaluation between them."""
    run = tmp_path / "run"
    write_lines(run / "metrics.jsonl", [{"step": 1}, {"step": 2}])
    rows = [completion(1, 0, code=CODE), completion(1, 1, text="no code", outcome=None), completion(1, 0, phase="eval")]
    write_lines(
        run / "completions.jsonl", [*rows, completion(2, 0, outcome="passed", diagnostics=[]), completion(2, 1)]
    )
    write_lines(
        run / "rewards" / "cargo_build.jsonl", [score(1, 0, 0.0), score(1, 1, None), score(2, 0, 1), score(2, 1, 0)]
    )
    mine = [score(step, number, 0.25, "mine.py:short") for step in (1, 2) for number in (0, 1)]
    write_lines(run / "rewards" / "short-6c001f.jsonl", mine)
    return run


def test_every_score_is_a_line_with_all_that_the_published_log_had(run, capsys):
    assert main(["--published-format", str(run)]) == 0
    folder = run / "published"
    assert capsys.readouterr().out == (f"{folder}/cargo_build.jsonl: 4 lines\n{folder}/short-6c001f.jsonl: 4 lines\n")
    assert sorted(path.name for path in folder.iterdir()) == ["cargo_build.jsonl", "short-6c001f.jsonl"]
    first, second, third, fourth = lines(folder / "cargo_build.jsonl")
    assert list(first.items()) == [
        ("timestamp", "2023-11-14T22:13:21.250000+00:00"),
        ("step", 1),
        ("function", "cargo_build_reward_func"),
        ("score", 0.0),
        ("task_id", "t1"),
        ("rust_prompt", "Write 0"),
        ("completion", f"```rust\n{CODE}```"),
        ("func_execution_time", 0.5),
        ("extracted_code", CODE),
        ("tool_output", "line 3: error[E0308]: mismatched types"),
        ("error", None),
    ]
    assert (second["score"], second["extracted_code"], second["tool_output"]) == (None, None, None)
    assert (third["score"], third["extracted_code"], third["tool_output"]) == (1.0, CODE, "")
    assert (fourth["step"], fourth["rust_prompt"]) == (2, "Write 1")
    assert {line["function"] for line in lines(folder / "short-6c001f.jsonl")} == {"mine.py:short"}


def test_a_run_that_goes_on_is_expanded_as_far_as_it_is_on_disk(run, tmp_path, capsys):
    with open(run / "completions.jsonl", "ab") as log:
        log.write(json.dumps(completion(3, 0)).encode() + b'\n{"id": "s3-p0')
    with open(run / "rewards" / "cargo_build.jsonl", "ab") as log:
        log.write(b"".join(json.dumps(score(3, k, 1.0)).encode() + b"\n" for k in (0, 1)) + b'{"time": 1, "st')
    assert main(["--published-format", str(run), "--out", str(tmp_path / "there")]) == 0
    told = capsys.readouterr().out
    assert "1 scores are left out" in told and told.count("1 lines of") == 2
    assert [line["step"] for line in lines(tmp_path / "there" / "cargo_build.jsonl")] == [1, 1, 2, 2, 3]
    assert not (run / "published").exists()


def test_scores_of_later_steps_wait_for_their_completions(run):
    write_lines(run / "completions.jsonl", [completion(1, 0), completion(1, 1)])
    found = write_published(run, run / "published")
    assert sum(found.lines.values()) == 4 and found.without_completion == 4


def test_hostile_text_stays_one_line_of_json(run):
    text = 'x\n"}\u2028\ud800 '
    write_lines(run / "completions.jsonl", [completion(1, 0, text=text, code=None, reason=text, diagnostics=[{}, 3])])
    write_published(run, run / "published")
    raw = (run / "published" / "cargo_build.jsonl").read_bytes()
    assert raw.isascii() and raw.count(b"\n") == 1
    assert json.loads(raw)["completion"] == text.replace("\ud800", "\ufffd")


@pytest.mark.parametrize("missing", ["metrics.jsonl", "completions.jsonl", "rewards/cargo_build.jsonl"])
def test_what_cannot_be_expanded_is_refused_in_words(run, missing):
    (run / "rewards" / "short-6c001f.jsonl").unlink()
    (run / missing).unlink()
    with pytest.raises(ReportError, match="no metrics.jsonl|no completions or no scores"):
        write_published(run, run / "published")
    assert not (run / "published").exists()


def test_the_runs_own_scores_are_not_overwritten(run):
    before = (run / "rewards" / "cargo_build.jsonl").read_bytes()
    with pytest.raises(ReportError, match="would be overwritten"):
        write_published(run, run / "published" / ".." / "rewards")
    assert (run / "rewards" / "cargo_build.jsonl").read_bytes() == before


def test_the_folder_belongs_to_the_published_format(run):
    with pytest.raises(SystemExit):
        main([str(run), "--out", "there"])


def test_memory_holds_one_step_and_not_the_run(run):
    def peak(steps):
        rows = [completion(step, k, text="x" * 20_000) for step in range(1, steps + 1) for k in range(4)]
        write_lines(run / "completions.jsonl", rows)
        scores = [score(step, k, 1.0) for step in range(1, steps + 1) for k in range(4)]
        write_lines(run / "rewards" / "cargo_build.jsonl", scores)
        del rows, scores
        tracemalloc.start()
        found = write_published(run, run / "published")
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.lines[run / "published" / "cargo_build.jsonl"] == 4 * steps
        return size

    assert peak(60) < peak(6) + 100_000  # 60 steps hold 4.8 MB of text
