"""scripts/chat.py: the completion, cargo's verdict, every reward with its reason, the same prompt again, commands."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chat import main
from chatting.commands import Then, obey
from chatting.entry import Entries
from chatting.judging import ChatJudge, Judged
from chatting.showing import Paint, answer_text, rewards_text
from chatting.state import ChatAnswer, ChatState
from chatting.tasks import DataTasks
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.recipe import DEFAULT_RECIPE, load_recipe
from rewards.completion import GradedCompletion, Score
from sandbox import SandboxPool
from sandbox.verdict import Diagnostic, Outcome, Verdict
from scripted_api import scripted

ROOT = Path(__file__).parents[2]
GOOD = """Here:
```rust
fn add(a: i32, b: i32) -> i32 { a + b }
#[cfg(test)]
mod tests { use super::*; #[test] fn t() { assert_eq!(add(1, 2), 3); } }
```"""
ONE_CORE = ("train.threads=1", "sandbox.jobs=1")
PROMPT = "Write a Rust function `fn add_two(a: i32, b: i32) -> i32` that returns the sum. With tests."
STARTED_S = 120.0
ANSWERED_S = 60.0


def chat(monkeypatch: pytest.MonkeyPatch, lines: str, *words: str) -> int:
    """Talk to a model through a pipe; returns the exit code."""
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    return main([*words, *ONE_CORE])


def test_a_prompt_gets_code_verdict_and_every_reward_with_its_reason(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", "cut", text=GOOD) as server:
        words = ["api:m", "--base-url", server.url, "rewards.weights.asserts=1", "data.system_prompt=rust"]
        assert chat(monkeypatch, "Write add\n\n:quit\nmore\n", *words) == 0
    said = capsys.readouterr().out
    first, second = said.split("no program", maxsplit=1)
    assert "   1 | fn add(a: i32, b: i32)" in first and "(20 tokens)" in first
    assert "cargo: build passes, clippy passes, test passes; 1 of 1 tests pass (passed)" in first
    assert "asserts               0.25    1.00    0.25  1 distinct assert" in first
    assert "not paid" in first.partition("of 4.00")[2] and "half" in first
    assert "there is no closed ```rust block" not in said and "no closed ```rust block with code" in second
    assert [request["messages"][-1]["content"] for request in server.requests] == ["Write add", "Write add"]
    assert server.requests[0]["messages"][0]["role"] == "system"


def test_a_recipe_that_compares_groups_is_chatted_about_by_its_other_rewards(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", text=GOOD) as server:
        words = ["api:m", "scripts/recipes/tiny.toml", "--base-url", server.url]
        assert chat(monkeypatch, "Write add\n", *words) == 0
    said = capsys.readouterr().out
    assert "cross_" not in said and re.search(r"cargo_test_thorough +0\.25 +2\.00 +0\.50", said)
    assert "of 3.00" in said, "own tests and the build, as where nobody judges"


def test_commands_change_how_the_next_prompt_is_asked(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", text=GOOD) as server:
        lines = ":temperature 0.25\n:top_p 0.5\n:samples 2\nadd\n"
        assert chat(monkeypatch, lines, "api:m", "--base-url", server.url, "guard.mutation=false") == 0
    said = capsys.readouterr().out
    assert [(request["temperature"], request["top_p"]) for request in server.requests] == [(0.25, 0.5)] * 2
    assert "--- sample 2 of 2" in said
    assert "of 2 samples 2 build, 2 pass clippy, 2 pass their tests, 2 strictly; reward" in said


def test_a_task_of_the_data_brings_its_gold_tests(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "```rust\nfn pick_step(a: char, b: char) -> bool { a == b }\n```"
    with scripted("well", text=code) as server:
        assert chat(monkeypatch, ":task eval-0001\n", "api:m", "--base-url", server.url) == 0
    said = capsys.readouterr().out
    assert "3 of 3 gold tests pass" in said
    assert server.requests[0]["messages"][-1]["content"].startswith("The Rust function `pick_step`")


def test_a_chat_says_of_gold_tests_and_slow_functions_what_the_trainer_says(pool: SandboxPool, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import time\n\n\ndef slow(**_):\n    time.sleep(5)\n    return [1.0]\n")
    weight = f'rewards.weights."{tmp_path}/mine.py:slow"=1.0'
    judge = ChatJudge(load_recipe(DEFAULT_RECIPE, ["rewards.function_s=0.1", "guard.mutation=false", weight]), pool)
    row = {"signature": "fn sum(a: i32, b: i32) -> i32", "rust_test_list": ["assert_eq!(sum(1, 2), 3);"]}
    example = Example("hidden", ({"role": "user", "content": "Write the sum."},), row)
    scores = [
        judge.finish(judge.start(example, text)).scores
        for text in (GOOD, GOOD.replace("add", "sum"), GOOD.replace("a + b", "a + c"), "no code")
    ]
    assert [found["gold"].value for found in scores] == [None, 1.0, 0.0, 0.0]
    assert scores[0]["gold"].reason == "the gold tests do not apply: it has no sum"
    assert "did not return within 0.1 s" in scores[0][f"{tmp_path}/mine.py:slow"].reason


def test_a_function_of_the_users_own_scores_too(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "def short(completions, operation, **_):\n"
        "    return [len(completions[0][0]['content']) / 8 * (operation[0] == 'equal')]\n"
    )
    weight = f'rewards.weights."{tmp_path}/mine.py:short"=2.0'
    with scripted("well", text="four") as server:
        assert chat(monkeypatch, ":task eval-0001\n", "api:m", "--base-url", server.url, weight) == 0
    (row,) = (line for line in capsys.readouterr().out.split("\n") if "mine.py:short" in line)
    assert row.split()[1:] == ["0.50", "2.00", "1.00", "by", "your", "function"]


def test_a_function_of_the_users_own_that_fails_says_why_and_the_chat_goes_on(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("def short(**_):\n    raise KeyError('no such column')\n")
    weight = f'rewards.weights."{tmp_path}/mine.py:short"=2.0'
    with scripted("well", text=GOOD) as server:
        assert chat(monkeypatch, "add\nadd\n", "api:m", "--base-url", server.url, weight) == 0
    said = capsys.readouterr().out
    assert said.count("mine.py:short failed: KeyError: 'no such column'") == 2


def test_an_empty_line_asks_again_and_a_local_model_answers_otherwise(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chat(monkeypatch, f"{PROMPT}\n\n", "assets/tiny-rust", "guard.mutation=false") == 0
    first, second, _ = capsys.readouterr().out.split("not paid")
    assert "fn " in first and "cargo" in second
    assert first.partition("cargo")[0].partition("```")[2] != second.partition("cargo")[0].partition("```")[2]


def test_from_a_pipe_an_entry_that_cannot_be_done_is_bad_input(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chat(monkeypatch, "word " * 400 + "\nmore\n", "assets/tiny-rust") == 2
    heard = capsys.readouterr()
    assert "data.max_prompt_tokens is 256: shorten it, or start again with" in heard.err and "more" not in heard.out


def test_what_a_model_says_cannot_write_on_the_terminal(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", text="\x1b[2Jhello\x07") as server:
        assert chat(monkeypatch, "hi", "api:m", "--base-url", server.url) == 0
    said = capsys.readouterr().out
    assert "hello" in said and "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        ("\n\n", ["", ""]),
        ("a", ["a"]),
        ("a\\\nb\n\n", ["a\nb", ""]),
        ("a\\", ["a"]),
        ('"""\na\n\nb\n"""\nc\n', ["a\n\nb", "c"]),
        ('"""\na\n', ["a"]),
    ],
)
def test_lines_become_entries(lines: str, entries: list[str]) -> None:
    source = Entries(io.StringIO(lines))
    assert [*iter(source.read, None)] == entries


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (":temperature -1", "give a number, 0 or more"),
        (":temperature nan", "give a number, 0 or more"),
        (":top_p 0", "above 0 and at most 1"),
        (":samples 1.5", "1 to 16"),
        (":samples 17", "1 to 16"),
        (":sample 2", ":help lists"),
        (":task eval-1", "have no task eval-1: there are eval-"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_can(in_place: None, line: str, complaint: str) -> None:
    recipe = load_recipe(DEFAULT_RECIPE)
    state = ChatState(1.0, 1.0, 100)
    with pytest.raises(BadInput, match=complaint):
        obey(line, state, DataTasks(recipe))
    assert state == ChatState(1.0, 1.0, 100)


def test_tasks_are_found_by_their_words(in_place: None) -> None:
    recipe = load_recipe(DEFAULT_RECIPE)
    state = ChatState(1.0, 1.0, 100)
    said, then = obey(":tasks swapped", state, DataTasks(recipe))
    assert said.startswith("eval-0002  Create a function named `show_task`") and then is Then.READ
    assert obey(":tasks xyzzy", state, DataTasks(recipe))[0] == "no task has xyzzy in it"
    assert obey(":task train-0000", state, DataTasks(recipe))[1] is Then.ASK and state.example is not None


def test_messages_stand_under_the_lines_that_they_are_about() -> None:
    code = "fn a() {}\n#[test]\nfn t() {\n    assert_eq!(1, 2);\n}\n"
    output = (
        "thread 't' (1) panicked at src/main.rs:4:5:\nassertion `left == right` failed\n  left: 1\n right: 2\n"
        "note: run with `RUST_BACKTRACE=1`\n\n"
    )
    found = (Diagnostic("warning", "clippy::x", "unused\nthing", 1), Diagnostic("error", None, "at the end", 9))
    verdict = Verdict(Outcome.TEST_FAILED, True, True, False, True, failed=1, diagnostics=found, test_output=output)
    graded = GradedCompletion(f"```rust\n{code}```", verdict)
    text = answer_text(ChatAnswer(graded.text, 9, True), Judged(graded, {}), Paint(False)).split("\n")
    assert text[1:3] == ["   1 | fn a() {}", "     ^ warning clippy::x: unused thing"]
    assert text[text.index("   4 |     assert_eq!(1, 2);") + 1] == (
        "     ^ panicked here: assertion `left == right` failed, left: 1, right: 2"
    )
    assert text[text.index("   5 | }") + 1] == "     ^ error: at the end"
    assert "(9 tokens, cut off: sampling.max_completion_tokens is 9)" in text


def test_a_reward_that_has_no_score_leaves_the_total_open() -> None:
    scores = {"a": Score(None, "the sandbox failed\n\x1b[2J"), "b": Score(1.0, "yes")}
    text = rewards_text(scores, {"a": 1.0, "b": 1.0}, Paint(False)).split("\n")
    assert text[1].split() == ["a", "-", "1.00", "-", "the", "sandbox", "failed"]
    assert text[3].split() == ["total", "-", "of", "2.00"] and len(text) == 4


def test_one_model_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["a", "b"])
    assert "2 models: give one" in capsys.readouterr().err


