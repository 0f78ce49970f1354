"""One undisturbed run to compare with, and the table of docs/reliability.md, which the suite itself writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from training import SMALL, Tally, Training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `make faults` -->", "<!-- end -->"
TABLE = pytest.StashKey[dict[str, tuple[str, str, int]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", action="store_true", help="write the table of docs/reliability.md anew")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that nothing disturbed."""
    training = Training(tmp_path_factory.mktemp("runs") / "whole", SMALL)
    training.finish()
    return training.path


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Count tries of a fault for the page: call it once the test has seen that all of them ended as they must."""

    def count(fault: str, *, tries: int, seen: str, kept: str) -> None:
        table = request.config.stash.setdefault(TABLE, {})
        table[fault] = (seen, kept, table.get(fault, ("", "", 0))[2] + tries)

    yield count


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
