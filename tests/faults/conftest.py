"""Undisturbed runs to compare with, and the table of docs/reliability.md, which the suite itself writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training import SMALL, Tally, Training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `make faults` -->", "<!-- end -->"
COUNTED = "fault"  # the property of a test's report that holds a row: reports travel, whichever process ran the test


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", action="store_true", help="write the table of docs/reliability.md anew")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--write-reliability", default=False) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Table())


class Table:
    """Puts together what all tests counted, and writes the page once every one of them has passed."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, str, int]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for fault, tries, seen, kept in (row for name, row in report.user_properties if name == COUNTED):
                before = self._rows[fault][2] if fault in self._rows else 0
                self._rows[fault] = (seen, kept, before + tries)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus:
            return
        table = ["| fault | tries | what the user sees | what is kept |", "|---|---|---|---|"]
        table += [
            f"| {fault} | {tries} | {seen} | {kept} |" for fault, (seen, kept, tries) in sorted(self._rows.items())
        ]
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        page = f"{before}{BEGIN}\n" + "\n".join(table) + f"\n{END}{rest.split(END)[1]}"
        PAGE.write_text(page, encoding="utf-8")


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
        request.node.user_properties.append((COUNTED, (fault, tries, seen, kept)))

    return count
