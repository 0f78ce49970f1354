"""The whole suite is deterministic: property tests draw the same examples on every run, and never fail by the clock.

On a host that cannot isolate programs it runs without isolation, says so, and skips what is about isolation.
"""

import os
import warnings

from hypothesis import settings

from sandbox import IsolationError, ToolchainError, find_toolchain
from sandbox.isolation.policy import isolate

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

try:
    isolate(find_toolchain())
except IsolationError as error:
    warnings.warn(f"programs run without isolation: {error}", stacklevel=1)
    os.environ["SANDBOX_ISOLATION"] = "none"
except ToolchainError:
    pass  # the tests that need one say so
