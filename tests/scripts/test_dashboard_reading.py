"""dashboard_app reads a run as it grows: only what is new, whole lines, anew after a resume; and finds completions.

The contract: a torn line waits for its end; a log that became another one is read from its start, whatever its size;
counts and pages are those that the file has; the texts stay on the disk.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dashboard_app.completion_index import CompletionTable, Wanted, steps_of
from dashboard_app.hub import Hub, check_runs, hub_of
from dashboard_app.live_run import LiveRun
from dashboard_app.money import spent
from dashboard_app.panels import header
from grpo.errors import BadInput
from grpo.run.directory import truncate_log
from grpo.run.growing_file import GrowingFile
from synthetic_run import write_lines, write_run

SEEN_S = 20.0
MOST_INDEX_CPU_S = 60.0  # of 100,000 completions; 10 s on the machine of docs/watching/dashboard.md
MOST_QUERY_CPU_S = 1.5  # the slowest was 0.15 s there


def read(log: GrowingFile) -> tuple[bool, list[tuple[int, bytes]]]:
    found = log.read()
    return found.anew, found.lines


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def completion(
    name: str, step: int, *, task: str = "sum", reward: float | None = 1.0, outcome: str = "passed", **others: Any
) -> dict[str, Any]:
    errors = [{"level": "error", "code": code, "message": "", "line": 1} for code in others.pop("codes", ())]
    verdict = {"outcome": outcome, "diagnostics": errors}
    record = {"id": name, "step": step, "phase": "train", "task_id": task, "reward": reward, "verdict": verdict}
    return record | {"checks": {"test_strict": float(outcome == "passed")}} | others


# growing_file


def test_only_new_whole_lines_are_read_with_their_offsets(tmp_path: Path) -> None:
    log = GrowingFile(tmp_path / "log")
    assert read(log) == (False, [])
    append(log.path, b"one\ntwo\nthr")
    assert read(log) == (False, [(0, b"one\n"), (4, b"two\n")])
    assert read(log) == (False, [])
    append(log.path, b"ee\r\n\xff\n")
    assert read(log) == (False, [(8, b"three\r\n"), (15, b"\xff\n")])


def test_a_line_longer_than_a_chunk_is_read_whole_and_more_is_told(tmp_path: Path) -> None:
    log = GrowingFile(tmp_path / "log", chunk=4)
    append(log.path, b"a\n" + b"b" * 30 + b"\nc\n")
    found = [log.read() for _ in range(3)]
    assert [part.lines for part in found] == [[(0, b"a\n")], [(2, b"b" * 30 + b"\n")], [(33, b"c\n")]]
    assert [part.more for part in found] == [True, True, False]


@pytest.mark.parametrize("after", [b"x\n", b"one\nTWO\n", b"one\nother\nthree\n"], ids=["shorter", "same", "longer"])
def test_a_file_that_was_written_over_is_read_anew(tmp_path: Path, after: bytes) -> None:
    log = GrowingFile(tmp_path / "log")
    append(log.path, b"one\ntwo\n")
    read(log)
    log.path.write_bytes(after)  # the same inode
    anew, lines = read(log)
    assert anew and b"".join(line for _, line in lines) == after


def test_a_replaced_file_is_read_anew_even_with_the_same_bytes_and_one_that_vanished_is_empty(tmp_path: Path) -> None:
    log = GrowingFile(tmp_path / "log")
    append(log.path, b"one\n")
    read(log)
    (tmp_path / "other").write_bytes(b"one\n")
    os.replace(tmp_path / "other", log.path)
    assert read(log) == (True, [(0, b"one\n")])
    log.path.unlink()
    assert read(log) == (True, [])
    assert read(log) == (False, [])


# completion_index


@pytest.fixture
def table() -> CompletionTable:
    """Five completions of two steps; the last line repeats the first completion with another outcome."""
    found = CompletionTable()
    records = [
        completion("s1-p0-c0", 1, outcome="build_error", reward=0.0, codes=["E0308", "E0425", "E0308"]),
        completion("s1-p0-c1", 1, outcome="build_error", reward=None, codes=["E0308"]),
        completion("s1-p1-c0", 1, task="Reverse", reward=2.0),
        completion("s2-p0-c0", 2, task="reverse_2", outcome="lint_error", reward=1.5, codes=["clippy::x"]),
        completion("s1-p0-c0", 1, outcome="build_error", reward=0.5, codes=["E0433"]),
    ]
    found.add([(100 * number, record) for number, record in enumerate(records)])
    return found


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["s1-p0-c1", "s1-p1-c0", "s1-p0-c0", "s2-p0-c0"]),
        (Wanted(first_step=2), ["s2-p0-c0"]),
        (Wanted(last_step=1, outcomes=("passed", "timeout")), ["s1-p1-c0"]),
        (Wanted(task="REVERSE"), ["s1-p1-c0", "s2-p0-c0"]),
        (Wanted(task="%"), []),
        (Wanted(code="E0308"), ["s1-p0-c1"]),
        (Wanted(code="E0433", task="sum"), ["s1-p0-c0"]),
        (Wanted(phase="eval"), []),
        (Wanted(code="' OR 1 --"), []),
    ],
)
def test_what_is_wanted_is_found_and_counted(table: CompletionTable, wanted: Wanted, names: list[str]) -> None:
    assert [entry.id for entry in table.find(wanted)] == names
    assert table.count(wanted) == len(names)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("newest first", ["s2-p0-c0", "s1-p0-c0"]),
        ("highest reward", ["s1-p1-c0", "s2-p0-c0"]),
        ("lowest reward", ["s1-p0-c0", "s2-p0-c0"]),
    ],
)
def test_pages_are_in_the_order_that_was_asked_for(table: CompletionTable, order: str, names: list[str]) -> None:
    assert [entry.id for entry in table.find(Wanted(), order, most=2)] == names
    assert [entry.id for entry in table.find(Wanted(), order, most=1, skip=1)] == names[1:]


def test_groups_outcomes_and_mistakes_are_those_of_the_last_record_of_each_completion(table: CompletionTable) -> None:
    assert table.groups("train", 1) == {"s1-p0": "sum", "s1-p1": "Reverse"}
    assert [(entry.id, entry.offset) for entry in table.group("train", "s1-p0")] == [
        ("s1-p0-c1", 100),
        ("s1-p0-c0", 400),
    ]
    assert table.outcomes() == {1: Counter(build_error=2, passed=1), 2: Counter(lint_error=1)}
    assert table.mistakes() == {1: Counter(E0308=1, E0433=1), 2: Counter({"clippy::x": 1})}
    assert table.steps("train") == [1, 2]
    table.clear()
    assert table.count(Wanted()) == 0 and table.mistakes() == {}


def test_half_surrogates_and_odd_types_are_indexed(table: CompletionTable) -> None:
    odd = [{"level": "error", "code": "\ud800"}, {"level": "error", "code": 7}, "no record"]
    table.add([(0, completion("\ud800", 3, task="\x00\ud800") | {"verdict": {"diagnostics": odd}})])
    (entry,) = table.find(Wanted(first_step=3))
    assert (entry.id, entry.task_id) == ("⟨U+D800⟩", "␀⟨U+D800⟩")
    assert table.mistakes()[3] == Counter({"⟨U+D800⟩": 1, "no code": 1})
    assert table.count(Wanted(code="\ud800")) == 1


def test_what_is_no_range_of_steps_limits_nothing() -> None:
    assert steps_of("-5") == (None, 5) and steps_of(" 3 - 4 ") == (3, 4)
    assert steps_of("all") == steps_of("1-2-3") == steps_of("٣") == (None, None)


# live_run, hub


def test_a_run_is_followed_from_its_first_line_to_its_summary(tmp_path: Path) -> None:
    whole, path = write_run(tmp_path / "whole", steps=4), tmp_path / "live"
    path.mkdir()
    run = LiveRun(path)
    assert not run.poll() and run.files().steps == () and run.state() == "not begun"
    lines = (whole / "completions.jsonl").read_bytes().splitlines(keepends=True)
    append(path / "completions.jsonl", b"".join(lines[:20]) + lines[20][:50])
    append(path / "metrics.jsonl", b'{"step": 1, "reward/mean": 1}\nnonsense\n{"step": 2, "reward/mean"')
    assert run.poll() and not run.poll()
    assert [line["step"] for line in run.files().steps] == [1] and run.files().unreadable == {"metrics.jsonl": 1}
    assert run.index.count(Wanted()) == 20 and run.reading == 1.0 and run.state() == "training"
    append(path / "completions.jsonl", lines[20][50:])
    append(path / "metrics.jsonl", b": 2}\n")
    assert run.poll() and run.index.count(Wanted()) == 21 and len(run.files().steps) == 2
    for name in ("config.toml", "summary.json"):
        (path / name).write_bytes((whole / name).read_bytes())
    assert run.poll() and run.files().name == "tiny-synthetic" and run.state() == "finished"
    assert run.weights()["cargo_test"] == 2.0 and run.seconds() == 7.0 * 4 + 63


def test_a_resume_that_cuts_the_logs_is_followed(tmp_path: Path) -> None:
    """As `grpo.run.directory` cuts them; afterwards step 3 is trained again, with other completions."""
    path = write_run(tmp_path / "run", steps=4)
    run = LiveRun(path)
    run.poll()
    gone = run.index.find(Wanted("train", 4, 4))[0]
    assert run.record(gone)["id"] == gone.id
    for name in ("metrics.jsonl", "completions.jsonl", "evals.jsonl"):
        truncate_log(path / name, 2)
    assert run.record(gone) == {}
    append(path / "completions.jsonl", json.dumps(completion("s3-p00-c0", 3, reward=9.0)).encode() + b"\n")
    assert run.poll()
    assert [line["step"] for line in run.files().steps] == [1, 2] and run.index.steps("train") == [1, 2, 3]
    (again,) = run.index.find(Wanted("train", 3))
    assert run.record(again)["reward"] == 9.0


def test_time_and_money_follow_from_the_settings(tmp_path: Path) -> None:
    """Four steps of 90 s, an evaluation of 60 s: 420 s, 3.50 at 30 dollars an hour; 540 s more are 4.50."""
    (tmp_path / "config.toml").write_text("[train]\nmax_steps = 0\nusd_per_hour = 30.0\n")
    progress = {"step": 4, "num_steps": 10, "seconds_left": 540.0, "ends": "2026-01-01T12:45:00+00:00"}
    (tmp_path / "progress.json").write_text(json.dumps(progress))
    write_lines(tmp_path / "metrics.jsonl", [{"step": step, "time/step": 90} for step in range(1, 5)])
    write_lines(tmp_path / "evals.jsonl", [{"step": 0, "time/eval": 60}])
    run = LiveRun(tmp_path)
    run.poll()
    assert spent(run) == (420.0, 3.5, 540.0, 8.0, "2026-01-01 12:45 UTC")
    assert "step 4 of 10" in header({"one": run}) and "ends about 2026-01-01 12:45 UTC" in header({"one": run})
    (tmp_path / "seconds").write_text("600.0\n")
    assert spent(run)[:2] == (600.0, 5.0)
    os.utime(tmp_path / "metrics.jsonl", (0, 0))
    assert spent(run)[2:] == (540.0, 9.5, ""), "a run that was stopped has no end"
    (tmp_path / "progress.json").unlink()
    (tmp_path / "config.toml").write_text("")
    run.poll()
    assert spent(run) == (600.0, None, None, None, "")


def test_a_summary_of_fewer_steps_is_not_the_end_of_a_run_that_was_resumed(tmp_path: Path) -> None:
    write_lines(tmp_path / "metrics.jsonl", [{"step": 1}, {"step": 2}])
    (tmp_path / "summary.json").write_text('{"steps": 2, "seconds": 60.0}')
    run = LiveRun(tmp_path)
    run.poll()
    assert run.state() == "finished" and run.seconds() == 60.0
    write_lines(tmp_path / "metrics.jsonl", [{"step": 1}, {"step": 2}, {"step": 3, "time/step": 90}])
    run.poll()
    assert run.state() == "training" and run.seconds() == 90.0


def test_a_run_of_a_machine_with_another_clock_is_followed_by_the_own_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "metrics.jsonl"
    now = time.time()

    def write(steps: int, ahead_s: float) -> None:
        write_lines(log, [{"step": step} for step in range(1, steps + 1)])
        os.utime(log, (now + ahead_s, now + ahead_s))

    write(1, ahead_s=-3600)
    run = LiveRun(tmp_path)
    run.poll()
    assert run.state() == "silent for 60 min", "nothing else is known of it yet"
    write(2, ahead_s=-3600)
    run.poll()
    assert run.state() == "training"
    write(3, ahead_s=3600)
    run.poll()
    began = time.monotonic()
    monkeypatch.setattr("dashboard_app.live_run.time.monotonic", lambda: began + 300)
    assert not run.poll() and run.state() == "silent for 5 min"


def test_a_mistake_in_reading_one_run_ends_no_following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = LiveRun(tmp_path)
    monkeypatch.setattr(run, "_poll_completions", lambda: 1 / 0)
    assert run.poll() and "ZeroDivisionError" in run.problem


def test_a_file_that_cannot_be_read_is_named_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    run = LiveRun(tmp_path)
    assert run.poll() and "metrics.jsonl: Is a directory" in run.problem
    (tmp_path / "metrics.jsonl").rmdir()
    write_lines(tmp_path / "metrics.jsonl", [{"step": 1}])
    assert run.poll() and not run.problem and len(run.files().steps) == 1


def test_the_hub_sees_a_new_step_within_seconds_and_tells_runs_of_one_name_apart(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / folder / "run", steps=2) for folder in "ab"]
    hub = Hub(paths)
    hub.start()
    try:
        assert list(hub.runs) == ["run", "run (2)"]
        before = hub.version()
        append(paths[1] / "metrics.jsonl", b'{"step": 3}\n')
        deadline = time.monotonic() + SEEN_S
        while hub.version() == before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [line["step"] for line in hub.runs["run (2)"].files().steps] == [1, 2, 3]
    finally:
        hub.stop()
    assert not any(thread.name == "dashboard" for thread in threading.enumerate())


def test_what_is_no_run_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="which run"):
        check_runs([])
    with pytest.raises(BadInput, match="7 runs: give at most 6"):
        check_runs([tmp_path] * 7)
    with pytest.raises(BadInput, match="is not a directory"):
        check_runs([tmp_path / "none"])
    with pytest.raises(BadInput, match="neither config.toml nor metrics.jsonl"):
        check_runs([tmp_path])
    (tmp_path / "metrics.jsonl").touch()
    check_runs([tmp_path])
    assert hub_of.cache_info().currsize == 0


@pytest.mark.slow
def test_a_hundred_thousand_completions_stay_fluent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Processor time, not the clock's: other programs may run beside. Prints the figures of the documentation."""
    from random import Random

    from synthetic_run import _completion  # a record of a realistic size

    draw, path = Random(0), tmp_path / "completions.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for step in range(1, 1564):
            for slot in range(64):
                record = _completion("train", step, slot // 8, slot % 8, 0.35 + step / 3126, draw)
                record["verdict"]["evidence"] = {"filling": "x" * 2_500}
                file.write(json.dumps(record) + "\n")
    run = LiveRun(tmp_path)
    began = time.process_time()
    while not run.index.count(Wanted()) or run.reading < 1:
        run.poll()
    indexed = time.process_time() - began
    assert run.index.count(Wanted()) == 1563 * 64
    took = {}
    for name, wanted, order, skip in (
        ("newest", Wanted("train"), "newest first", 0),
        ("last page", Wanted("train"), "newest first", 100_000),
        ("by outcome", Wanted("train", outcomes=("test_failed",)), "lowest reward", 0),
        ("by mistake", Wanted("train", code="E0308"), "oldest first", 0),
        ("by task", Wanted("train", task="sum-150"), "newest first", 0),
    ):
        began = time.process_time()
        for entry in run.index.find(wanted, order, 12, skip):
            assert run.record(entry)["id"] == entry.id
        run.index.count(wanted)
        took[name] = time.process_time() - began
    with capsys.disabled():
        figures = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in took.items())
        print(f"\n{path.stat().st_size / 1e6:.0f} MB indexed in {indexed:.1f} s; page and count: {figures}")
    assert indexed < MOST_INDEX_CPU_S and max(took.values()) < MOST_QUERY_CPU_S
