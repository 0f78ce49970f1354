"""Runs a command until it ends, or until the process that started it has ended, however that happens.

The parent holds the other end of standard input and never writes to it. Sockets that vLLM leaves behind where it is
killed are in a folder that goes with the command. Loads nothing but the standard library.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress

__all__ = ["main"]

ENDING_S = 20.0  # for a command that was asked to end, before it is killed


def main() -> int:
    """Run a command until it ends, or until nobody holds the other end of standard input any more. Its exit code."""
    with tempfile.TemporaryDirectory(prefix="vllm-", ignore_cleanup_errors=True) as sockets:
        return _run({**os.environ, "VLLM_RPC_BASE_PATH": sockets})


def _run(environment: dict[str, str]) -> int:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, env=environment, start_new_session=True)

    def follow() -> None:
        os.read(0, 1)  # returns nothing when the parent has ended
        with suppress(OSError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(ENDING_S)
        with suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)

    ending = threading.Thread(target=follow, daemon=True)
    ending.start()
    code = child.wait()
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)  # what it started and left behind
    return code


if __name__ == "__main__":
    sys.exit(main())
