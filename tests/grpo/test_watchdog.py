"""A run in which nothing happens any more ends, and says what it waited for and where all of its processes stood."""

import ast
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grpo.run import stacks, stuck

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import multiprocessing, os, sys, threading, time
sys.path.insert(0, {root!r})
from pathlib import Path
from grpo.run.stacks import show_stacks_on_signal
from grpo.run.stuck import Watchdog, note_progress

def child(ready):
    file = open({directory!r} + "/stacks.txt", "w")
    show_stacks_on_signal(file)
    ready.set()
    sleeps_in_a_child()

def sleeps_in_a_child():
    time.sleep(40)

class Grader:
    weights = {{}}
    def finish(self, tickets):
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

if __name__ == "__main__":
    from grpo.rollout.collect import PendingRollout, collect
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=child, args=(ready,), daemon=True)
    process.start()
    ready.wait()
    Watchdog(Path({directory!r}), 2.0)
    for _ in range(8):
        time.sleep(0.5)  # longer than the limit, but something happens
        note_progress()
    print("alive", flush=True)
    collect(PendingRollout([], {{}}, {{}}, 0.0), Grader())
"""


def test_a_run_that_waits_for_itself_is_ended_with_all_stacks(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT), directory=str(tmp_path)))
    began = time.monotonic()
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3 and done.stdout == "alive\n", done.stderr
    assert time.monotonic() - began > 6, "not before its time"
    said = "nothing has happened for 2 s (train.stuck_after_s) while the run waited for grading"
    assert said in done.stderr and str(tmp_path / "stuck.txt") in done.stderr and "run.resume=true" in done.stderr
    written = (tmp_path / "stuck.txt").read_text()
    assert said in written and "in finish" in written, "the trainer's own stacks"
    assert "state S (sleeping)" in written and "in sleeps_in_a_child" in written, "and those of its children"


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError])
def test_a_process_that_ends_before_it_is_asked_is_no_error(
    error: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(pid: int, number: int) -> None:
        raise error(1, "not any more")

    monkeypatch.setattr(stacks.os, "kill", kill)
    before = signal.signal(stacks.STACKS_SIGNAL, lambda *_: None)  # so that this process can be asked
    try:
        said = stacks.ask_for_stacks(os.getpid())
    finally:
        signal.signal(stacks.STACKS_SIGNAL, before)
    assert said.endswith("it cannot be asked for its stacks: not any more")


def test_without_a_limit_there_is_no_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(stuck.threading, "Thread", lambda **settings: started.append(settings))
    stuck.Watchdog(tmp_path, 0.0)
    assert not started


@pytest.mark.parametrize(("module", "function"), stuck.PLACES)
def test_the_places_where_a_run_waits_are_where_they_are_looked_for(module: str, function: str) -> None:
    tree = ast.parse(Path(importlib.import_module(module).__file__ or "").read_text())
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_what_is_waited_for_is_told_from_the_inside_out() -> None:
    frames: list[str] = []

    def asks() -> None:
        frames.append(stuck.waits_for(sys._getframe()))

    inner = type(asks)(compile("def collect(f): f()", "x", "exec").co_consts[0], {"__name__": "grpo.rollout.collect"})
    outer = type(asks)(compile("def evaluate(f, g): f(g)", "x", "exec").co_consts[0], {"__name__": "grpo.evaluate"})
    outer(inner, asks)
    assert frames == ["grading, in an evaluation"]
