"""What a check is given, and the ways in which it ends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["RESULT", "CheckFailed", "CheckSettings", "Figures", "Skipped", "write_json"]

Figures = dict[str, Any]  # plain JSON values; the names end in their unit
RESULT = "result.json"  # in the check's folder: what it found so far


class Skipped(Exception):
    """The check cannot run here; the message is the reason."""


class CheckFailed(Exception):
    """What was checked does not hold."""

    def __init__(self, what: str, advice: str) -> None:
        """
        Args:
            what: What was found, with its numbers.
            advice: What the user can do.
        """
        super().__init__(what)
        self.what, self.advice = what, advice


@dataclass(frozen=True)
class CheckSettings:
    """What a check is given."""

    device: str  # "cpu" or "cuda"
    small: bool  # reduced sizes
    limit_s: float  # after which the check is killed
    folder: Path  # its own; removed afterwards
    model: str = ""  # a checkpoint's directory, where the user gave one
    started: float = field(default_factory=time.monotonic)
    figures: Figures = field(default_factory=dict)

    @property
    def left_s(self) -> float:
        """Seconds until the limit."""
        return self.limit_s - (time.monotonic() - self.started)

    def note(self, **figures: Any) -> None:
        """Keep figures at once, so that they survive what comes later in the same check."""
        self.figures.update(figures)
        write_json(self.folder / RESULT, {"figures": self.figures})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file so that a reader finds the old content or the new one, never half of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, path)
