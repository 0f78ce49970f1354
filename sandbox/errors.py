"""What can stop the sandbox itself. A program that fails in it is no error: it is a verdict.

SandboxError
  ToolchainError    no usable Rust toolchain: none, too old, without clippy, or unable to build an empty program
  IsolationError    this host cannot be protected from guests, or not in the way that was asked for
  PoolClosed        work was given to a pool that is closed
"""

from __future__ import annotations

__all__ = ["IsolationError", "PoolClosed", "SandboxError", "ToolchainError"]


class SandboxError(Exception):
    """Something failed that no graded program did."""


class ToolchainError(SandboxError):
    """There is no Rust toolchain to grade with; says what was found and what to do."""


class IsolationError(SandboxError):
    """There is no protection from the programs to be graded; says what was tried and what to do."""


class PoolClosed(SandboxError):
    """The pool was closed before the work was given to it."""
