"""`python -m rewards grade`: every score with weight and reason, for people or programs; hostile text is harmless."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from answers import HACKS, HONEST, answer
from rewards.trl_functions import SCORERS


def grade(*arguments, stdin: bytes = b"", **environment) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "rewards", "grade", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, **environment)


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.md"
    path.write_text(answer(HONEST["a plain call"]))
    return path


def test_json_lines_hold_every_reward_with_its_reason(good):
    done = grade(good, "-", "--json", stdin=answer(HACKS["a tautology"]).encode())
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0 and (first["file"], second["file"]) == (str(good), "-")
    assert (first["total"], second["total"]) == (6.25, 4.25)
    assert first["rewards"].keys() == SCORERS.keys()
    assert second["rewards"]["cargo_test"] == {
        "score": 0.0,
        "weight": 2.0,
        "reason": "no assert depends on code outside the tests",
    }
    assert first["rewards"]["gold"]["score"] is None


def test_a_table_shows_score_weight_and_reason(good):
    lines = grade(good).stdout.decode().splitlines()
    assert lines[1].split() == ["reward", "score", "weight", "reason"]
    rows = {line.split()[0]: line.split()[1:3] for line in lines[2:]}
    assert rows["cargo_test"] == ["1.00", "2.00"] and rows["gold"] == ["-", "0.00"] and rows["total"] == ["6.25", "of"]


def test_hostile_text_does_not_reach_the_terminal(tmp_path):
    path = tmp_path / "bad.md"
    path.write_bytes(b'```rust\ncompile_error!("\\u{1b}[31mred\\u{7} \\u{202e}evil");\n// \xff\n```\n')
    done = grade(path)
    assert done.returncode == 0 and b"evil" in done.stdout
    assert not set("\x1b\x07\u202e") & set(done.stdout.decode())


def test_bad_input_is_named(tmp_path):
    missing = grade(tmp_path / "none.md")
    assert (missing.returncode, missing.stdout) == (2, b"") and b"none.md" in missing.stderr
    assert grade(tmp_path).returncode == 2
    assert grade().returncode == 2
    assert grade("-", "--jobs", "-1").returncode == 2


def test_without_a_toolchain_the_host_has_failed(good, tmp_path):
    program = "import sys, rewards.__main__ as m\nfrom sandbox import ToolchainError\n"
    program += "def none(jobs, isolation): raise ToolchainError('no Rust: install it')\n"
    program += f"m.SandboxPool = none\nsys.exit(m.main(['grade', {str(good)!r}]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == 3 and b"rewards: no Rust: install it" in done.stderr


def test_scores_that_nobody_reads_to_their_end_end_quietly(good):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "rewards", "grade", str(good), "--jobs", "1"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
