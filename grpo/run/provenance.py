"""How a run was made: versions, commit, machine. Imports none of the packages whose versions it reports."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["environment"]

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "numpy",
    "trl",
    "vllm",
)
GIT_TIMEOUT_S = 10.0


def environment(*, argv: Sequence[str], grader: Mapping[str, str], packages: Sequence[str] = ()) -> dict[str, Any]:
    """What decides a run besides its settings, as plain JSON values.

    Args:
        argv: The command line.
        grader: Facts about what grades, by name.
        packages: Further packages whose versions matter.
    Returns: {"started", "command", "python", "packages" (installed ones by name), the facts about the grader,
        "commit" ({"id", "dirty"}; None outside a git checkout), "machine" ({"system", "cpu", "cores", "memory_gb",
        "gpus"})}. GPUs are listed only when torch is already imported.

    >>> environment(argv=["train.py"], grader={"judge": "a human"})["judge"]
    'a human'
    """
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": list(argv),
        "python": platform.python_version(),
        "packages": {name: version for name in (*PACKAGES, *packages) if (version := _version(name))},
        **grader,
        "commit": _commit(Path(__file__).resolve().parents[2]),
        "machine": {
            "system": platform.platform(),
            "cpu": _cpu_model(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
            "gpus": _gpus(),
        },
    }


def _version(package: str) -> str | None:
    """An installed package's version."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> dict[str, Any] | None:
    """The commit that is checked out at `root`, and whether tracked files differ from it."""
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"id": commit, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):  # no git, another user's checkout, no commit yet
        return None


def _git(root: Path, *arguments: str) -> str:
    """What a git command prints."""
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True)
    return done.stdout.strip()


def _cpu_model() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _gpus() -> list[str]:
    """The names of the GPUs that torch sees, if torch is there."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