class Terminal:
    """The user's side of a pseudo-terminal."""

    def __init__(self, file: int) -> None:
        self._file = file
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def wait_for(self, text: str, seconds: float) -> str:
        """Read until a text comes that was not there before; returns what came."""
        new, end = "", time.monotonic() + seconds
        while text not in new:
            ready, _, _ = select.select([self._file], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"no {text!r} within {seconds} s, but {new!r}"
            new += os.read(self._file, 65536).decode(errors="replace")
        self.seen += new
        return new


@contextmanager
def at_terminal(*words: str) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """scripts/chat.py on a terminal."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    command = [sys.executable, str(ROOT / "scripts" / "chat.py"), *words, *ONE_CORE]
    # A controlling terminal of its own, so that Ctrl-C is a signal.
    start = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *command],
        cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours), process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.slow
def test_a_terminal_has_colours_ctrl_c_stops_an_answer_and_ctrl_d_ends() -> None:
    with scripted("silent", "well", text=GOOD) as server, at_terminal("api:m", "--base-url", server.url) as (
        user,
        chat_,
    ):
        user.wait_for("> ", STARTED_S)
        user.type("half a pro")
        user.wait_for("half a pro", ANSWERED_S)  # its echo: the line is being read
        time.sleep(0.5)  # Python notices a signal while it waits for a key, not while readline works on one
        user.type("\x03")
        user.wait_for("stopped", ANSWERED_S)
        user.type(":samples 99\n")
        user.wait_for("1 to 16", ANSWERED_S)
        user.type("add\n")
        user.wait_for("sampling ...", ANSWERED_S)
        while not server.requests:  # it has arrived, and will not be answered
            assert chat_.poll() is None
            time.sleep(0.02)
        user.type("\x03")
        user.wait_for("stopped", ANSWERED_S)
        user.type("\n")
        shown = user.wait_for("not paid", ANSWERED_S)
        assert "\x1b[32mpasses\x1b[0m" in shown
        if "> " not in shown.partition("not paid")[2]:  # an end of input before the prompt is the terminal's, and lost
            user.wait_for("> ", ANSWERED_S)
        user.type("\x04")
        assert chat_.wait(ANSWERED_S) == 0
