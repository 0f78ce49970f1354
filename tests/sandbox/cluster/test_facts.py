"""Nodes that would give other verdicts than the run asks for, or than the first one, are told apart."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ray_nodes import FIRST, RUST
from sandbox.cluster.facts import LEAVE_OUT, NodeFacts, differences, shortfalls
from sandbox.limits import Limits


def test_nodes_whose_verdicts_are_equal_differ_in_nothing() -> None:
    elsewhere = replace(RUST, bin=Path("/elsewhere/bin"))
    isolation = replace(FIRST.isolation, program=Path("other"), first_user=500, toolchain=elsewhere)
    assert differences(FIRST, replace(FIRST, name="two", isolation=isolation)) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(FIRST, backend="cargo"), "it grades by the backend cargo; on one by batch"),
        (replace(FIRST, isolation=replace(FIRST.isolation, kind="none")), "it isolates by NONE: programs can read"),
        (replace(FIRST, isolation=replace(FIRST.isolation, landlock=4)), "it isolates by Landlock 4, system-call"),
        (replace(FIRST, isolation=replace(FIRST.isolation, first_user=None)), "the caller's own user; on one by Land"),
        (
            replace(FIRST, isolation=replace(FIRST.isolation, toolchain=replace(RUST, version="rustc 1.94.0"))),
            "it has rustc 1.94.0 for x86_64-unknown-linux-gnu, and rustc 1.95.0 (5980761 2026-04-14) for",
        ),
        (
            replace(FIRST, isolation=replace(FIRST.isolation, toolchain=replace(RUST, host="aarch64-apple-darwin"))),
            "for aarch64-apple-darwin, and",
        ),
    ],
)
def test_what_decides_verdicts_is_compared(other: NodeFacts, said: str) -> None:
    [text] = differences(FIRST, other)
    assert said in text


def test_everything_that_differs_is_said_at_once() -> None:
    other = replace(FIRST, backend="cargo", isolation=replace(FIRST.isolation, kind="none"))
    assert len(differences(FIRST, other)) == 2
    other = replace(FIRST, code="0", limits=Limits(run_cpu_s=1, memory_mb=512))
    assert shortfalls(other, code="c0de", limits=Limits()) == [
        "it has another version of this project than the run: install the same there",
        "its programs get run_cpu_s = 1 of 10: raise what ulimit -H says there, " + LEAVE_OUT,
        "its programs get memory_mb = 512 of 4096: raise what ulimit -H says there, " + LEAVE_OUT,
    ]
    assert shortfalls(FIRST, code="c0de", limits=Limits()) == []


def test_a_machine_that_allows_less_gives_less() -> None:
    program = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from sandbox.cluster.facts import limits_here\nfrom sandbox.limits import Limits\n"
        "print(limits_here(Limits()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY:
        assert done.stdout.strip() == str(Limits(memory_mb=3072, compile_cpu_s=20, run_cpu_s=10))
