"""What a person types, or a pipe brings: prompts of one line or more, and commands."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO

__all__ = ["Entries"]

FENCE = '"""'


class Entries:
    """Entries from a terminal or a pipe, one at a time.

    A line that ends in a backslash goes on in the next one; lines between two that are only `\"\"\"` belong together.
    On a terminal, where Python has GNU readline, lines can be edited and called back, and pasted lines stay one entry.

    >>> import io
    >>> entries = Entries(io.StringIO('one\\\\\\nline\\n\\n\"\"\"\\na\\n\\nb\\n\"\"\"\\n'))
    >>> [entries.read() for _ in range(4)]
    ['one\\nline', '', 'a\\n\\nb', None]
    """

    def __init__(self, source: TextIO) -> None:
        """
        Args:
            source: What is read; a terminal must be standard input.
        """
        self._source = source
        self.from_terminal = source.isatty()
        if self.from_terminal:
            with suppress(ImportError):  # some builds of Python lack it: then there is no editing
                import readline  # noqa: F401  # `input` uses it from now on

    def read(self) -> str | None:
        """The next entry without spaces around it; None at the end."""
        line = self._line("> ")
        if line is None:
            return None
        lines = self._fenced() if line.strip() == FENCE else self._continued(line)
        return "\n".join(lines).strip()

    def _fenced(self) -> list[str]:
        """The lines up to the closing fence, or the end."""
        lines: list[str] = []
        while (line := self._line("  ")) is not None and line.strip() != FENCE:
            lines.append(line)
        return lines

    def _continued(self, line: str) -> list[str]:
        """A line, and those that it goes on in."""
        lines = [line]
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            if (more := self._line("  ")) is None:
                break
            lines.append(more)
        return lines

    def _line(self, sign: str) -> str | None:
        """The next line; None at the end."""
        if self.from_terminal:
            try:
                return input(sign)
            except EOFError:
                print()
                return None
        line = self._source.readline()
        return line.rstrip("\r\n") if line else None
