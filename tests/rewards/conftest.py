"""One pool of sandboxes for all tests of the rewards; with its cache a program costs one grading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import SandboxPool


@pytest.fixture(scope="session")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(jobs=2) as pool:
        yield pool
