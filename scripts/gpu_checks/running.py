"""A fresh Python for one check: it may hang, crash or leave processes behind, and the others do not notice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gpu_checks.catalogue import GpuCheck
from gpu_checks.mps import quit_daemon
from gpu_checks.outcome import RESULT, write_json

__all__ = ["run_check"]

ROOT = Path(__file__).resolve().parents[2]
QUOTED_LINES = 40
QUOTED_CHARACTERS = 6000
ENDING_S = 10.0  # for a killed process: one that waits for a driver that hangs cannot be killed
MESSAGES = {
    "hung": "no answer within its limit of {limit:.0f} s",
    "crashed": "its process {how} without saying why",
}
ADVICE = "read the end of its output in the JSON file, and run it alone with --only {name}"


def run_check(check: GpuCheck, *, device: str, small: bool, model: str, limit_s: float) -> dict[str, Any]:
    """Run a check in a process group of its own, and kill all of it at the limit.

    Args:
        check: What to run.
        device: "cpu" or "cuda".
        small: Whether with reduced sizes.
        model: A checkpoint's directory, or "".
        limit_s: Seconds.
    Returns: {"status": passed, failed, skipped, hung or crashed, "seconds", "figures"} and, where it did not pass,
        "reason", "advice" and "output_tail"; "torch" with what torch says of the card.
    """
    with tempfile.TemporaryDirectory(prefix="check-gpu-", ignore_cleanup_errors=True) as directory:
        folder = Path(directory)
        asked = {"device": device, "small": small, "limit_s": limit_s, "model": model}
        write_json(folder / "settings.json", {"function": check.function, "parent": os.getpid(), **asked})
        started = time.monotonic()
        try:
            code = _wait(folder, limit_s)
        finally:
            quit_daemon(folder)  # after Ctrl-C too
        seconds = round(time.monotonic() - started, 2)
        return {"seconds": seconds, **_read(check, folder, code, limit_s)}


def _wait(folder: Path, limit_s: float) -> int | None:
    """Start the process and wait for it; its exit code, None where it was killed at the limit."""
    paths = [str(ROOT), str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with open(folder / "output.txt", "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gpu_checks", str(folder)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):  # all of it has ended
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDING_S)


def _read(check: GpuCheck, folder: Path, code: int | None, limit_s: float) -> dict[str, Any]:
    """What is known after the end of the process."""
    found: dict[str, Any] = {"figures": {}}
    with suppress(OSError, ValueError):
        found |= json.loads((folder / RESULT).read_text(encoding="utf-8"))
    if "status" not in found:
        status = "hung" if code is None else "crashed"
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        found["status"] = status
        found["reason"] = _last_line(folder) or MESSAGES[status].format(limit=limit_s, how=how)
        if status == "hung" or (code or 0) < 0:
            found["reason"] = MESSAGES[status].format(limit=limit_s, how=how)
        found["advice"] = ADVICE.format(name=check.name)
    if found["status"] not in ("passed", "skipped"):
        found["output_tail"] = _tail(folder)
    return found


def _tail(folder: Path) -> str:
    """The last lines of the output."""
    text = (folder / "output.txt").read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-QUOTED_LINES:])[-QUOTED_CHARACTERS:]


def _last_line(folder: Path) -> str:
    """The last line of the output: of a traceback, the exception."""
    lines = _tail(folder).splitlines()
    return lines[-1].strip() if lines else ""
