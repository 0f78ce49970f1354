"""What every test shares: deterministic property tests, isolation where the host has it, and one pool of sandboxes.

Property tests draw the same examples on every run, and never fail by the clock. On a host that cannot isolate programs
the suite runs without isolation, warns, and skips the tests of isolation.
"""

import os
import warnings
from collections.abc import Iterator

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


@pytest.fixture(scope="session")
def pool() -> Iterator[SandboxPool]:
    """The pool that tests grade with unless they are about the pool: its cache grades each program once."""
    with SandboxPool(jobs=2) as pool:
        yield pool
