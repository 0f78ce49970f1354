"""The soak tests, of workers and of nodes: they hold on a sound sandbox, and say what does not hold on another."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import Outcome, Verdict
from sandbox_checks import nodes, soak

pytestmark = pytest.mark.alone


def test_a_short_soak_holds(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    arguments = ["--count", "200", "--kill-every", "1.5", "--jobs", "2", "--json", str(out)]
    program = (
        "from sandbox_checks import soak\n"
        'quick = ("aborts", "exits with a summary", "is torn")\n'
        "soak.HOSTILE = {name: soak.HOSTILE[name] for name in quick}\n"
        "soak.HONEST = 6\n"
        f"raise SystemExit(soak.main({arguments!r}))\n"
    )  # in a process of its own: what is left behind must be the soak's
    scripts = Path(soak.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=scripts, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(out.read_text())
    assert figures["gradings"] == 200 and figures["workers_killed"] >= 1
    assert figures["problems"] == [] and figures["left_behind"] == figures["different_verdicts"] == 0
    assert "gradings a second" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: it is in the extra `ray`")
def test_nodes_that_are_killed_cost_no_verdict(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    arguments = ["--count", "300", "--kill-every", "1", "--json", str(out)]
    program = (
        "from sandbox_checks import nodes\n"
        'nodes.HOSTILE = {name: nodes.HOSTILE[name] for name in ("aborts", "is torn")}\n'
        f"nodes.HONEST = 6\nraise SystemExit(nodes.main({arguments!r}))\n"
    )
    scripts = Path(nodes.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=scripts, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(out.read_text())
    assert figures["nodes_killed"] >= 1 and figures["different_verdicts"] == figures["host_errors"] == 0


def test_what_does_not_hold_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    problem = ["honest 3: failed, alone passed"]
    monkeypatch.setattr(soak, "soak", lambda options: ({"gradings": 1}, problem))
    assert soak.main(["--count", "1"]) == soak.ExitCode.CHECK_FAILED
    monkeypatch.setattr(nodes, "grade_on_nodes", lambda options: ({"gradings": 1}, problem))
    assert nodes.main(["--count", "1"]) == nodes.ExitCode.CHECK_FAILED
    assert capsys.readouterr().out.count("BROKEN: honest 3") == 2


def test_memory_that_grows_is_told() -> None:
    flat, grows = [60.0] * 40, [60.0 + i for i in range(40)]
    assert soak._ends(flat) == [60.0, 60.0]
    first, last = soak._ends(grows)
    assert last > soak.GROWTH * first + soak.SLACK_MB


def test_a_timeout_is_the_same_wherever_it_stopped() -> None:
    ends = [Verdict(Outcome.TIMEOUT, build=build) for build in (True, False)]
    assert soak.said(ends[0]) == soak.said(ends[1])
    others = [Verdict(Outcome.TEST_FAILED, build=build) for build in (True, False)]
    assert soak.said(others[0]) != soak.said(others[1])


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--hostile", "2"], ["--kill-every", "0"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        soak.main(arguments)
