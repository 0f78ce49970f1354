"""The exit codes of every command of this project: one table, here because every other folder may import it."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command's exit code says. 2 is also argparse's code for a command line that it refuses."""

    DONE = 0
    CHECK_FAILED = 1  # what the command checks does not hold
    BAD_INPUT = 2  # settings, files or arguments that cannot be used
    HOST_FAILED = 3  # the machine: no toolchain, a full disk, a dead process
    STOPPED = 75  # before the end, and the same run can be resumed; EX_TEMPFAIL of sysexits.h
    INTERRUPTED = 130  # Ctrl-C: 128 + SIGINT
    NOT_READ = 141  # the reader of the output stopped early (`... | head`): 128 + SIGPIPE
