"""Runs untrusted Rust programs and reports what happened. Standard library only; usable alone.

    with SandboxPool() as pool:
        verdict = pool.submit(source).result()

Promises: the verdict equals cargo's; a program can waste only what its limits allow; no process or file of it is
left; a failure of the host is never blamed on a program; and it reaches no file, process or network of the host (see
`sandbox.isolation` for by what means, and `THREATS.md` for what is not stopped).
"""

from sandbox.errors import IsolationError, PoolClosed, SandboxError, ToolchainError
from sandbox.isolation.policy import ISOLATIONS, Isolation
from sandbox.limits import Limits
from sandbox.toolchain import Toolchain, find_toolchain
from sandbox.verdict import PHASES, Diagnostic, Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = [
    "PHASES",
    "Diagnostic",
    "ISOLATIONS",
    "Isolation",
    "IsolationError",
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
