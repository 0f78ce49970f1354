"""The canary: one more test, appended by us, that proves libtest itself went through all tests.

`cargo test` believes exit code 0, and a program can print any summary and call `exit(0)`. The canary has a random
name that sorts after every other test, so that with one test thread it is reported last. It is an ignored test, and
the reason that libtest gives for that is a random word: no word means that the run ended before libtest was through.
An ignored test costs a compiler nothing; one that writes a file costs a tenth of the whole compilation.

Left out: a program that goes looking for the word in its own memory finds it. Closing that takes another process.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sandbox.grading.lexer import tokens

__all__ = ["Canary"]

LAST_ASCII, LAST_LETTER = "z", "\U000323af"  # the last letter that Unicode 15 allows in a name


@dataclass(frozen=True)
class Canary:
    """A test to append, and the word that it answers with."""

    name: str
    word: str

    @classmethod
    def for_source(cls, source: str) -> Canary:
        """A canary whose name sorts after every name that the source, a program, spells out."""
        letter = LAST_LETTER if _has_other_names(source) else LAST_ASCII
        longest = max((len(run) for run in re.findall(f"{letter}+", source)), default=0)
        return cls(letter * (longest + 1) + "_" + secrets.token_hex(8), secrets.token_hex(16))

    def code(self) -> str:
        """The Rust test.

        >>> Canary("z_1", "aa").code()
        '\\n#[cfg(test)] mod z_1 { #[test] #[ignore = "aa"] fn z_1() {} }\\n'
        """
        return f'\n#[cfg(test)] mod {self.name} {{ #[test] #[ignore = "{self.word}"] fn {self.name}() {{}} }}\n'

    def answered(self, output: bytes) -> bool:
        """Whether libtest came to it, by what the tests printed.

        >>> Canary("z_1", "aa").answered(b"test z_1::z_1 ... ignored, aa\\n\\ntest result: ok.")
        True
        """
        return f"{self.name} ... ignored, {self.word}\n".encode() in output


def _has_other_names(source: str) -> bool:
    """Whether a name may be spelled with letters beyond ASCII, which sort after it."""
    if source.isascii():
        return False
    try:
        return any(not token.text.isascii() for token in tokens(source) if token.kind == "name")
    except ValueError:
        return True
