"""Runs untrusted Rust programs and reports what happened. Standard library only; usable alone.

    with SandboxPool() as pool:
        verdict = pool.submit(source).result()

Promises: the verdict equals cargo's; a program can waste only what its limits allow; no process or file of it is
left; a failure of the host is never blamed on a program. Not promised yet: isolation. A program can read what its
caller can read and reach the network; run models you do not trust in a container without secrets.
"""

from sandbox.errors import PoolClosed, SandboxError, ToolchainError
from sandbox.limits import Limits
from sandbox.pool import SandboxPool
from sandbox.toolchain import Toolchain, find_toolchain
from sandbox.verdict import PHASES, Diagnostic, Outcome, Verdict

__all__ = [
    "PHASES",
    "Diagnostic",
    "Limits",
    "Outcome",
    "PoolClosed",
    "SandboxError",
    "SandboxPool",
    "Toolchain",
    "ToolchainError",
    "Verdict",
    "find_toolchain",
]
