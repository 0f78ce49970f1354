"""Where the sandbox keeps files between runs, and the hash that names its own version."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

__all__ = ["cache_directory", "code_hash"]


def cache_directory() -> Path:
    """The directory of the built launcher, verdicts and self-checks: grpo-rust in `$XDG_CACHE_HOME` or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(root) / "grpo-rust"


@cache
def code_hash() -> str:
    """A hash of this package's Python and Rust sources: the verdicts of another version are not reused."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.[pr][ys]")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
