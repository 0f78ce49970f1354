"""The self-check: compares the backends with cargo on forty programs, once for each new toolchain.

The rules of `direct` and `batch` rest on what rustc and clippy check and in which order, which no documentation
guarantees. The programs in `specimens/` are ordinary ones, and those for which an earlier, wrong rule gave a verdict
that differed from cargo's. The result is kept in the cache directory.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sandbox.storage import cache_directory, code_hash
from sandbox.toolchain import Toolchain

__all__ = ["KNOWN_TOOLCHAINS", "SelfCheck", "programs"]

KNOWN_TOOLCHAINS = ("rustc 1.95.",)  # `make equality` compared hundreds of programs on them


def programs() -> dict[str, str]:
    """Read the programs of `specimens/`, by file name."""
    files = sorted((Path(__file__).parent / "specimens").rglob("*.rs"), key=lambda file: file.stem)
    return {file.stem: file.read_bytes().decode() for file in files}


class SelfCheck:
    """The result of comparing backends on one toolchain."""

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain
        facts = "\0".join((toolchain.version, toolchain.host, code_hash()))
        self._file = cache_directory() / f"self-check-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"

    @property
    def differing(self) -> list[str] | None:
        """Names of the programs on which a backend differed from cargo; None when none was compared yet."""
        if self._toolchain.version.startswith(KNOWN_TOOLCHAINS):
            return []
        try:
            return [str(name) for name in json.loads(self._file.read_text())["differing"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, differing: list[str]) -> None:
        """Write the result to disk. If that fails, the next pool compares again."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps({"toolchain": self._toolchain.version, "differing": differing}) + "\n")
        except OSError:
            pass
