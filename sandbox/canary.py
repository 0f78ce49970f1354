"""The canary: one more test, appended by us, that proves libtest itself ran the tests and reported them.

`cargo test` believes exit code 0, and a program can print any summary and call `exit(0)`. The canary has a random
name that sorts after every other test, so that with one test thread it runs last, and it leaves a random word in a
file that only we know of. No word means that the run ended before libtest was through.

Left out: a program that goes looking for the word in its own source or binary finds it. Closing that takes isolation.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Canary"]

LAST_ASCII, LAST_LETTER = "z", "\U000323af"  # the last letter that Unicode 15 allows in a name


@dataclass(frozen=True)
class Canary:
    """A test to append, and where it answers."""

    name: str
    word: str
    answer_path: Path

    @classmethod
    def for_source(cls, source: str, directory: Path) -> Canary:
        """A canary whose name sorts after every name that the source spells out.

        Args: source, the program; directory, where the answer is to appear, outside the program's project.
        """
        letter = LAST_ASCII if source.isascii() else LAST_LETTER
        longest = max((len(run) for run in re.findall(f"{letter}+", source)), default=0)
        name = letter * (longest + 1) + "_" + secrets.token_hex(8)
        return cls(name, secrets.token_hex(16), directory / secrets.token_hex(8))

    def code(self) -> str:
        """The Rust test."""
        path, word = _literal(str(self.answer_path)), _literal(self.word)
        test = f"#[test] fn {self.name}() {{ ::std::fs::write({path}, {word}).unwrap(); }}"
        return f"\n#[cfg(test)] mod {self.name} {{ {test} }}\n"

    def answered(self) -> bool:
        """Whether the test ran."""
        try:
            return self.answer_path.read_text() == self.word
        except (OSError, ValueError):
            return False


def _literal(text: str) -> str:
    """A Rust string literal."""
    return '"' + "".join(c if c.isalnum() or c in "/-_." else f"\\u{{{ord(c):x}}}" for c in text) + '"'
