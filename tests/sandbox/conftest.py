"""What grading needs: the protection of this host, found once, and directories that other users may pass through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.isolation.policy import Isolation, isolate
from sandbox.isolation.process import become_reaper
from sandbox.toolchain import find_toolchain


@pytest.fixture(scope="session")
def isolation() -> Isolation:
    become_reaper()
    return isolate(find_toolchain())


@pytest.fixture(scope="session")
def unprotected() -> Isolation:
    """No isolation, for what must hold without it too."""
    return isolate(find_toolchain(), "none")


@pytest.fixture
def workdir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sandbox-test-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)
