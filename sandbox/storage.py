"""What the sandbox keeps between runs: where it is kept, and for which version of this package it holds."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

__all__ = ["cache_directory", "code_hash"]


def cache_directory() -> Path:
    """The directory of the built launcher, kept verdicts and self-checks: `$XDG_CACHE_HOME/grpo-rust`, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(root) / "grpo-rust"


@cache
def code_hash() -> str:
    """A hash of this package's sources: a verdict of another version is not reused."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.[pr][ys]")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
