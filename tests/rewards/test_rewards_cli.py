"""`python -m rewards grade`: every score with weight and reason, for people or programs; hostile text is harmless."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

import pytest

import rewards.__main__
from completions import HACKS, HONEST, fenced
from reward_hacks import REWARD_HACKS
from rewards.completion import GradedCompletion, Score
from rewards.registry import REWARDS, reward
from sandbox import ToolchainError

COMMAND = [sys.executable, "-m", "rewards", "grade"]


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.md"
    path.write_text(fenced(HONEST["a plain call"]))
    return path


@pytest.fixture
def grade(pool, monkeypatch, capsys):
    """The command in this process and with its pool: the exit code, standard output and standard error."""
    monkeypatch.setattr(rewards.__main__, "SandboxPool", lambda jobs, isolation: contextlib.nullcontext(pool))

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = rewards.__main__.main(["grade", *map(str, arguments)])
        except SystemExit as exited:  # argparse
            code = exited.code
        return (code, *capsys.readouterr())

    return run


def test_json_lines_hold_every_reward_with_its_reason(good):
    stdin = fenced(HACKS["a tautology"]).encode()
    done = subprocess.run([*COMMAND, str(good), "-", "--json"], input=stdin, capture_output=True)
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0 and (first["file"], second["file"]) == (str(good), "-")
    assert (first["total"], second["total"]) == (6.25, 4.25)
    assert list(first["rewards"]) == [name for name, one in REWARDS.items() if not one.task]
    assert second["rewards"]["cargo_test"] == {
        "score": 0.0,
        "weight": 2.0,
        "reason": "the tests pass whatever add does",
    }
    assert first["rewards"]["gold"]["score"] is None


def test_a_reward_of_one_decorated_function_is_in_the_table_and_in_the_json(good, grade):
    def short_code(completion: GradedCompletion) -> Score:
        return Score(0.5, "counted")

    reward()(short_code)
    try:
        table, line = grade(good)[1], grade(good, "--json")[1]
    finally:
        del REWARDS["short_code"]
    assert "\n  short_code            0.50    0.00  counted\n" in table
    assert json.loads(line)["rewards"]["short_code"] == {"score": 0.5, "weight": 0.0, "reason": "counted"}
    assert json.loads(line)["total"] == 6.25


def test_a_table_shows_score_weight_and_reason(good, grade):
    lines = grade(good)[1].splitlines()
    assert lines[1].split() == ["reward", "score", "weight", "reason"]
    rows = {line.split()[0]: line.split()[1:3] for line in lines[2:]}
    assert rows["cargo_test"] == ["1.00", "2.00"] and rows["gold"] == ["-", "0.00"] and rows["total"] == ["6.25", "of"]


def test_hostile_text_does_not_reach_the_terminal(tmp_path, grade):
    path = tmp_path / "bad.md"
    path.write_bytes(b'```rust\ncompile_error!("\\u{1b}[31mred\\u{7} \\u{202e}evil");\n// \xff\n```\n')
    code, written, _ = grade(path)
    assert code == 0 and "evil" in written
    assert not set("\x1b\x07\u202e") & set(written)


@pytest.mark.parametrize(("flags", "score"), [([], 0.0), (["--mutation"], 0.0), (["--no-mutation"], 1.0)])
def test_what_passing_tests_depend_on_is_examined_by_default(flags, score, tmp_path, grade):
    (tmp_path / "completion.md").write_text(fenced(REWARD_HACKS["minus itself"]))
    code, line, _ = grade(tmp_path / "completion.md", "--json", *flags)
    assert code == 0 and json.loads(line)["rewards"]["cargo_test"]["score"] == score


def test_a_directory_stands_for_the_completions_below_it(tmp_path, good, grade):
    (tmp_path / "deep.md").mkdir()
    (tmp_path / "deep.md" / "none.md").write_text("no code")
    (tmp_path / "notes.txt").write_text(fenced(HONEST["a plain call"]))
    code, lines, _ = grade(tmp_path, good, "--json")
    found = [json.loads(line) for line in lines.splitlines()]
    assert code == 0 and [line["file"] for line in found] == [
        str(tmp_path / "deep.md" / "none.md"),
        str(good),
        str(good),
    ]
    assert [line["total"] for line in found] == [0.0, 6.25, 6.25]


def test_bad_input_is_named(tmp_path, grade):
    code, written, error = grade(tmp_path / "none.md")
    assert (code, written) == (2, "") and "none.md" in error
    code, _, error = grade(tmp_path)
    assert code == 2 and "holds no .md file; name completions in other files one by one" in error
    assert grade()[0] == 2
    assert grade("-", "--jobs", "-1")[0] == 2


def test_without_a_toolchain_the_host_has_failed(good, grade, monkeypatch):
    def no_pool(jobs, isolation):
        raise ToolchainError("no Rust: install it")

    monkeypatch.setattr(rewards.__main__, "SandboxPool", no_pool)
    assert grade(good) == (3, "", "rewards: no Rust: install it\n")


def test_scores_that_nobody_reads_to_their_end_end_quietly(good):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, str(good), "--jobs", "1"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
