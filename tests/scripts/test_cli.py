"""Every way in which a command ends has one exit code, and says why in one line instead of a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grpo.errors import BadInput, HostFailed
from grpo.schema import ConfigError
from grpo_rust.cli import ExitCode, command
from rewards import RewardError
from sandbox import ToolchainError

ROOT = Path(__file__).resolve().parents[2]


def ending(error: BaseException, **settings: tuple[type[Exception], ...]) -> int:
    @command("verb", **settings)
    def main() -> int:
        raise error

    return main()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("why"), 2),
        (ConfigError("why"), 2),
        (RewardError("why"), 2),
        (HostFailed("why"), 3),
        (ToolchainError("why"), 3),
    ],
)
def test_an_error_that_is_raised_on_purpose_becomes_a_message_and_its_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error) == code
    assert capsys.readouterr() == ("", "verb: why\n")


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(KeyboardInterrupt()) == ExitCode.INTERRUPTED == 130
    assert capsys.readouterr().err == "verb: interrupted\n"


def test_an_error_of_the_machine_is_one_only_where_the_script_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(OSError(28, "No space left"), host_errors=(OSError,)) == ExitCode.HOST_FAILED
    assert "No space left" in capsys.readouterr().err
    with pytest.raises(OSError, match="No space left"):
        ending(OSError(28, "No space left"))


def test_any_other_error_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        ending(ZeroDivisionError())


def test_a_message_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    ending(BadInput("no file \x1b[31mred"))
    assert capsys.readouterr().err == "verb: no file red\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = "import sys; from grpo_rust.cli import command; sys.exit(command('verb')(lambda: print('x') or 0)())"
    reader, writer = os.pipe()
    os.close(reader)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (ExitCode.NOT_READ, "")
    assert ExitCode.NOT_READ == 141
