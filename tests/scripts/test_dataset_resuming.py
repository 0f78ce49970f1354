"""The verb translate loses nothing to a stop: the same command translates no row twice and writes the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from dataset import making
from dataset.resuming import TRANSLATING, content_of, open_journal
from dataset.rows import RustTask
from dataset.sources import PythonTask, read_task
from dataset.translating.reference import ReferenceStopped
from dataset.translating.translate import translate
from make_dataset import main
from sandbox.workers.pool import SandboxPool

ROOT = Path(__file__).resolve().parents[2]
ROWS = 12
KEPT = 4  # rows before the stop
PAUSE_S = 0.1  # of a reference, which runs twice
COMMAND = ["translate", "in.jsonl", "--out", "out.jsonl", "--jobs", "2", "--no-compile", "--keep-near-duplicates"]


def row(number: int, code: str = "") -> dict[str, Any]:
    """A task; of each third the asserts have no type in common."""
    expected = "'a'" if number % 3 == 0 else f"{number + 2}"
    return {
        "task_id": number,
        "text": f"Write a function to add {number}.",
        "code": code or f"import time\ntime.sleep({PAUSE_S})\ndef add(x): return x + {number} if x < 2 else {expected}",
        "test_list": [f"assert add(1) == {number + 1}", f"assert add(2) == {expected}"],
    }


def write_source(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in, with a source."""
    write_source(tmp_path / "here", [row(number) for number in range(ROWS)])
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def translated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contents of the tasks that are translated in this process."""
    found: list[str] = []

    def noted(task: PythonTask) -> RustTask:
        found.append(content_of(task))
        return translate(task)

    monkeypatch.setattr(making, "translate", noted)
    return found


def start(folder: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, with a group of its own, as from a terminal."""
    command = [sys.executable, ROOT / "scripts" / "make_dataset.py", *COMMAND]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while not reached():
        time.sleep(0.02)
        assert process.poll() is None


