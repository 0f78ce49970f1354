"""The sandbox benchmark measures every backend on every program, and refuses wrong arguments with a message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bench_sandbox
from programs import GOOD, in_test

pytestmark = pytest.mark.alone


def test_the_file_has_every_backend_and_none_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programs = {"good": GOOD, "copy": GOOD, "fails": in_test("assert_eq!(add(1, 1), 3);"), "torn": "fn f( {"}
    for name, source in programs.items():
        (tmp_path / f"{name}.rs").write_text(source)
    out = tmp_path / "figures.json"
    arguments = [
        "--programs",
        str(tmp_path),
        "--backends",
        "naive,cargo,direct,batch",
        "--jobs",
        "1,2",
        "--json",
        str(out),
    ]
    assert bench_sandbox.main(arguments) == 0
    figures = json.loads(out.read_text())
    assert figures["programs"] == 3, "the same program is measured once"
    assert list(figures["backends"]) == ["naive", "cargo", "direct", "batch"]
    for row in figures["backends"].values():
        assert set(row) == {"cpu_ms", "cpu_ms_mean", "wall_ms", "per_second", "differences"}
        assert row["differences"] == 0 and row["cpu_ms"] > 0 and set(row["per_second"]) == {"1", "2"}
    naive, direct = figures["backends"]["naive"]["cpu_ms_mean"], figures["backends"]["direct"]["cpu_ms_mean"]
    assert figures["floor_cpu_ms"] > 0 and naive > 1.5 * direct
    assert "naive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backends", "naive,fast"], "no such backend: fast; there are naive, cargo, direct"),
        (["--jobs", "0"], "give positive numbers"),
        (["--programs", "EMPTY"], "there is no .rs file in it"),
    ],
)
def test_wrong_arguments_are_said(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench_sandbox.main([word.replace("EMPTY", str(tmp_path)) for word in arguments])
    assert ended.value.code == 2 and said in capsys.readouterr().err
