"""Files that survive a stop: a journal goes on, a file is there whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dataset.rows import write_rows
from dataset.saving import save, save_manifest
from dataset.writing.drafts import Draft
from dataset.writing.record import write_splits
from durable.journal import EntryFormat, LineJournal
from durable.write_whole import write_whole
from grpo.errors import BadInput
from grpo.whole_file import whole_file

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = EntryFormat[int]("numbers", ("name",), lambda number: {"is": number}, lambda record: int(record["is"]))
DRAFT = Draft("a", "Double.", "fn double(n: i32) -> i32 { 2 * n }", ["assert_eq!(double(1), 2);"])


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [] if before["of"] == now["of"] else [f"of: {before['of']} and {now['of']}"]


def journal(path: Path, of: str = "work", sync_s: float = 0.0) -> LineJournal[int]:
    return LineJournal(path, {"of": of}, NUMBERS, differences, sync_s=sync_s)


# The journal


def test_a_journal_goes_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal"
    with journal(path) as one:
        one.add(("a",), 1)
    with open(path, "a") as file:
        file.write('{"name": "b", "is"')
    with journal(path) as two:
        assert two.entries == {("a",): 1} and two.header == {"of": "work"}
        two.add(("b",), 2)
    lines = [{"of": "work"}, {"name": "a", "is": 1}, {"name": "b", "is": 2}]
    assert [json.loads(line) for line in path.read_text().splitlines()] == lines


def test_half_of_a_character_in_a_journal_is_read_as_a_replacement_character(tmp_path: Path) -> None:
    """It is as it was written by a version that let it through; what is made of the entries goes into files."""
    texts = EntryFormat[str]("texts", ("name",), lambda text: {"is": text}, lambda record: str(record["is"]))
    path = tmp_path / "journal"
    path.write_text('{"of": "work"}\n{"name": "a", "is": "x\\ud83dy"}\n{"name": "b", "is": "\\ud83d\\ude00"}\n')
    with LineJournal(path, {"of": "work"}, texts, differences) as one:
        assert one.entries == {("a",): "x\ufffdy", ("b",): "\U0001f600"}


def test_a_whole_file_takes_any_text(tmp_path: Path) -> None:
    """A file's name that is no UTF-8 has half of a character in a command line, and so in a manifest."""
    write_whole(tmp_path / "a", "x\udcffy")
    assert (tmp_path / "a").read_text() == "x\ufffdy"


def test_a_header_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('{"of": "oth')
    with journal(path) as one:
        assert one.entries == {}
    assert path.read_text() == '{"of": "work"}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"of": "other"}\n', "has numbers of something else (of: other and work): give another --out, or move it"),
        ('{"model": "m"}\n', "is no journal of numbers: line 1"),
        ("[]\n", "is no journal of numbers: line 1"),
        ('{"of": "work"}\n{"name": "a"}\n', "is no journal of numbers: line 2"),
        ('{"of": "work"}\n{"is": 1}\n', "is no journal of numbers: line 2"),
        ("no JSON\n", "is no journal of numbers: line 1"),
    ],
)
def test_a_journal_of_something_else_is_refused_and_stays_as_it_is(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(BadInput) as raised:
        journal(path)
    assert said in str(raised.value) and path.read_text() == text


def test_one_process_at_a_time_writes_a_journal_and_may_remove_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with journal(path) as one:
        with pytest.raises(BadInput, match="is being written by another process"):
            journal(path)
        one.remove()
        assert not path.exists()
    with journal(path) as again:
        assert again.entries == {}


def test_each_entry_or_those_of_some_seconds_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    for sync_s, expected in ((0.0, 1 + 3 + 1), (3600.0, 1)):  # the header, the entries, the end
        waits.clear()
        with journal(tmp_path / str(sync_s), sync_s=sync_s) as one:
            for number in range(3):
                one.add((number,), number)
                assert f'"is": {number}' in one.path.read_text()  # outlives the process
        assert len(waits) == expected


# Whole files


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_is_not_finished_leaves_the_old_one(error: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(error), whole_file(path) as unfinished:
        unfinished.write_text("ne")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    write_whole(path, "new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        sync(descriptor)

    def noted_replace(old: Path, new: Path) -> None:
        done.append("replace")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_whole(tmp_path / "a.txt", "text")
    assert done == ["sync .a.txt.unfinished", "replace", f"sync {tmp_path.name}"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    program = (
        "import os, pathlib, sys\nfrom grpo.whole_file import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as unfinished:\n"
        "    unfinished.write_text('ne')\n    os.kill(os.getpid(), 9)\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"}
    done = subprocess.run([sys.executable, "-c", program, path], env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL and path.read_text() == "old"
    write_whole(path, "new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def written(folder: Path) -> dict[str, Callable[[], object]]:
    """What writes the files of a data set, by the file."""
    one_file = Namespace(out=folder / "tasks.jsonl")
    splits = Namespace(out=folder, split_sizes=(1, 0, 0))
    return {
        "rows.jsonl": lambda: write_rows([{"a": 1}], folder / "rows.jsonl"),
        "tasks.jsonl": lambda: save([{"task_id": "a"}], one_file),
        "train.parquet": lambda: save([{"task_id": "a"}], splits),
        "eval.parquet": lambda: write_splits({"eval": [DRAFT]}, folder),
        "manifest.json": lambda: save_manifest({"rows": 1}, folder),
    }


@pytest.mark.parametrize("name", ["rows.jsonl", "tasks.jsonl", "train.parquet", "eval.parquet", "manifest.json"])
def test_every_file_of_a_data_set_is_written_beside_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(old: Path, new: Path) -> None:
        raise OSError("stopped just before the new file takes its place")

    path, write = tmp_path / name, written(tmp_path)[name]
    write()
    before, inode = path.read_bytes(), path.stat().st_ino
    write()
    assert path.read_bytes() == before and path.stat().st_ino != inode
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="just before"):
        write()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
