"""Text for people: hostile text made safe to print, which must not move the cursor or hide what it says; counts."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["LastingOutput", "counted", "forget_output", "plain"]

COLOURS_AND_MOVES = re.compile(r"(?:\x1b\[|\x9b)[0-9;:?]*[A-Za-z]")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, bidi and format marks, surrogates, line separators


def counted(number: int, noun: str) -> str:
    """So many of something; the noun gets an s, which is all that the messages need.

    >>> counted(1, "test module"), counted(0, "test"), counted(1200, "closed ```rust block")
    ('1 test module', '0 tests', '1,200 closed ```rust blocks')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plain(text: str) -> str:
    """The text without escape sequences, control characters and invisible marks; newlines and tabs stay.

    Of a sequence that holds text, as one that sets a title does, the text stays: a program could have its code in it.

    >>> plain("\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\u202eabc\\r\\n")
    'red ]0;titleabc\\n'
    """
    visible = COLOURS_AND_MOVES.sub("", text)
    return "".join(c for c in visible if c in "\n\t" or unicodedata.category(c) not in HIDDEN)


class LastingOutput:
    """A text stream whose reader may go away (`| tee` that was interrupted, a closed terminal).

    What is written from then on is lost; whoever writes it goes on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, if anybody is there to read it."""
        with self._unread():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, if anybody is there to read it."""
        with self._unread():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _unread(self) -> Iterator[None]:
        """Where the reader has gone, let the stream lead to nowhere."""
        try:
            yield
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def forget_output() -> None:
    """After a BrokenPipeError (`... | head`), discard what is left, so that the interpreter ends without a message."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
