"""What can stop a run, by whose fault it is.

    GrpoError
      BadInput        the caller's: settings, prompts, model, run directory; nothing was spoiled, fix it and start again
      HostFailed      the machine's or the run's: a full disk, a lost checkpoint, a loss that is no number; what was
                      written stays

A guest's failure, a program that does not compile or never ends, is no exception at all: it is a verdict.
"""

from __future__ import annotations

__all__ = ["BadInput", "GrpoError", "HostFailed"]


class GrpoError(Exception):
    """Anything that this package raises on purpose and a script should show without a traceback."""


class BadInput(GrpoError):
    """The caller gave something that cannot be used."""


class HostFailed(GrpoError):
    """Something failed that the caller did not do."""
