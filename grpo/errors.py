"""What can stop a run, by cause.

    GrpoError
      BadInput        the caller: settings, prompts, model, run directory; nothing was damaged, correct it and retry
      HostFailed      the machine or the run: a full disk, a lost checkpoint, a loss that is NaN; files written so far
                      stay
        RunStopped    the run by itself: going on with the same settings comes to the same end

A bad completion, for example a program that does not compile or does not end, raises nothing: it is a verdict.
"""

from __future__ import annotations

__all__ = ["BadInput", "GrpoError", "HostFailed", "RunStopped"]


class GrpoError(Exception):
    """Every error that this package raises on purpose; scripts show it without a traceback."""

    recurs = False  # whether the same start would come to the same end, until somebody changes something


class BadInput(GrpoError):
    """The caller gave something that cannot be used."""

    recurs = True


class HostFailed(GrpoError):
    """Something failed that the caller did not do."""


class RunStopped(HostFailed):
    """A run has ended itself, and would again: who looks at it has to change something first."""

    recurs = True
