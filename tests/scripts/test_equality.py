"""The backends agree on the corpus: here on a sample of it, by `make equality` on all of it and on mutants."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from programs import GOOD
from sandbox.exit_codes import ExitCode
from sandbox.verdict import Outcome, Verdict
from sandbox_checks import equality


@pytest.mark.parametrize("count", [16, pytest.param(40, marks=pytest.mark.slow)])
def test_a_sample_of_the_corpus_is_equal_on_every_backend(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert equality.main(["--count", str(count), "--generated", "20", "--mutants", "1", "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert f"{count} programs" in said and "0 differ between cargo, direct, batch" in said


def test_the_corpus_is_large_and_varied() -> None:
    files = [file for directory in equality.CORPUS for file in directory.rglob("*.rs")]
    assert len(files) >= 400 and len({file.parent.name for file in files}) >= 20
    assert len({file.read_bytes() for file in files}) == len(files)


def test_a_difference_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lies = {"cargo": [True, True], "direct": [True, False]}

    def pretend(programs: object, backend: str, options: object) -> list[Verdict]:
        return [Verdict(Outcome.PASSED, build=build) for build in lies[backend]]

    monkeypatch.setattr(equality, "_grade", pretend)
    assert equality.main(["--count", "2", "--backends", "cargo,direct"]) == equality.ExitCode.CHECK_FAILED
    assert "direct says (False," in capsys.readouterr().out


def test_mutants_differ_in_one_place_and_are_the_same_every_time() -> None:
    made = [list(equality.token_mutants(GOOD, 30, random.Random(seed))) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2] and len(made[0]) == 30
    assert all(abs(len(mutant) - len(GOOD)) < 40 for mutant in made[0])
    assert list(equality.token_mutants('"', 3, random.Random(1))) == []


def test_wrong_arguments_are_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (([str(tmp_path)], "no .rs file"), (["--backends", "fast"], "no such backend: fast")):
        with pytest.raises(SystemExit) as error:
            equality.main(arguments)
        assert error.value.code == ExitCode.BAD_INPUT and word in capsys.readouterr().err
