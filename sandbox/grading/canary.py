"""The canary: a test that the sandbox appends to a program, to prove that libtest reached the end of all tests.

`cargo test` succeeds on exit code 0, and a program can print any summary and call `exit(0)`. The canary has a random
name that sorts after the names of all other tests, so that with one test thread libtest reports it last. It is an
ignored test, and the reason for ignoring it is a random word, which libtest prints. If the output lacks the word, the
run ended before libtest reached the canary. An ignored test costs no measurable compile time; a test that writes a file
would cost a tenth of the whole compilation.

Not covered: a program that searches its own memory for the word finds it. Preventing that takes another process.
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
    """A test to append, and the word that libtest prints for it."""

    name: str
    word: str

    @classmethod
    def for_source(cls, source: str) -> Canary:
        """Make a canary whose name sorts after every name in a program's source."""
        letter = LAST_LETTER if _has_other_names(source) else LAST_ASCII
        longest = max((len(run) for run in re.findall(f"{letter}+", source)), default=0)
        return cls(letter * (longest + 1) + "_" + secrets.token_hex(8), secrets.token_hex(16))

    def code(self) -> str:
        """The Rust source of the test.

        >>> Canary("z_1", "aa").code()
        '\\n#[cfg(test)] mod z_1 { #[test] #[ignore = "aa"] fn z_1() {} }\\n'
        """
        return f'\n#[cfg(test)] mod {self.name} {{ #[test] #[ignore = "{self.word}"] fn {self.name}() {{}} }}\n'

    def was_reached(self, output: bytes) -> bool:
        """Whether libtest reached the canary, by the output of the tests.

        >>> Canary("z_1", "aa").was_reached(b"test z_1::z_1 ... ignored, aa\\n\\ntest result: ok.")
        True
        """
        return f"{self.name} ... ignored, {self.word}\n".encode() in output


def _has_other_names(source: str) -> bool:
    """Whether a name may have letters beyond ASCII, which sort after all of ASCII."""
    if source.isascii():
        return False
    try:
        return any(not token.text.isascii() for token in tokens(source) if token.kind == "name")
    except ValueError:
        return True
