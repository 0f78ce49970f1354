"""Verdicts on disk are found by other pools and processes, limited in number, and their errors stop no grading."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from programs import GOOD
from sandbox import Limits, Outcome, SandboxPool, Verdict
from sandbox.isolation.policy import Isolation
from sandbox.verdict import Diagnostic
from sandbox.workers.cache import task_key
from sandbox.workers.program_task import ProgramTask
from sandbox.workers.store import VerdictStore

FULL = Verdict(
    Outcome.TEST_FAILED,
    build=True,
    test=False,
    failed=1,
    diagnostics=(Diagnostic("warning", "unused", "é\ud800", 3),),
    test_output="\x1b[31m",
    ms={"test": 1.5},
)


def test_a_verdict_comes_back_as_it_was(tmp_path: Path) -> None:
    VerdictStore(tmp_path / "v", size=10).put("key", FULL)
    assert VerdictStore(tmp_path / "v", size=10).get("key", Verdict) == FULL
    assert VerdictStore(tmp_path / "v", size=10).get("other", Verdict) is None


def test_the_oldest_go_first(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path / "v", size=3)
    for number in range(9):
        store.put(str(number), FULL)
    assert [number for number in range(9) if store.get(str(number), Verdict)] == [6, 7, 8]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"outcome": "passed"}', '{"outcome": "later", "diagnostics": []}']
)
def test_a_damaged_entry_is_none(text: str, tmp_path: Path) -> None:
    store = VerdictStore(tmp_path / "v", size=3)
    store.put("key", FULL)
    with sqlite3.connect(tmp_path / "v") as connection:
        connection.execute("UPDATE verdicts SET verdict = ?", (text,))
    assert store.get("key", Verdict) is None
    store.put("key", FULL)
    assert store.get("key", Verdict) == FULL


def test_a_file_that_is_no_store_is_said_once_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "v").write_bytes(b"not a database at all" * 100)
    store = VerdictStore(tmp_path / "v", size=3)
    store.put("key", FULL)
    assert store.get("key", Verdict) is None
    assert len(caplog.records) == 1 and "not kept on disk" in caplog.text
    VerdictStore(tmp_path / "v" / "below", size=3).put("key", FULL)


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sandbox import Outcome, Verdict\n"
        "from sandbox.workers.store import VerdictStore\n"
        "store = VerdictStore(Path(sys.argv[1]), size=10_000)\n"
        "for number in range(200): store.put(f'{sys.argv[2]}-{number}', Verdict(Outcome.PASSED))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "v")]
    writers = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    store = VerdictStore(tmp_path / "v", size=10_000)
    assert all(store.get(f"{name}-{number}", Verdict) for name in "abc" for number in range(200))


def test_a_pool_keeps_verdicts_for_the_next_one_but_not_without_isolation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: Isolation
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = GOOD + "// kept\n"
    if not isolation.is_real:
        pytest.skip("nothing is kept without isolation")
    with SandboxPool(jobs=1, keep=True) as pool:
        first = pool.submit(source).result()
        assert pool.submit("fn f() { loop {} }").result().outcome is Outcome.NO_TESTS
    with SandboxPool(jobs=1, keep=True) as pool:
        assert pool.submit(source).result() == first, "times and all: it was not graded again"
    with SandboxPool(jobs=1) as pool:
        assert pool.submit(source).result().ms != first.ms
    with SandboxPool(jobs=1, keep=True, isolation="none") as pool:
        assert pool.submit(source).result().ms != first.ms


def test_whatever_decides_a_verdict_is_in_its_key(isolation: Isolation, unprotected: Isolation) -> None:
    if not isolation.is_real:
        pytest.skip("both are without isolation")
    keys = {
        task_key(ProgramTask(GOOD, ("test",), "direct"), isolation, Limits()),
        task_key(ProgramTask(GOOD + " ", ("test",), "direct"), isolation, Limits()),
        task_key(ProgramTask(GOOD, ("build",), "direct"), isolation, Limits()),
        task_key(ProgramTask(GOOD, ("test",), "direct"), unprotected, Limits()),
        task_key(ProgramTask(GOOD, ("test",), "direct"), isolation, Limits(wall_s=7)),
        task_key(ProgramTask(GOOD, ("test",), "cargo"), isolation, Limits()),
    }
    assert len(keys) == 6
