"""Hostile programs reach nothing under isolation, by the backends cargo and direct; without it, they succeed.

The programs are in `attacks/`. Those of `run` attack by a compiled test, those of `compile` while they are compiled,
and those of `exhaust` by either, to use up time, memory or disk. `hostile.py` documents their format.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostile import LIMITS, Attack, Expected, Host, missing, names
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.verdict import Verdict

pytestmark = pytest.mark.skipif(
    os.environ.get("SANDBOX_ISOLATION") == "none",
    reason="this host has neither Landlock nor bubblewrap, or was told so",
)
FEWEST = 50
# The backends share policy, launcher and limits, so that the fast tests grade each attack by one of them, attacks by a
# compiled test in the phase of the tests, and run these controls of each kind.
FAST_CONTROLS = {
    *("compile/includes_text", "compile/names_a_module", "compile/links_a_library"),
    *("exhaust/fills_the_disk_with_a_file", "exhaust/takes_much_memory", "exhaust/starts_many_threads"),
    *("run/reads_a_file", "run/writes_a_file", "run/connects_by_tcp", "run/starts_a_shell", "run/kills_a_process"),
    "run/leaves_a_daemon",
}
SLOW_ATTACKS = {  # each takes seconds, and a faster one that stays reaches the same limit
    *("exhaust/multiplies_generics", "exhaust/recurses_in_a_macro", "exhaust/recurses_in_types"),  # computes_a_constant
    *(
        "exhaust/spins_in_threads",
        "exhaust/stops_itself",
        "exhaust/floods_its_errors",
    ),  # spins, sleeps, floods_its_output
    *("exhaust/fills_the_disk_far_down", "exhaust/fills_the_disk_with_directories"),  # with_bytes, with_files
    "exhaust/nests_directories",  # test_remove_tree.py removes deeper ones
}
AFTER_TESTS = {"run/removes_its_source"}  # attacks that need a phase after the tests
CONTROLS = [pytest.param(name, marks=() if name in FAST_CONTROLS else pytest.mark.slow) for name in names()]


def run_attack(attack: Attack, isolation: Isolation, workdir: Path, backend: str) -> tuple[Verdict, set[str]]:
    """Grade an attack; return its verdict and the traces that it left."""
    with Host(isolation.program) as host:
        source = attack.fill(host, harmless=not isolation.is_real)
        verdict = grade(source, isolation, attack.limits, workdir, backend=backend, phases=attack.phases)
        assert list(workdir.iterdir()) == [], "the work directory is always removed"
        return verdict, host.traces()


def check(verdict: Verdict, expected: Expected) -> None:
    """Check the outcome, and that the verdict contains the text. Most attacks need powers: they pass as untrusted."""
    said = "\n".join([verdict.reason, verdict.test_output, *(d.message for d in verdict.diagnostics)])
    said += "\n".join(str(d.code) for d in verdict.diagnostics)
    outcomes = {*expected.outcomes, *(["untrusted"] if "passed" in expected.outcomes else [])}
    assert verdict.outcome in outcomes and expected.text in said, verdict


@pytest.fixture
def attack(request: pytest.FixtureRequest, isolation: Isolation, monkeypatch: pytest.MonkeyPatch) -> Attack:
    """The attack of a name; skipped if this host lacks what it needs."""
    monkeypatch.setenv("ATTACK_SECRET", "hunter2")
    found = Attack.read(request.param)
    if absent := missing(found.needs, isolation):
        pytest.skip(f"this host has no {', '.join(absent)}")
    return found


def gradings() -> Iterator[object]:
    """Each attack by both backends in its phases; those of a compiled test also in the phase of the tests alone."""
    for name in names():
        is_run = name.startswith("run/") and name not in AFTER_TESTS
        if is_run:
            yield pytest.param(name, "direct", ["test"], id=f"{name}-direct-test")
        for backend in ("direct", "cargo"):
            is_fast = backend == "direct" and not is_run and name not in SLOW_ATTACKS
            yield pytest.param(name, backend, [], id=f"{name}-{backend}", marks=() if is_fast else pytest.mark.slow)


@pytest.mark.parametrize(("attack", "backend", "phases"), list(gradings()), indirect=["attack"])
def test_an_attack_fails_under_isolation(
    attack: Attack, backend: str, phases: list[str], isolation: Isolation, workdir: Path
) -> None:
    verdict, traces = run_attack(replace(attack, phases=phases or attack.phases), isolation, workdir, backend)
    check(verdict, attack.protected)
    assert not traces


@pytest.mark.parametrize("attack", CONTROLS, indirect=True)
def test_the_attack_works_where_nothing_protects(attack: Attack, unprotected: Isolation, workdir: Path) -> None:
    verdict, traces = run_attack(attack, unprotected, workdir, "direct")
    check(verdict, attack.control)
    assert traces == attack.control.traces


@pytest.mark.slow  # the fast tests have attacks of this kind
@pytest.mark.parametrize("name", ["keeps_descriptors_of_its_own", "parts_from_shared_descriptors"])
def test_descriptors_of_one_thread_count_for_the_disk_limit(name: str, unprotected: Isolation, workdir: Path) -> None:
    attack = Attack.read(f"exhaust/{name}")
    if missing(attack.needs, unprotected):
        pytest.skip("another architecture")
    with Host(unprotected.program) as host:
        source = attack.fill(host)  # with the large number, though no filter refuses the table of its own
        verdict = grade(source, unprotected, attack.limits, workdir, backend="direct", phases=attack.phases)
    assert "wrote more than" in verdict.reason, verdict


def test_there_are_enough_attacks_and_each_says_what_it_is() -> None:
    assert len(names()) >= FEWEST and set(names()) >= FAST_CONTROLS | SLOW_ATTACKS | AFTER_TESTS
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
