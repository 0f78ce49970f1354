"""CUDA's multi-process service, in a folder of its own: one user's processes then share a card at the same time.

The card's settings are not touched. A daemon of another user, or one that already runs, is neither used nor ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

__all__ = ["CONTROL", "mps_environment", "quit_daemon", "start_daemon"]

CONTROL = "nvidia-cuda-mps-control"
FOLDER = "mps"
OUTPUT = "mps-control.txt"
PID_FILE = "nvidia-cuda-mps-control.pid"
WAIT_S = 10


def mps_environment(folder: Path) -> dict[str, str]:
    """What a process needs in its environment to find the daemon of a check's folder."""
    return {"CUDA_MPS_PIPE_DIRECTORY": str(folder / FOLDER), "CUDA_MPS_LOG_DIRECTORY": str(folder / FOLDER)}


def start_daemon(folder: Path) -> str:
    """Start a daemon; why there is none, or "" where it runs."""
    if shutil.which(CONTROL) is None:
        return f"{CONTROL} is not installed"
    if "CUDA_MPS_PIPE_DIRECTORY" in os.environ:
        return "CUDA_MPS_PIPE_DIRECTORY is set: a daemon of yours may already be in use"
    (folder / FOLDER).mkdir()
    done = _control(folder, "-d")
    if done != 0:
        return f"{CONTROL} -d refused: {(folder / OUTPUT).read_text(errors='replace').strip()[:200] or 'no answer'}"
    return ""


def quit_daemon(folder: Path) -> None:
    """End the daemon of a folder, if one was ever started there: asked first, then killed."""
    pipes = folder / FOLDER
    if not pipes.exists():
        return
    _control(folder, text="quit\n")
    with suppress(OSError, ValueError):
        pid = int((pipes / PID_FILE).read_text())
        if Path(f"/proc/{pid}/comm").read_text().startswith(CONTROL[:15]):  # the kernel keeps 15 characters
            os.kill(pid, signal.SIGKILL)


def _control(folder: Path, *arguments: str, text: str = "") -> int | None:
    """Run the control program; its exit code, None where it does not answer.

    Its output goes to a file: a daemon keeps what it inherits, and a pipe would never end.
    """
    environment = {**os.environ, **mps_environment(folder)}
    with open(folder / OUTPUT, "a", encoding="utf-8") as output:
        try:
            return subprocess.run(
                [CONTROL, *arguments],
                env=environment,
                input=text,
                stdout=output,
                stderr=output,
                text=True,
                timeout=WAIT_S,
                check=False,
            ).returncode
        except (OSError, subprocess.TimeoutExpired):
            return None
