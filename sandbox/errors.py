"""The errors of the sandbox itself. A graded program that fails raises none of them: it gets a verdict.

SandboxError
  ToolchainError    no usable Rust toolchain: none, too old, without clippy, or unable to build an empty program
  IsolationError    this host cannot be protected from guests, or not in the way that was asked for
  PoolClosed        work was given to a pool that is closed
  ServiceError      no sandbox server answers at an address, or it refuses the token
  ClusterError      no Ray cluster answers at an address, or none of its nodes can grade
"""

from __future__ import annotations

__all__ = ["ClusterError", "IsolationError", "PoolClosed", "SandboxError", "ServiceError", "ToolchainError"]


class SandboxError(Exception):
    """Something failed, and it was not a graded program."""


class ToolchainError(SandboxError):
    """There is no usable Rust toolchain. The message says what was found and what to do."""


class IsolationError(SandboxError):
    """This host cannot be protected from graded programs. The message says what was tried and what to do."""


class PoolClosed(SandboxError):
    """A program was submitted to a pool that is closed."""


class ServiceError(SandboxError):
    """A sandbox server cannot be used. The message says what it or the connection said, and what to do."""


class ClusterError(SandboxError):
    """A Ray cluster cannot be used. The message says what it or its nodes said, and what to do."""
