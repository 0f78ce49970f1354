"""The frame of every command: exit codes, and one line on stderr in place of a traceback.

A script decorates its `main` with `command`. What the caller did wrong and what the machine did wrong become a message
and an exit code; any other exception is a fault of the code and keeps its traceback.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from grpo.errors import BadInput, HostFailed
from sandbox.errors import SandboxError
from sandbox.exit_codes import ExitCode
from sandbox.terminal import forget_output, plain

__all__ = ["ExitCode", "command"]

P = ParamSpec("P")


def command(
    name: str, *, host_errors: tuple[type[Exception], ...] = ()
) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Decorate a script's `main`: errors that the project raises on purpose become `name: message` and an exit code.

    Args:
        name: The script's name, without its ending.
        host_errors: More exceptions that are the machine's fault in this script, such as `OSError`.

    >>> @command("greet")
    ... def main(argv=None):
    ...     raise BadInput("whom?")
    >>> main()
    <ExitCode.BAD_INPUT: 2>
    """

    of_the_host: tuple[type[Exception], ...] = (HostFailed, SandboxError, MemoryError, *host_errors)

    def decorated(main: Callable[P, int]) -> Callable[P, int]:
        @functools.wraps(main)
        def framed(*args: P.args, **kwargs: P.kwargs) -> int:
            try:
                code = main(*args, **kwargs)
                sys.stdout.flush()  # a reader that has gone is noticed here, and not when the interpreter ends
                return code
            except KeyboardInterrupt:
                return _said(name, "interrupted", ExitCode.INTERRUPTED)
            except BrokenPipeError:
                forget_output()
                return ExitCode.NOT_READ
            except _caller_errors() as error:
                return _said(name, error, ExitCode.BAD_INPUT)
            except of_the_host as error:
                return _said(name, str(error) or "memory ran out", ExitCode.HOST_FAILED)

        return framed

    return decorated


def _caller_errors() -> tuple[type[Exception], ...]:
    """The caller's errors. Without `rewards.rubric` there is no RewardError, and loading it takes tree-sitter."""
    rubric = sys.modules.get("rewards.rubric")
    return (BadInput,) if rubric is None else (BadInput, rubric.RewardError)


def _said(name: str, message: object, code: ExitCode) -> ExitCode:
    """The code, once the message stands on stderr."""
    print(f"{name}: {plain(str(message))}", file=sys.stderr)
    return code
