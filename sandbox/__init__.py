"""Runs untrusted Rust programs and reports what happened. Standard library only; usable alone.

    with SandboxPool() as pool:
        verdict = pool.submit(source).result()

What it promises:

- A verdict equals cargo's.
- A program uses no more time, memory and disk than its limits allow, and leaves no process and no file.
- A program reaches no file, process or network of the host. `sandbox.isolation` says by what means, and `THREATS.md`
  what is not stopped.
- A failure of the host is never a verdict on a program.
"""

from sandbox.errors import ClusterError, IsolationError, PoolClosed, SandboxError, ToolchainError
from sandbox.find_rust import find_toolchain
from sandbox.isolation.policy import ISOLATIONS, Isolation
from sandbox.limits import Limits
from sandbox.toolchain import Toolchain
from sandbox.verdict import PHASES, Diagnostic, Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = [
    "PHASES",
    "ClusterError",
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
