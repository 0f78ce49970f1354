"""`python -m sandbox grade`: one verdict per program, for people or programs; bad paths are named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from programs import GOOD
from sandbox.terminal import plain


def grade(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sandbox", "grade", *arguments], capture_output=True, text=True)


def test_a_directory_gives_one_json_line_a_program(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.rs").write_text(GOOD)
    (tmp_path / "deep" / "a.rs").write_bytes(b"// \xff\n")
    (tmp_path / "notes.txt").write_text("not Rust")
    done = grade(tmp_path, "--json", "--jobs", "2")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert list(first) == "file outcome build clippy test genuine passed failed ignored warnings ms".split()
    assert (first["file"], first["outcome"], first["passed"]) == (str(tmp_path / "b.rs"), "passed", 2)
    assert isinstance(first["ms"], int) and first["ms"] > 0
    assert (second["file"], second["outcome"]) == (str(tmp_path / "deep" / "a.rs"), "build_error")


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    program = tmp_path / "bad.rs"
    program.write_text('compile_error!("\\u{1b}[31mred\\u{7} \\u{202e}evil");\n')
    done = grade(program)
    assert done.returncode == 0 and "build_error" in done.stdout and "evil" in done.stdout
    assert not set("\x1b\x07\u202e") & set(done.stdout)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = grade(tmp_path / "none.rs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.rs" in done.stderr and "Traceback" not in done.stderr
    assert grade(tmp_path).returncode == 2
    (tmp_path / "folder.rs").mkdir()
    assert grade(tmp_path).returncode == 2, "a folder with the name of a program is none"
    assert grade(tmp_path, "--jobs", "-1").returncode == 2


def test_an_error_without_a_line_is_said_without_one(tmp_path: Path) -> None:
    program = tmp_path / "torn.rs"
    program.write_text("fn f( {")
    done = grade(program)
    assert "(this file contains an unclosed delimiter)" in done.stdout


def test_verdicts_that_nobody_reads_to_their_end_end_quietly(tmp_path: Path) -> None:
    (tmp_path / "a.rs").write_text("fn f( {")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "sandbox", "grade", str(tmp_path), "--jobs", "1"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_plain_keeps_text_and_drops_tricks() -> None:
    assert plain("é ✓\tß\n") == "é ✓\tß\n"
    assert plain("\x1b[1;31mred\x1b[0m \x1b[2J\x1b[?25l") == "red "
    assert plain("a\u200bb\u2066c\ud800d\x9b31me") == "abcde"


@pytest.mark.parametrize("trick", ["\x1b]", "\x9d", "\x1bP", "\x1b[", "\x1b_x", "\x1b", "\x1b]0;", "\x9b"])
@pytest.mark.parametrize("end", ["", "\x07", "\x1b\\", "\x9c"])
def test_plain_hides_no_code(trick: str, end: str) -> None:
    """An escape sequence that is not ended, or ends late, would take the code in between with it."""
    program = f"fn f() {{}} // {trick}\nfn evil() {{}}\n/* {trick} */ evil(); /* {end} */\nfn main() {{}}\n"
    shown = plain(program)
    assert shown.count("\n") == program.count("\n")
    for code in ("fn f() {}", "fn evil() {}", "*/ evil();", "fn main() {}"):
        assert code in shown
