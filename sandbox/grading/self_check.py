"""On a toolchain that they have not met, the cheap paths first prove themselves: forty programs, compared with cargo.

Their rules rest on what rustc and clippy do and when, which is nowhere promised. The programs in `specimens/` are those
that told apart earlier, wrong rules from cargo, and ordinary ones. What came out is kept in the cache directory.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sandbox.storage import cache_directory, code_hash
from sandbox.toolchain import Toolchain

__all__ = ["PROVEN", "SelfCheck", "programs"]

PROVEN = ("rustc 1.95.",)  # toolchains on which hundreds of programs were compared


def programs() -> dict[str, str]:
    """The programs, by name."""
    files = sorted((Path(__file__).parent / "specimens").glob("*.rs"))
    return {file.stem: file.read_bytes().decode() for file in files}


class SelfCheck:
    """What is known of the cheap paths on one toolchain."""

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain
        facts = "\0".join((toolchain.version, toolchain.host, code_hash()))
        self._file = cache_directory() / f"proof-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"

    @property
    def differing(self) -> list[str] | None:
        """The programs on which a cheap path differed from cargo; None when that was never tried."""
        if self._toolchain.version.startswith(PROVEN):
            return []
        try:
            return [str(name) for name in json.loads(self._file.read_text())["differing"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, differing: list[str]) -> None:
        """Remember what came out; where that cannot be, it is tried again."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps({"toolchain": self._toolchain.version, "differing": differing}) + "\n")
        except OSError:
            pass
