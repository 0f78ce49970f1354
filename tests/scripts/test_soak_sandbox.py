"""The soak test: it holds on a sound sandbox, and says what does not hold on another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import soak_sandbox
from sandbox import Outcome, Verdict


def test_a_short_soak_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {name: soak_sandbox.HOSTILE[name] for name in ("aborts", "exits with a summary", "is torn")}
    monkeypatch.setattr(soak_sandbox, "HOSTILE", quick)
    monkeypatch.setattr(soak_sandbox, "HONEST", 6)
    out = tmp_path / "figures.json"
    assert soak_sandbox.main(["--count", "60", "--kill-every", "0.7", "--jobs", "2", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["gradings"] == 60 and figures["workers_killed"] >= 1
    assert figures["problems"] == [] and figures["left_behind"] == figures["different_verdicts"] == 0
    assert "gradings a second" in capsys.readouterr().out


def test_what_does_not_hold_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    problem = ["honest 3: failed, alone passed"]
    monkeypatch.setattr(soak_sandbox, "soak", lambda options: ({"gradings": 1}, problem))
    assert soak_sandbox.main(["--count", "1"]) == soak_sandbox.BROKEN
    assert "BROKEN: honest 3" in capsys.readouterr().out


def test_memory_that_grows_is_told() -> None:
    flat, grows = [60.0] * 40, [60.0 + i for i in range(40)]
    assert soak_sandbox._ends(flat) == [60.0, 60.0]
    first, last = soak_sandbox._ends(grows)
    assert last > soak_sandbox.GROWTH * first + soak_sandbox.SLACK_MB


def test_a_timeout_is_the_same_wherever_it_stopped() -> None:
    ends = [Verdict(Outcome.TIMEOUT, build=build) for build in (True, False)]
    assert soak_sandbox._said(ends[0]) == soak_sandbox._said(ends[1])
    others = [Verdict(Outcome.TEST_FAILED, build=build) for build in (True, False)]
    assert soak_sandbox._said(others[0]) != soak_sandbox._said(others[1])


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--hostile", "2"], ["--kill-every", "0"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        soak_sandbox.main(arguments)
