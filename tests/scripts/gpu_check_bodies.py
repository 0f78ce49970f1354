"""Bodies of checks for the tests of what runs them: one for each way in which a check can end."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time

from gpu_checks.catalogue import GpuCheck
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures, Skipped
from grpo.errors import HostFailed

LIMIT_S = 3.0  # of the check that hangs: enough to start Python


def passing(settings: CheckSettings) -> Figures:
    settings.note(noted_s=1.5)
    asked = f"{settings.device} {settings.small}{settings.model}"
    return {"returned_mb": 2, "limit_s": settings.limit_s, "asked": asked}


def failing(settings: CheckSettings) -> Figures:
    settings.note(found_nats=0.5)
    raise CheckFailed("it is wrong by 0.5 nats", "do not use it")


def skipping(settings: CheckSettings) -> Figures:
    raise Skipped("there is no such thing here")


def hanging(settings: CheckSettings) -> Figures:
    """Hangs in a process that it has started, which must not be left behind."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    settings.note(child=child.pid)
    child.wait()
    return {}


def aborting(settings: CheckSettings) -> Figures:
    settings.note(before_mb=7)
    os.abort()


def raising(settings: CheckSettings) -> Figures:
    raise ZeroDivisionError("a fault of the check")


def failing_host(settings: CheckSettings) -> Figures:
    raise HostFailed("the engine died: restart it")


def lacking_a_package(settings: CheckSettings) -> Figures:
    importlib.import_module("no_such_package")
    return {}


def lacking_what_all_need(settings: CheckSettings) -> Figures:
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


def sleeping(settings: CheckSettings) -> Figures:
    time.sleep(600)
    return {}


def check(function: str, limit_s: float = 60.0, **settings: bool) -> GpuCheck:
    """A check with one of these bodies, named like it."""
    return GpuCheck(function, f"Is it {function}?", limit_s, f"gpu_check_bodies:{function}", **settings)
