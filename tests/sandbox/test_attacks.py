"""Hostile programs reach nothing under isolation, on the exact and on the direct backend, and what they want without it.

The programs are in `attacks/`: `run`, done by a compiled test; `compile`, done by compiling it; `exhaust`, either, and
done to the host's time, memory and disk. `hostile` says how they are written.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hostile import LIMITS, Attack, Expected, Host, missing, names
from sandbox.grading.backends import grade
from sandbox.isolation.policy import Isolation
from sandbox.verdict import Verdict

pytestmark = pytest.mark.skipif(
    os.environ.get("SANDBOX_ISOLATION") == "none",
    reason="this host has neither Landlock nor bubblewrap, or was told so",
)
FEWEST = 50


def run_attack(attack: Attack, isolation: Isolation, workdir: Path, backend: str) -> tuple[Verdict, set[str]]:
    """The verdict of an attack, and the traces that it left."""
    with Host(isolation.program) as host:
        source = attack.fill(host, harmless=not isolation.is_real)
        verdict = grade(source, isolation, attack.limits, workdir, backend=backend, phases=attack.phases)
        assert list(workdir.iterdir()) == [], "the work directory is always removed"
        return verdict, host.traces()


def check(verdict: Verdict, expected: Expected) -> None:
    """The outcome, and the text somewhere in what the verdict says."""
    said = "\n".join([verdict.reason, verdict.test_output, *(d.message for d in verdict.diagnostics)])
    said += "\n".join(str(d.code) for d in verdict.diagnostics)
    assert verdict.outcome in expected.outcomes and expected.text in said, verdict


@pytest.fixture
def attack(request: pytest.FixtureRequest, isolation: Isolation, monkeypatch: pytest.MonkeyPatch) -> Attack:
    """The program of a name, where this host has what it needs."""
    monkeypatch.setenv("ATTACK_SECRET", "hunter2")
    found = Attack.read(request.param)
    if absent := missing(found.needs, isolation):
        pytest.skip(f"this host has no {', '.join(absent)}")
    return found


@pytest.mark.parametrize("backend", ["direct", "cargo"])
@pytest.mark.parametrize("attack", names(), indirect=True)
def test_an_attack_fails_under_isolation(attack: Attack, backend: str, isolation: Isolation, workdir: Path) -> None:
    verdict, traces = run_attack(attack, isolation, workdir, backend)
    check(verdict, attack.protected)
    assert not traces


@pytest.mark.parametrize("attack", names(), indirect=True)
def test_the_attack_works_where_nothing_protects(attack: Attack, unprotected: Isolation, workdir: Path) -> None:
    verdict, traces = run_attack(attack, unprotected, workdir, "direct")
    check(verdict, attack.control)
    assert traces == attack.control.traces


def test_there_are_enough_attacks_and_each_says_what_it_is() -> None:
    assert len(names()) >= FEWEST
    for name in names():
        about = Attack.read(name).source.partition("\n// protected:")[0]
        assert about.startswith("// ") and about.endswith("."), f"{name} begins with a sentence"


def test_every_attack_is_named_in_the_list_of_threats() -> None:
    threats = (Path(__file__).parents[2] / "sandbox" / "THREATS.md").read_text()
    assert [name for name in names() if name.partition("/")[2] not in threats] == []


def test_a_host_shows_no_traces_of_its_own(isolation: Isolation) -> None:
    with Host(isolation.program) as host:
        assert host.traces() == set() and LIMITS.wall_s > 0
        (host.outside / "secret").write_text("x")
        (host.outside / "new").touch()
        assert host.traces() == {"changed:secret", "made:new"}