def lines(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of the journal without its head."""
    path = folder / "out.jsonl.journal.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True)[1:] if line.endswith("\n")]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def check_going_on(folder: Path, translated: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command again translates the other rows, and leaves what a command without a stop leaves."""
    kept = [line["content"] for line in lines(folder)]
    everything = {content_of(read_task(row(number), number)) for number in range(ROWS)}
    assert KEPT <= len(kept) < ROWS and set(kept) < everything
    monkeypatch.chdir(folder)
    assert main(COMMAND) == 0
    assert sorted([*kept, *translated]) == sorted(everything)
    whole = folder.parent / "whole"
    write_source(whole, [row(number) for number in range(ROWS)])
    monkeypatch.chdir(whole)
    assert main(COMMAND) == 0
    assert files(folder) == files(whole) and set(files(whole)) == {"in.jsonl", "out.jsonl", "out.jsonl.manifest.json"}
    assert len(files(whole)["out.jsonl"].splitlines()) == ROWS - ROWS // 3


def test_a_kill_loses_what_was_under_way_and_nothing_else(
    here: Path, translated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(here)
    wait_for(process, lambda: len(lines(here)) >= KEPT)
    process.kill()
    process.communicate(timeout=60)
    check_going_on(here, translated, monkeypatch)


def test_ctrl_c_says_what_is_kept_and_ends_no_reference_midway(
    here: Path, translated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(here)
    wait_for(process, lambda: len(lines(here)) >= KEPT)
    time.sleep(PAUSE_S)  # references are running
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and f"keeps {len(lines(here))} translations: the same command goes on" in said
    assert not any("time or memory" in line.get("reason", "") for line in lines(here))
    check_going_on(here, translated, monkeypatch)


def test_a_reference_whose_process_is_ended_is_no_reason(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = "import signal\nsignal.raise_signal(signal.SIGTERM)"
    with pytest.raises(ReferenceStopped, match="ended by SIGTERM"):
        translate(read_task(row(1, ended), 1))
    write_source(here, [row(1, ended)])
    assert main(COMMAND) == 3 and "give the same command again" in capsys.readouterr().err
    assert lines(here) == []


def test_a_reference_that_is_too_slow_by_the_clock_is_tried_again(
    here: Path, translated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_source(here, [row(1, "import time\ntime.sleep(60)"), row(2, "def add(x): return x + 2")])
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr("dataset.translating.reference.WALL_S", 1)
        patched.setattr("dataset.translation.save", lambda *_: 1 / 0)
        main(COMMAND)
    assert len(translated) == 2
    assert [line["content"] for line in lines(here)] == [content_of(read_task(row(2, "def add(x): return x + 2"), 2))]


def test_a_stop_after_the_translation_costs_none_of_it(
    here: Path, translated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr("dataset.translation.save", lambda *_: 1 / 0)
        main(COMMAND)
    assert len(translated) == ROWS and len(lines(here)) == ROWS
    assert main(COMMAND) == 0 and len(translated) == ROWS and lines(here) == []


def test_rows_of_one_content_are_one_translation_under_two_names(here: Path, translated: list[str]) -> None:
    write_source(here, [row(1), {**row(1), "task_id": "other"}])
    assert main([*COMMAND[:-3], "1", *COMMAND[-2:]]) == 0 and len(translated) == 1
    names = [json.loads(line)["task_id"] for line in (here / "out.jsonl").read_text().splitlines()]
    assert names == ["mbpp-1", "mbpp-other"]


def test_a_row_that_was_changed_is_translated_anew(here: Path, translated: list[str]) -> None:
    task = read_task(row(1), 1)
    with open_journal(here / "out.jsonl.journal.jsonl") as journal:
        journal.add((content_of(task),), replace(translate(task), task_id="", text="Kept."))
        journal.add((content_of(read_task(row(2), 2)),), "a reason that was kept")
    write_source(here, [row(1), {**row(2), "text": "Write a function to add two."}])
    assert main(COMMAND) == 0 and len(translated) == 1
    found = [json.loads(line)["text"] for line in (here / "out.jsonl").read_text().splitlines()]
    assert found == ["Kept.", "Write a Rust function to add two."]


@pytest.mark.parametrize("name", ["python", "translating_code", "tree-sitter-rust"])
def test_a_journal_of_other_code_or_another_python_is_refused(
    name: str, here: Path, translated: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / "out.jsonl.journal.jsonl"
    open_journal(path).close()
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: "another"}) + "\n")
    before = path.read_bytes()
    assert main(COMMAND) == 2 and translated == []
    said = capsys.readouterr().err
    assert f"has translations of something else ({name}: another and" in said and "give another --out" in said
    assert path.read_bytes() == before


def test_the_header_has_all_code_that_a_translation_is_made_by() -> None:
    program = (
        "import sys, dataset.translating.translate\n"
        "print(*(one.__file__ for one in sys.modules.values() if getattr(one, '__file__', None)), sep='\\n')"
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    loaded = {str(Path(one).relative_to(ROOT)) for one in done.stdout.split() if Path(one).is_relative_to(ROOT)}
    others = {one for one in loaded if not one.startswith(TRANSLATING) and ".venv" not in one}
    reading = {"scripts/dataset/__init__.py", "scripts/dataset/sources.py"}  # what they give is the content
    unused = ("sandbox", "grpo", "scripts/grpo_rust", "scripts/durable")  # they run programs, name errors, write files
    assert {one for one in others if not one.startswith(unused)} == reading
    assert all((ROOT / one).exists() for one in TRANSLATING)


def test_what_was_compiled_is_not_compiled_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy: list[float] = []

    class NotedPool(SandboxPool):
        def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:  # type: ignore[override]  # noqa: E501
            busy.append(self.busy_s if self.isolation.is_real else -1.0)
            super().__exit__(kind, error, at)

    monkeypatch.setattr("dataset.translation.SandboxPool", NotedPool)
    new = f"add_{time.time_ns()}"  # that no earlier test has compiled
    one = row(1, f"def {new}(x): return x + 1")
    write_source(here, [one | {"test_list": [test.replace("add", new) for test in one["test_list"]]}])
    command = [word for word in COMMAND if word != "--no-compile"]
    assert main(command) == 0 and main(command) == 0
    if busy[0] < 0:
        pytest.skip("results are kept with isolation only")
    assert busy[0] > 0 and busy[1] == 0
