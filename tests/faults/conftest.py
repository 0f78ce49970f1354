"""Undisturbed runs to compare with, and the table of docs/reliability.md, which the suite itself writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training import SMALL, Tally, Training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `make faults` -->", "<!-- end -->"
TABLE = pytest.StashKey[dict[str, tuple[str, str, int]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", action="store_true", help="write the table of docs/reliability.md anew")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The directory of a run of some settings that nothing disturbed; each is made once."""
    made: dict[tuple[str, ...], Path] = {}

    def run(settings: tuple[str, ...] = SMALL) -> Path:
        if settings not in made:
            training = Training(tmp_path_factory.mktemp("runs") / "undisturbed", settings)
            training.finish()
            made[settings] = training.path
        return made[settings]

    return run


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count tries of a fault for the page: call it once the test has seen that all of them ended as they must."""

    def count(fault: str, *, tries: int, seen: str, kept: str) -> None:
        table = request.config.stash.setdefault(TABLE, {})
        table[fault] = (seen, kept, table.get(fault, ("", "", 0))[2] + tries)

    return count


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the table, once every test has passed."""
    if not session.config.getoption("--write-reliability", default=False) or exitstatus:
        return
    rows = session.config.stash.get(TABLE, {})
    table = ["| fault | tries | what the user sees | what is kept |", "|---|---|---|---|"]
    table += [f"| {fault} | {tries} | {seen} | {kept} |" for fault, (seen, kept, tries) in sorted(rows.items())]
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(table) + f"\n{END}{rest.split(END)[1]}", encoding="utf-8")
