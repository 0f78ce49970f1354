"""What every test shares: deterministic property tests, isolation where the host has it, and one pool of sandboxes.

Property tests draw the same examples on every run, and never fail by the clock. On a host that cannot isolate programs
the suite runs without isolation, warns, and skips the tests of isolation.
"""

import os
import warnings
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from sandbox import IsolationError, SandboxPool, ToolchainError, find_toolchain
from sandbox.isolation.probe import isolate

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

try:
    isolate(find_toolchain())
except IsolationError as error:
    warnings.warn(f"programs run without isolation: {error}", stacklevel=1)
    os.environ["SANDBOX_ISOLATION"] = "none"
except ToolchainError:
    pass  # the tests that need one say so


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="a test that is skipped fails: make test-watching")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is skipped, where nothing may be."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--nothing-skipped"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{item.nodeid}: {why}, and nothing may be skipped here"
    return report


@pytest.fixture(scope="session")
def pool() -> Iterator[SandboxPool]:
    """The pool that tests grade with unless they are about the pool: its cache grades each program once."""
    with SandboxPool(jobs=2) as pool:
        yield pool
