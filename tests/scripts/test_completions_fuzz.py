"""The search for completions that cannot be read: it finds what is planted, repeats itself, and finds nothing else."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from grpo_rust.cli import ExitCode
from sandbox_checks import completions
from sandbox_checks.text_mutants import mutated

SLOW_S = 10.0


@pytest.mark.parametrize("rounds", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_no_completion_is_a_find(rounds: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert completions.main(["--rounds", str(rounds), "--seed", "7", "--slow", str(SLOW_S)]) == ExitCode.DONE
    assert f"{rounds:,} completions" in capsys.readouterr().out


def test_a_real_sandbox_grades_every_nth(capsys: pytest.CaptureFixture[str]) -> None:
    assert completions.main(["--rounds", "6", "--seed", "3", "--real", "3", "--slow", str(SLOW_S)]) == ExitCode.DONE
    assert "2 in a real sandbox" in capsys.readouterr().out


def test_an_exception_is_a_find_that_is_said_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(code: str) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(completions, "_parse", broken)
    code = completions.main(["--rounds", "3", "--seed", "1", "--keep", str(tmp_path)])
    said = capsys.readouterr().out
    assert code == ExitCode.CHECK_FAILED and "parse: RecursionError: too deep" in said and list(tmp_path.iterdir())


@pytest.mark.parametrize(("limit", "found"), [(0.05, "TimeoutError|took"), (60.0, "")])
def test_a_step_that_takes_too_long_is_a_find(limit: float, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(code: str) -> None:
        sum(range(10_000_000))

    monkeypatch.setattr(completions, "_parse", slow)
    problem = completions.check("```rust\nfn a() {}\n```", slow=limit, counts=Counter())
    assert (problem is None) is not bool(found)
    assert problem is None or problem.step == "parse" and any(word in problem.problem for word in found.split("|"))


def test_mutants_are_a_function_of_the_seed() -> None:
    texts = completions.seeds(0)
    made = [[mutated(texts[3], random.Random(f"{seed} {n}"), texts) for n in range(20)] for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2] and len(texts) > 500
    assert len({text for text in made[0] if text != texts[3]}) >= 18
