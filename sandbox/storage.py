"""Where the sandbox keeps files, during a run and between runs, and the hash that names its own version."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from sandbox.errors import SandboxError

__all__ = ["cache_directory", "code_hash", "make_work_directory"]


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


def make_work_directory(directory: Path) -> None:
    """Make the directory of a pool. Raises: SandboxError when it cannot be made."""
    try:
        directory.mkdir(mode=0o700)
        directory.chmod(0o711)  # programs run as another user, who may pass through but not list it
    except OSError as error:
        advice = "free some space or name another TMPDIR"
        raise SandboxError(f"no work directory can be made ({error}); {advice}") from error
