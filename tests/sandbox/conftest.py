"""What grading needs: this host's isolation, work directories, and cargo's verdicts, each of which is found once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from sandbox.find_rust import find_toolchain
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.isolation.probe import isolate
from sandbox.isolation.process import become_reaper
from sandbox.limits import Limits
from sandbox.verdict import PHASES, Verdict


@pytest.fixture(scope="session")
def isolation() -> Isolation:
    become_reaper()
    return isolate(find_toolchain())


@pytest.fixture(scope="session")
def unprotected() -> Isolation:
    """No isolation, for tests of what holds without it too."""
    return isolate(find_toolchain(), "none")


@pytest.fixture(scope="session")
def by_cargo(isolation: Isolation) -> Callable[..., Verdict]:
    """Grade a program by cargo under isolation; the same program, limits and phases only once in a session."""

    @cache
    def graded(source: str, limits: Limits, phases: Sequence[str] = PHASES) -> Verdict:
        with _directory() as workdir:
            verdict = grade(source, isolation, limits, workdir, backend="cargo", phases=phases)
            assert list(workdir.iterdir()) == [], "the work directory is always removed"
        return verdict

    return graded


@pytest.fixture
def workdir() -> Iterator[Path]:
    with _directory() as directory:
        yield directory


@contextmanager
def _directory() -> Iterator[Path]:
    """A temporary directory that other users may pass through."""
    with tempfile.TemporaryDirectory(prefix="sandbox-test-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)
